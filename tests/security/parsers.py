"""
Everything of the package that reads what others wrote, each as one function of bytes.

A target returns whatever it likes and raises what a user may see: `BitgetError`. Anything else is a defect. The same
targets are fed by hypothesis in every run and by `python -m tests.security.fuzz` before a release.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

from bitget_async import Credentials
from bitget_async.clock import ServerClock
from bitget_async.codes import classify
from bitget_async.endpoints import CATALOGUE, Endpoint
from bitget_async.errors import BitgetError, OutcomeUnknown, printable, redact
from bitget_async.guard import Rules, Watchdog
from bitget_async.guard import words as heartbeats
from bitget_async.journal.records import scan, seal
from bitget_async.models import BookLevel, BookUpdate, Record
from bitget_async.models.raw import keep_rows
from bitget_async.stream.book import LocalBook, Verdict
from bitget_async.stream.protocol import Push, read_frame
from bitget_async.stream.rows import records_of
from bitget_async.stream.talk import Talk
from bitget_async.transport import origin_of
from bitget_async.wire import Answer, Reply, decode, encode

__all__ = ["TARGETS", "feed"]

ROWS: tuple[Endpoint, ...] = tuple(CATALOGUE)
STATUSES = (200, 200, 200, 400, 401, 403, 429, 500, 502, 301, 204)
KEY = Credentials("fuzz-key-000000", "fuzz-secret-000000", "fuzz-pass-000000")
SEED = 0x5EED


class Still:
    """A clock that stands."""

    def monotonic_ns(self) -> int:
        """Some moment."""
        return 5_000_000_000

    def epoch_ms(self) -> int:
        """Some time."""
        return 1_750_000_000_000

    async def sleep(self, seconds: float) -> None:
        """Nobody waits here."""


def judge(answer: Answer[Any]) -> None:
    """What the rest of the package takes for granted of an answer, and what a reader of its error may see."""
    assert (answer.value is None) is (answer.error is not None)
    if answer.error is not None:
        assert isinstance(answer.error, BitgetError)
        text = str(answer.error)
        assert text.isprintable()
        assert len(text) < 1200


def refusal(call: Callable[[], object]) -> str:
    """What it says against the input; `""` if it takes it."""
    try:
        call()
    except BitgetError as error:
        return str(error)
    return ""


def an_answer(data: bytes) -> None:
    """An answer of any row, with any status, read with and without its JSON kept, and its clock taken."""
    row = ROWS[int.from_bytes(data[:2], "big") % len(ROWS)]
    body = data[3:]
    answer = decode(row, Reply(STATUSES[(data + b"\0\0\0")[2] % len(STATUSES)], body, None, 1, 2))
    judge(answer)
    if answer.value is not None:
        keep_rows(answer.value, body)
    if answer.request_time_ms is not None:
        clock = ServerClock(Still())
        clock.observe(answer.request_time_ms, 1, 2)
        clock.resync(answer.request_time_ms, 1, 2)
        assert isinstance(clock.estimate_ms(3), int)


def an_envelope(data: bytes) -> None:
    """An answer to a command that is an envelope already: code and text are anything."""
    text = data.decode("utf-8", "replace").replace("\\", "").replace('"', "")
    body = f'{{"code":"{text[:40]}","msg":"{text[40:]}","data":null}}'.encode()
    for row in (ROWS[0], ROWS[-1]):
        judge(decode(row, Reply(400, body, None, 1, 2)))
    assert classify(text) is not None


def a_key(data: bytes) -> None:
    """Three parts of a key: taken, or refused without being shown."""
    parts = (data.decode("latin-1") + "\x1f\x1f").split("\x1f")
    said = refusal(lambda: Credentials(parts[0], parts[1], parts[2]))
    assert all(len(part) < 12 or part not in said for part in parts)


def a_key_file(data: bytes) -> None:
    """A key file with any content."""
    pipe, end = os.pipe()
    os.write(end, data[:4096])
    os.close(end)
    # A path that every system of ours has; the mode of a pipe is 600.
    path = f"/dev/fd/{pipe}"
    try:
        assert refusal(lambda: Credentials.from_file(path)).isprintable()
    finally:
        os.close(pipe)


def a_text(data: bytes) -> None:
    """The redactor and the escaper: what comes out fits one line and holds no part of the key."""
    text = data.decode("utf-8", "replace")
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) <= 256
    error = OutcomeUnknown("code", code=text[:9], message=f"{text[:200]}fuzz-secret-000000{text}")
    redact(error, KEY.redact)
    assert "fuzz-secret-000000" not in f"{error} {error!r} {vars(error)}"


def an_address(data: bytes) -> None:
    """A base URL."""
    text = data.decode("utf-8", "replace")
    for url in (text, f"https://{text}", f"http://{text}"):
        assert refusal(partial(origin_of, url)).isprintable()


def a_call(data: bytes) -> None:
    """Parameters of any row: bytes to be sent, or a refusal; the path is the row's."""
    row = ROWS[int.from_bytes(data[:2], "big") % len(ROWS)]
    dice = random.Random(data)
    text = data[2:].decode("utf-8", "replace")
    values = [text, dice.getrandbits(70), float("nan"), None, [text], {"symbol": text}, data, True]
    given = {
        name: dice.choice(values) for name in [*(each.name for each in row.params), text[:8]] if dice.random() < 0.7
    }
    said = refusal(lambda: encode(row, given))
    assert len(said) < 2000
    if not said:
        target = encode(row, given).sent_target
        assert target.partition("?")[0] == row.path
        assert target.isascii()
        assert target.isprintable()


