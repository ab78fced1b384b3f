"""
Runs one part of a room's mutants: collects the tests once, then forks for each mutant.

In the fork the changed function's code object takes the place of the running one's, and the tests that ever call the
function run until one fails. What runs at the import (constants, tables, defaults) cannot be changed afterwards: such a
mutant gets an interpreter of its own, in which a finder hands out the changed module.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

from .mutants import Mutant, mutants
from .rooms import ROOMS, ROOT, path_of

SURVIVED, KILLED, BROKEN = 0, 1, 3
EXAMPLES, CASES = 60, 400
MOST_S = 8.0
# Only their own functions read what they assign: that can be done again in the running module.
TABLES = ("bitget_async.codes",)
OPTIONS = ["-q", "-x", "--no-header", "--tb=no", "--disable-warnings", "-o", "asyncio_debug=false"]
# What watches every test of a usual run is not asked here.
OPTIONS += ["-p", "no:cacheprovider", "-p", "no:tests.leaks", "-p", "no:reliability-gathering"]


def all_mutants(room: str) -> list[tuple[str, Mutant]]:
    """Every mutant of the room with its module, in the order of the source; keys begin with the module's last name."""
    found = []
    for module, only in ROOMS[room].modules.items():
        for mutant in mutants(path_of(module).read_text(encoding="utf-8"), only):
            found.append((module, replace(mutant, key=f"{module.rpartition('.')[2]}.{mutant.key}")))
    return found


def part(room: str, number: int, count: int, step: int, only: list[str] | None) -> list[tuple[str, Mutant]]:
    """The share of one of `count` workers; with a `step` above 1 a sample, with `only` of these."""
    found = [each for each in all_mutants(room) if only is None or each[1].key in only]
    return found[number * step :: count * step]


