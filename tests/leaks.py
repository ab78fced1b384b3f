"""
A search for secrets in everything that the whole suite makes somebody read: a pytest plugin.

The simulated exchange hands out keys that hold a word of ours, three canaries: API key, secret, passphrase. The fourth
is every signature that is made. They are looked for in every log record, in every error of the package with its chain
and the locals of the package's and aiohttp's frames, in reports and reprs of handles, in events and snapshots, in
exported spans and metrics, in journals, warnings, captured output and the report file. A find fails the test in which
it happened. What the tests and the simulator hold themselves does not count: they know the keys rightly.

The search costs a few percent of the run: a text is looked through once, and errors that come by the same road in the
same test are unfolded once.
"""

from __future__ import annotations

import json
import logging
import os
import re
import traceback
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterator
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bitget_async import client, course, credentials, errors
from bitget_async.events import hub
from bitget_async.journal import records as journal_records
from bitget_async.sim import exchange as sim_exchange

__all__ = ["MARK", "Search"]

FACTS = Path(os.environ.get("LEAKS") or Path(__file__).parent.parent / ".cache" / "leaks.json")
MARK = "cAnArY"
NAMES = {"k": "an API key", "s": "a secret", "p": "a passphrase"}
# Parts of keys that tests make up themselves: long enough not to be a word of the language.
LEAST = 12
MOST_PARTS = 24
MOST_SIGNATURES = 4096
MOST_ITEMS = 200
# Of each test the first settled handles are looked at, and then one in so many.
FIRST, ONE_IN = 10, 50
COUNTED = (
    *("texts", "characters", "log records", "errors", "reports", "journal records", "events", "snapshots", "spans"),
    "leaks",
)
RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Search:
    """What was searched, what was found, and what is looked for."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(COUNTED, 0)
        self.found: list[str] = []
        self._parts: deque[str] = deque(maxlen=MOST_PARTS)
        self._signatures: set[str] = set()
        self._older: set[str] = set()
        self._roads: set[object] = set()
        self._alive: dict[int, weakref.ref[BaseException]] = {}
        self._settled = 0

    def part(self, part: object) -> None:
        """Look for this part of a key from now on."""
        if isinstance(part, str) and len(part) >= LEAST and MARK not in part and part not in self._parts:
            self._parts.append(part)

    def signature(self, signature: str) -> None:
        """Look for this signature until some thousand younger ones have been made."""
        if len(self._signatures) >= MOST_SIGNATURES:
            self._older, self._signatures = self._signatures, set()
        self._signatures.add(signature)

    def text(self, text: str, where: str) -> None:
        """Look through one text."""
        self.counts["texts"] += 1
        self.counts["characters"] += len(text)
        for what in self._in(text):
            self.counts["leaks"] += 1
            self.found.append(f"{what} in {where}")

    def _in(self, text: str) -> Iterator[str]:
        if MARK in text:
            kinds = set(re.findall(MARK + "(.?)", text))
            yield " and ".join(sorted(NAMES.get(kind, "part of a key") for kind in kinds))
        if any(part in text for part in self._parts):
            yield "part of a key of the test's own"
        end = text.find("=", 43)
        while end >= 0:
            if text[end - 43 : end + 1] in self._signatures or text[end - 43 : end + 1] in self._older:
                yield "a signature"
                return
            end = text.find("=", end + 1)

    def record(self, record: logging.LogRecord) -> None:
        """Look through a log record: its text, what was added to it, and its exception."""
        self.counts["log records"] += 1
        where = f"a log record of {record.name}"
        self.text(record.getMessage(), where)
        for name in vars(record).keys() - RECORD:
            self.text(repr(vars(record)[name]), where)
        if record.exc_info and record.exc_info[1] is not None:
            self.exception(record.exc_info[1])

    def made(self, error: BaseException) -> None:
        """An error was made: it is looked through when it dies, or at the end of its test."""
        self._alive[id(error)] = weakref.ref(error)

    def died(self, error: BaseException) -> None:
        """An error is about to go, with its traceback."""
        if self._alive.pop(id(error), None) is not None:
            self.exception(error)

    def exception(self, error: BaseException) -> None:
        """Look through an error and all that hangs on it, as a crash reporter would."""
        self.counts["errors"] += 1
        where = f"the text of {type(error).__name__}"
        self.text(str(error), where)
        trace = traceback.walk_tb(error.__traceback__)
        road = (type(error), *((frame.f_code.co_filename, line) for frame, line in trace))
        if road in self._roads:
            return
        self._roads.add(road)
        for linked in chain(error):
            name = f"{type(linked).__name__} of a {type(error).__name__}"
            if type(linked).__module__.split(".")[0] == "aiohttp":
                self.counts["leaks"] += 1
                self.found.append(f"aiohttp's {name}")
            self.text(safe_repr(linked), f"the repr of {name}")
            self.text(safe_repr(vars(linked)), f"the fields of {name}")
            for frame, line in traceback.walk_tb(linked.__traceback__):
                if is_watched(frame.f_code.co_filename):
                    self._locals(frame, line, name)

    def _locals(self, frame: FrameType, line: int, name: str) -> None:
        for local, value in list(frame.f_locals.items()):
            where = f"{local} at {Path(frame.f_code.co_filename).name}:{line} in the traceback of {name}"
            self.text(safe_repr(value), where)

    def journal(self, blob: bytes) -> None:
        """Look through a record of a journal, as it is written."""
        self.counts["journal records"] += 1
        self.text(blob.decode("latin-1"), "a journal")

    def event(self, event: object) -> None:
        """Something is told to whoever listens."""
        self.counts["events"] += 1
        self.text(repr(event), f"a {type(event).__name__}")

    def span(self, span: Any) -> None:
        """Look through a span that is exported."""
        self.counts["spans"] += 1
        self.text(span.to_json(), "an exported span")

    def snapshot(self, snapshot: Any) -> None:
        """Somebody asked how a client is."""
        self.counts["snapshots"] += 1
        self.text(json.dumps(snapshot.to_dict()), "a snapshot")

    def settled(self, of: course.Course) -> None:
        """A handle has settled: its repr and its report in every form, for some of many."""
        self._settled += 1
        if self._settled <= FIRST or self._settled % ONE_IN == 0:
            self.counts["reports"] += 1
            self.text(repr(of.handle), "the repr of a handle")
            self.text(repr(of.report), "the repr of a report")
            if of.report is not None:
                self.text(json.dumps(of.report.to_dict()), "a report's to_dict()")

    def end(self) -> list[str]:
        """The test is over: what still lives is looked through; what was found since the last end."""
        alive, self._alive = self._alive, {}
        for each in alive.values():
            error = each()
            if error is not None:
                self.exception(error)
        self._roads.clear()
        self._settled = 0
        found, self.found = self.found, []
        return found


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error, its causes and its contexts, also those that `from None` hides."""
    waiting, seen = [error], set[int]()
    while waiting:
        linked = waiting.pop()
        if id(linked) not in seen:
            seen.add(id(linked))
            yield linked
            waiting += [each for each in (linked.__cause__, linked.__context__) if each is not None]
            waiting += linked.exceptions if isinstance(linked, BaseExceptionGroup) else ()