def a_journal(data: bytes) -> None:
    """What stands in a journal behind its header: anything, and anything in a record that is whole."""
    _ = scan(data, 0, SEED)
    _ = scan(seal(data, SEED) + data, 0, SEED)


def a_heartbeat(data: bytes) -> None:
    """What comes to a guard or to a bot, over a socket or from a key that anybody may have set."""
    dog = Watchdog(Rules(), 1)
    beat = heartbeats.Beat.decode(data)
    if beat is not None:
        assert heartbeats.Beat.decode(beat.encode()) == beat
        assert dog.hear(beat, 2)
    heard = heartbeats.Answer.decode(data)
    assert heard is None or heartbeats.Answer.decode(heard.encode()) == heard


def a_guards_state(data: bytes) -> None:
    """The file that a guard finds: what cannot be read is said to be none, and changes nothing."""
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    for state in (found, {"stopping": None, "bots": {"bot": found}}, {"stopping": found, "bots": {}}):
        dog = Watchdog(Rules(), 1)
        before = dog.to_dict(2)
        with contextlib.suppress(ValueError):
            dog.restore(state if isinstance(state, dict) else {}, 1.0, 2)
            _ = orjson.dumps(dog.to_dict(2)), dog.tick(3)
            continue
        assert dog.to_dict(2) == before


CHANNELS = ("orders", "fill", "account", "orders-algo", "ticker", "trade", "candle1m", "books", "books5", "other")


def a_frame(data: bytes) -> None:
    """Anything that a socket brings, as text and as bytes, and what one side of the talk makes of it."""
    for frame in (read_frame(data), read_frame(data.decode("utf-8", "replace"))):
        for talk in (Talk(private=True), Talk(private=False)):
            talk.opened(1)
            _ = talk.next_frame(1)
            if isinstance(frame, Push):
                talk.want([frame.topic])
                _ = talk.next_frame(1)
                _ = talk.heard_push(frame.topic, 2)
            _ = talk.heard(frame, 3)
            _ = talk.tick(4)
            assert talk.due_ns >= 1
        if isinstance(frame, Push):
            rows(frame)


def a_push(data: bytes) -> None:
    """Rows of any channel."""
    channel = CHANNELS[(data + b"\0")[0] % len(CHANNELS)]
    frame = read_frame(
        b'{"action":"update","arg":{"channel":"%s","instId":"BTCUSDT"},"data":%s,"ts":1}' % (channel.encode(), data[1:])
    )
    if isinstance(frame, Push):
        rows(frame)


START = BookUpdate(action="snapshot", asks=(BookLevel("2", "1"),), bids=(BookLevel("1", "1"),), seq=1)


def rows(frame: Push) -> None:
    """Records of a push. Those of books are put onto one with a level a side; what then stands in it are numbers."""
    lost: list[str] = []
    book = LocalBook("BTCUSDT")
    for record in records_of(frame, lost.append):
        assert isinstance(record, Record)
        if isinstance(record, BookUpdate):
            if not book.good:
                assert book.apply(START) is Verdict.APPLIED
            assert book.apply(record).needs_snapshot is not book.good
            assert all(level.price >= 0 and level.size > 0 for level in book.asks(9) + book.bids(9))
            _ = book.mid, book.spread, book.checksum()
    assert all(len(reason) < 500 for reason in lost)


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each
    for each in (
        an_answer,
        an_envelope,
        a_key,
        a_key_file,
        a_text,
        an_address,
        a_call,
        a_journal,
        a_heartbeat,
        a_guards_state,
        a_frame,
        a_push,
    )
}


def feed(target: Callable[[bytes], None], data: bytes) -> None:
    """Give these bytes to a target. Raises what it should not have raised."""
    with contextlib.suppress(BitgetError):
        target(data)