class Forks:
    """A pytest plugin: instead of running the collected tests once, runs them once for each mutant."""

    def __init__(self, todo: list[tuple[str, Mutant]], tell: Callable[[str, str], None]) -> None:
        self.todo = todo
        self.tell = tell
        self.took: dict[str, float] = {}
        self.failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = True

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        files = {str(path_of(module)) for module, _ in self.todo}
        callers = self._callers(session.items, files)
        for module, mutant in self.todo:
            if in_place(module, mutant):
                file = str(path_of(module))
                # What makes a table is called at the import only: whoever reads the table must notice.
                where = "" if module in TABLES else mutant.where or ""
                items = callers.get((file, where), [])
                self.tell(mutant.key, self._fork(module, mutant, items))
        return True

    def _callers(self, items: list[pytest.Item], files: set[str]) -> dict[tuple[str, str], list[pytest.Item]]:
        """Which tests call which function, found out by running them once, in a fork."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            called: dict[int, set[tuple[str, str]]] = {}
            took: dict[int, float] = {}
            for number, item in enumerate(items):
                seen = called[number] = set()

                def note(frame: Any, event: str, _: Any, seen: set[tuple[str, str]] = seen) -> None:
                    if event == "call" and frame.f_code.co_filename in files:
                        seen.add((frame.f_code.co_filename, frame.f_code.co_qualname.split(".<locals>")[0]))

                began = time.process_time()
                sys.setprofile(note)
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                sys.setprofile(None)
                took[number] = time.process_time() - began
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump((called, took, self.failed), pipe)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as answer:
            called, took, failed = pickle.load(answer)  # noqa: S301 - our own child's
        os.waitpid(child, 0)
        assert not failed, "the tests must pass before anything is changed"
        # One case of each test first, the quick ones before the slow ones: most mutants die in the first few.
        self.took = {item.nodeid: took[number] for number, item in enumerate(items)}
        turns: dict[str, int] = {}
        order = []
        for number, item in enumerate(items):
            name = item.nodeid.split("[")[0]
            turns[name] = turns.get(name, -1) + 1
            order.append((turns[name], took[number], number))
        found: dict[tuple[str, str], list[pytest.Item]] = {}
        for _, _, number in sorted(order):
            # What calls nothing of them may read their tables.
            for where in {
                *called[number],
                *((file, "") for file, _ in called[number] or ((file, "") for file in files)),
            }:
                found.setdefault(where, []).append(items[number])
        return found

    def _fork(self, module: str, mutant: Mutant, items: list[pytest.Item]) -> str:
        if not items:
            return "survived"
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                quiet = os.open(os.devnull, os.O_WRONLY)
                os.dup2(quiet, 1)
                os.dup2(quiet, 2)
                # Of processor time: what takes much more than the tests took goes round in circles.
                signal.signal(signal.SIGPROF, signal.SIG_DFL)
                took = sum(self.took[item.nodeid] for item in items)
                signal.setitimer(signal.ITIMER_PROF, min(1.0 + 2.0 * took, MOST_S))
                if not exchange_code(sys.modules[module], mutant):
                    os._exit(BROKEN)
                for item in items:
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                    if self.failed:
                        os._exit(KILLED)
                os._exit(SURVIVED)
            os._exit(KILLED)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code != BROKEN, f"cannot find {mutant.where}"
        return "survived" if code == SURVIVED else "killed"


def in_place(module: str, mutant: Mutant) -> bool:
    """Whether the running module can be changed."""
    return mutant.where is not None or module in TABLES


def exchange_code(module: ModuleType, mutant: Mutant) -> bool:
    """Give the running function the changed code, or the module its changed tables; returns whether it was found."""
    if mutant.where is not None and not _swapped(module, mutant):
        return False
    if module.__name__ in TABLES:
        again: list[ast.stmt] = [each for each in mutant.tree.body if isinstance(each, (ast.Assign, ast.AnnAssign))]
        exec(compile(ast.Module(again, []), str(module.__file__), "exec", dont_inherit=True), vars(module))  # noqa: S102
    return True


def _swapped(module: ModuleType, mutant: Mutant) -> bool:
    assert mutant.where is not None
    compiled: CodeType = compile(mutant.tree, str(module.__file__), "exec", dont_inherit=True)
    owner: Any = module
    for name in mutant.where.split("."):
        inside = [each for each in compiled.co_consts if isinstance(each, CodeType) and each.co_name == name]
        if not inside:
            return False
        compiled = inside[0]
        owner = vars(owner)[name]
    for inner in ("fget", "__func__", "__wrapped__", "func"):
        owner = getattr(owner, inner, owner)
    owner.__code__ = compiled
    return True


class Finder(importlib.abc.MetaPathFinder):
    """Hands out one module in its changed form."""

    def __init__(self, module: str, mutant: Mutant) -> None:
        self.module = module
        self.mutant = mutant

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.module:
            return None
        mutant = self.mutant

        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, name: str) -> CodeType:
                code: CodeType = compile(mutant.tree, self.path, "exec", dont_inherit=True)
                return code

        file = str(path_of(fullname))
        return importlib.util.spec_from_file_location(fullname, file, loader=Loader(fullname, file))


class SameExamples:
    """
    A pytest plugin: hypothesis draws the same few examples every time, and shrinks and keeps none; of tests with
    hundreds of cases some are enough. What less finds, more would find too.
    """

    def pytest_collection(self) -> None:
        # Not earlier: pytest wants to see this module's first import.
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutation", derandomize=True, database=None, deadline=None, phases=phases)
        settings.load_profile("mutation")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        from hypothesis import settings

        cases: dict[str, list[pytest.Item]] = {}
        for item in items:
            cases.setdefault(item.nodeid.split("[")[0], []).append(item)
            test = getattr(item, "obj", None)
            given = getattr(test, "_hypothesis_internal_use_settings", None)
            if given is not None:
                vars(test)["_hypothesis_internal_use_settings"] = settings(given, max_examples=EXAMPLES)
        items[:] = [item for each in cases.values() for item in each[:: -(-len(each) // CASES)]]


def alone(room: str, key: str, tests: str) -> int:
    """Run tests on a mutant of what runs at the import; returns pytest's exit code."""
    module, mutant = next(each for each in all_mutants(room) if each[1].key == key)
    sys.meta_path.insert(0, Finder(module, mutant))
    return int(pytest.main([*OPTIONS, tests], plugins=[SameExamples()]))


def at_import(room: str, todo: list[tuple[str, Mutant]], timeout_s: float) -> Iterator[tuple[str, str]]:
    """Results of the mutants of what runs at the import."""
    for module, mutant in todo:
        if not in_place(module, mutant):
            survives = all(_passes(room, mutant.key, tests, timeout_s) for tests in ROOMS[room].tests)
            yield mutant.key, "survived" if survives else "killed"


def _passes(room: str, key: str, tests: str, timeout_s: float) -> bool:
    command = [sys.executable, "-m", "tests.mutation", "--alone", room, key, tests]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=timeout_s, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def work(room: str, number: int, count: int, step: int, out: Path, only: list[str] | None) -> None:
    """Run one worker's share; each result is a line `["killed", "key"]` or `["survived", "key"]` of the file."""
    todo = part(room, number, count, step, only)
    with out.open("w", encoding="utf-8") as lines:

        def tell(key: str, result: str) -> None:
            lines.write(json.dumps([result, key]) + "\n")
            lines.flush()

        code = pytest.main([*OPTIONS, *ROOMS[room].tests], plugins=[SameExamples(), Forks(todo, tell)])
        assert code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED), code
        for key, result in at_import(room, todo, timeout_s=120.0):
            tell(key, result)