@lru_cache(maxsize=1024)
def is_watched(file: str) -> bool:
    """Whether frames of that file belong to the package, its HTTP client or asyncio: not to tests and simulator."""
    parts = Path(file).parts
    if "bitget_async" in parts:
        return "sim" not in parts and "tests" not in parts
    return ("aiohttp" in parts and not parts[-1].startswith("web")) or "asyncio" in parts


def safe_repr(value: object) -> str:
    """What a crash reporter shows of a value; of a long collection its first items."""
    try:
        if isinstance(value, (list, tuple)) and len(value) > MOST_ITEMS:
            value = value[:MOST_ITEMS]
        return repr(value)
    except Exception as error:
        return f"<no repr: {type(error).__name__}>"


class _Handler(logging.Handler):
    """Hands every record to the search."""

    def __init__(self, search: Search) -> None:
        super().__init__(logging.NOTSET)
        self._search = search

    def emit(self, record: logging.LogRecord) -> None:
        self._search.record(record)


class Hooks:
    """The places where the search listens, and the way back."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._undo: list[Callable[[], None]] = []
        self._handler = _Handler(search)

    def set(self) -> None:
        """Mark the keys, and listen."""
        search = self._search

        def key(api_key: str, secret: str, passphrase: str) -> Any:
            marked = [f"{text[:3]}{MARK}{kind}{text[10:]}" for text, kind in ((api_key, "k"), (passphrase, "p"))]
            return made_key(marked[0], f"{MARK}s{secret[7:]}" if secret else "", marked[1])

        def init(self: BaseException, *args: object) -> None:
            Exception.__init__(self, *args)
            search.made(self)

        def take(given: Callable[..., Any]) -> Callable[..., Any]:
            def taken(self: Any) -> Any:
                for part in (self._api_key, self._secret.decode(), self._passphrase):
                    search.part(part)
                return given(self)

            return taken

        def sign(given: Callable[..., Any]) -> Callable[..., Any]:
            def signed(self: Any, prehash: bytes) -> Any:
                made = given(self, prehash)
                search.signature(made)
                return made

            return signed

        def settle(given: Callable[..., Any]) -> Callable[..., Any]:
            def settled(self: Any, *args: Any, **kwargs: Any) -> None:
                given(self, *args, **kwargs)
                search.settled(self)

            return settled

        def tell(given: Callable[..., Any]) -> Callable[..., Any]:
            def told(self: Any, event: Any) -> None:
                search.event(event)
                given(self, event)

            return told

        def show(given: Callable[..., Any]) -> Callable[..., Any]:
            def shown(self: Any) -> Any:
                made = given(self)
                search.snapshot(made)
                return made

            return shown

        def export(given: Callable[..., Any]) -> Callable[..., Any]:
            def exported(self: Any, spans: Any) -> Any:
                for span in spans:
                    search.span(span)
                return given(self, spans)

            return exported

        def collect(given: Callable[..., Any]) -> Callable[..., Any]:
            def collected(self: Any) -> Any:
                made = given(self)
                search.text("" if made is None else made.to_json(), "exported metrics")
                return made

            return collected

        def seal(given: Callable[..., bytes]) -> Callable[..., bytes]:
            def sealed(*args: Any, **kwargs: Any) -> bytes:
                blob = given(*args, **kwargs)
                search.journal(blob)
                return blob

            return sealed

        def read(given: Callable[..., Any]) -> Callable[..., Any]:
            def heard(self: Any) -> Any:
                told = given(self)
                for text in told:
                    search.text(text if isinstance(text, str) else repr(text), "captured output")
                return told

            return heard

        made_key = vars(sim_exchange)["SimulatedKey"]
        self._put(sim_exchange, "SimulatedKey", lambda _: key)
        self._put(errors.BitgetError, "__init__", lambda _: init)
        self._put(errors.BitgetError, "__del__", lambda _: search.died)
        # Not where they are given: a frame of ours with a part of a key in it would be in every traceback.
        self._put(credentials.Credentials, "_use_hmac", take)
        self._put(credentials.Credentials, "_use_rsa", take)
        self._put(credentials.Credentials, "sign", sign)
        self._put(course.Course, "settle", settle)
        self._put(hub.Events, "emit", tell)
        self._put(client.BitgetClient, "snapshot", show)
        self._put(InMemorySpanExporter, "export", export)
        self._put(InMemoryMetricReader, "get_metrics_data", collect)
        self._put(journal_records, "seal", seal)
        self._put(pytest.CaptureFixture, "readouterr", read)
        root = logging.getLogger()
        level = root.level
        root.addHandler(self._handler)
        root.setLevel(logging.DEBUG)
        self._undo += [lambda: root.setLevel(level), lambda: root.removeHandler(self._handler)]

    def _put(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        had = vars(owner).get(name)
        made = make(had)
        if made == self._search.died:
            died = self._search.died
            made = lambda self: died(self)  # noqa: E731 - a bound method would not be bound again
        setattr(owner, name, made)
        self._undo.append((lambda: delattr(owner, name)) if had is None else (lambda: setattr(owner, name, had)))

    def reset(self) -> None:
        """Undo all of it."""
        while self._undo:
            self._undo.pop()()


class Plugin:
    """One process's share of the search; the controlling process adds up what the workers send home."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.search = Search()
        self.hooks = Hooks(self.search)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """The end of a test: whatever was found in it fails it."""
        report = yield
        if report.when == "teardown":
            for name, text in report.sections:
                self.search.text(text, name)
            found = self.search.end()
            if found and report.outcome == "passed":
                report.outcome = "failed"
                report.longrepr = "\n".join(["Secrets were shown:", *dict.fromkeys(found)])
        return report

    def pytest_warning_recorded(self, warning_message: Any) -> None:
        """It comes when its test is over: it fails the run, and not the next test."""
        found, self.search.found = self.search.found, []
        self.search.text(str(warning_message.message), "a warning")
        self.search.found = found

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker is done."""
        for name, count in getattr(node, "workeroutput", {}).get("leaks", {}).items():
            self.search.counts[name] += count

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker sends its counts home; a run with a leak has failed, whatever its tests say."""
        if hasattr(self._config, "workerinput"):
            output: Any = vars(self._config)["workeroutput"]
            output["leaks"] = self.search.counts
        elif self.search.counts["leaks"] and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Look through the report file, say what was searched, and leave it for the reliability page."""
        report = getattr(self._config.option, "xmlpath", None)
        if report and Path(report).exists():
            self.search.text(Path(report).read_text(encoding="utf-8"), "the report file")
        counts = self.search.counts
        FACTS.parent.mkdir(exist_ok=True)
        FACTS.write_text(json.dumps(counts))
        parts = ", ".join(f"{counts[name]:,} {name}" for name in COUNTED[2:-1])
        terminalreporter.write_line(
            f"leak search: {counts['characters']:,} characters of {counts['texts']:,} texts ({parts}), "
            f"{counts['leaks']} leaks"
        )

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Leave everything as it was."""
        self.hooks.reset()


def pytest_configure(config: pytest.Config) -> None:
    """Listen from the start: keys are made at import time too."""
    plugin = Plugin(config)
    plugin.hooks.set()
    config.pluginmanager.register(plugin, "leaks")
