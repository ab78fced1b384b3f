"""Whatever comes in: no exception outside our tree, at most 50 ms and 8 MB an input."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitget_async.endpoints import (
    BATCH_ORDERS,
    CANCEL_SYMBOL_ORDER,
    CANDLES,
    CATALOGUE,
    SYMBOLS,
    UNFILLED_ORDERS,
    Endpoint,
)
from bitget_async.errors import OutcomeUnknown
from bitget_async.models import BookUpdate
from bitget_async.stream.book import LocalBook
from bitget_async.stream.protocol import MOST_BYTES as LONGEST_FRAME
from bitget_async.stream.protocol import SMALL as UNCOUNTED
from bitget_async.stream.protocol import Push, read_frame
from bitget_async.stream.rows import records_of
from bitget_async.wire import Answer, Reply, decode
from tests.security.hostile import HOSTILE, HOSTILE_FRAMES
from tests.security.measure import MOST_BYTES, MOST_MS, cpu_ms, peak_bytes
from tests.security.parsers import TARGETS, feed, judge

Count = Callable[[int], None]

EXAMPLES = 120

WORDS = st.sampled_from(
    [
        "00000",
        "40034",
        "",
        "NaN",
        "1e999999999",
        "-0",
        "9" * 40,
        "live",
        "\ud83d",
        "\u202e",
        "a\r\nb",
        "true",
        "{",
        "[[",
    ]
)
LEAVES: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | WORDS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=10
)


def wire_names(row: Endpoint) -> list[str]:
    """Names that an answer of that row may have, and some of others'."""
    return ["orderId", "symbol", "size", "cTime", "status", "data", "successList", "feeDetail", "msg", row.short]


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Row number, status, and a body that looks like an envelope, cut or not."""
    number = draw(st.integers(0, len(CATALOGUE) - 1))
    rows = st.dictionaries(st.sampled_from(wire_names(CATALOGUE[number])), VALUES, max_size=5)
    body = {
        "code": draw(st.sampled_from(["00000", "00000", "40034", "45001", 0, None])),
        "msg": draw(LEAVES),
        "requestTime": draw(st.integers(0, 2**70) | LEAVES),
        "data": draw(rows | st.lists(rows, max_size=3) | VALUES),
    }
    text = json.dumps(body).encode()
    return number.to_bytes(2, "big") + bytes([draw(st.integers(0, 10))]) + text[: draw(st.integers(0, 400)) or None]


FRAME_NAMES = st.sampled_from(
    ["event", "arg", "code", "msg", "action", "data", "ts", "id", "channel", "instId", "params"]
)
ROW_NAMES = st.sampled_from(
    [
        "instId",
        "orderId",
        "size",
        "newSize",
        "status",
        "cTime",
        "feeDetail",
        "asks",
        "bids",
        "checksum",
        "seq",
        "pseq",
        "-",
    ]
)
EVENTS = st.sampled_from(["subscribe", "unsubscribe", "login", "error", "trade"])
ARGUMENTS = st.fixed_dictionaries(
    {"channel": st.sampled_from(["orders", "books", "ticker", "candle1m"])},
    optional={"instId": st.just("default") | WORDS, "coin": WORDS, "id": LEAVES, "params": VALUES},
)
SIDES = st.lists(st.lists(st.sampled_from(["1", "1.5", "2.00", "0", "0.0", "x", "1e9", ""]), max_size=3), max_size=4)


@st.composite
def pushed(draw: st.DrawFn) -> bytes:
    """Rows as a push could have them."""
    row = st.dictionaries(ROW_NAMES, VALUES | SIDES, max_size=5) | st.lists(LEAVES, max_size=9) | VALUES
    return bytes([draw(st.integers(0, 9))]) + json.dumps(draw(st.lists(row, max_size=3) | VALUES)).encode()


@st.composite
def framed(draw: st.DrawFn) -> bytes:
    """Frames that look like one, cut or not."""
    body = draw(st.dictionaries(FRAME_NAMES, VALUES, max_size=4))
    body |= draw(
        st.fixed_dictionaries({}, optional={"event": EVENTS, "arg": ARGUMENTS | st.lists(ARGUMENTS, max_size=2)})
    )
    text = json.dumps(body).encode()
    return text[: draw(st.integers(0, 300)) or None]


NUMBERS = st.integers() | st.floats() | LEAVES
BEATS = st.fixed_dictionaries(
    {"v": st.just(1), "name": st.sampled_from(["bot", "a b", 7]), "session": st.sampled_from(["ab" * 16, "x"])},
    optional={
        "n": NUMBERS,
        "every_s": NUMBERS,
        "goodbye": LEAVES,
        "word": LEAVES | st.just("armed"),
        "after_s": NUMBERS,
    },
)
KEPT = st.fixed_dictionaries(
    {"standing": st.sampled_from(["awaited", "armed", "gone", "x"]), "session": LEAVES, "number": NUMBERS},
    optional={"every_s": NUMBERS, "silent_s": NUMBERS, "old": VALUES | st.lists(LEAVES, max_size=3), "names": VALUES},
)


INPUTS: dict[str, st.SearchStrategy[bytes]] = {
    "an_answer": answers() | st.binary(max_size=200),
    "a_key": st.lists(st.text(max_size=30), max_size=4).map(lambda parts: "\x1f".join(parts).encode()),
    "a_key_file": st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()),
    "a_heartbeat": BEATS.map(json.dumps).map(str.encode) | st.binary(max_size=200),
    "a_guards_state": (KEPT | VALUES).map(json.dumps).map(str.encode) | st.binary(max_size=200),
    "a_frame": framed() | st.binary(max_size=200),
    "a_push": pushed() | st.binary(max_size=100),
    "an_address": st.text("htps:/.@#?[]%0123456789localhost\x00\u202e", max_size=40).map(str.encode),
}


@pytest.mark.failure(16, 18)
@pytest.mark.parametrize("name", sorted(TARGETS))
def test_nothing_but_our_errors_comes_out_of_a_parser(name: str, count_cases: Count) -> None:
    """A parser that raises anything else ends a watcher, or the desk's loop."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        INPUTS.get(
            name, st.binary(max_size=300) | st.text(max_size=120).map(lambda text: text.encode("utf-8", "replace"))
        )
    )
    def run(data: bytes) -> None:
        feed(TARGETS[name], data)

    run()
    count_cases(EXAMPLES)


# A page of the account's, one of the market's, an acknowledgement, and a list of 16 MB at most.
READ_BY = [UNFILLED_ORDERS, CANDLES, BATCH_ORDERS, SYMBOLS]


def read(row: Endpoint, body: bytes, status: int = 200) -> Answer[Any]:
    """That body as an answer."""
    return decode(row, Reply(status, body, None, 0, 1))


@pytest.mark.failure(18, 20)
@pytest.mark.parametrize("row", READ_BY, ids=lambda row: row.name)
def test_the_longest_hostile_answers_cost_little(row: Endpoint, count_cases: Count) -> None:
    """50 ms and 8 MB each: a record of 250 bytes can be made of three, and there is room for 350 000 of them."""
    for name, make in HOSTILE.items():
        again = partial(read, row, make(row))
        judge(again())
        assert cpu_ms(again) <= MOST_MS, name
        if row is not CANDLES:
            assert peak_bytes(again) <= MOST_BYTES, name
    count_cases(len(HOSTILE))


@pytest.mark.failure(18)
@pytest.mark.parametrize("name", ["records of three bytes", "rows of null", "rows of short lists"])
def test_an_answer_with_more_parts_than_a_page_is_none(name: str) -> None:
    """It is not read at all: neither as an empty page nor as an acknowledgement."""
    error = read(UNFILLED_ORDERS, HOSTILE[name](UNFILLED_ORDERS)).error
    assert isinstance(error, OutcomeUnknown)
    assert (error.reason, error.message) == ("unreadable", "it has more parts than any page")


@pytest.mark.failure(18, 46)
@pytest.mark.parametrize(("rows", "readable"), [(1_000, True), (1_001, False)])
def test_many_rows_with_a_bad_field_are_read_and_too_many_are_no_answer(rows: int, readable: bool) -> None:
    """Should the exchange change a field, its longest page is still read; what is longer is not its page."""
    row = b'{"orderId":"7","size":[]}'
    answer = read(UNFILLED_ORDERS, b'{"code":"00000","data":[' + b",".join([row] * rows) + b"]}")
    if readable:
        assert answer.value is not None
        assert [each.unreadable for each in answer.value] == [("size",)] * rows
    else:
        assert isinstance(answer.error, OutcomeUnknown)


@pytest.mark.failure(18)
@pytest.mark.parametrize("depth", [1_000, 30_000, 100_000])
@pytest.mark.parametrize("piece", [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
@pytest.mark.parametrize("row", [CANCEL_SYMBOL_ORDER, UNFILLED_ORDERS], ids=lambda row: row.name)
def test_any_depth_of_nesting_is_an_unknown_outcome(row: Endpoint, piece: tuple[bytes, bytes], depth: int) -> None:
    """For a command that is MAYBE; a RecursionError would end the task that has to find out."""
    opened, closed = piece
    whole = b'{"code":"00000","data":' + opened * depth + b"1" + closed * depth + b"}"
    for body in (whole, opened * depth, whole[: depth // 2]):
        answer = read(row, body)
        judge(answer)
        if answer.error is None:
            assert answer.value is not None
            # An acknowledgement stands on its code alone; its data was not believed.
            assert answer.value.unreadable == ("data",)
        else:
            assert isinstance(answer.error, OutcomeUnknown)


@pytest.mark.failure(18)
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999999999", '"NaN"', '"Infinity"', '"sNaN"'])
def test_no_amount_is_ever_infinite_or_no_number(number: str) -> None:
    """Bare ones are no JSON, quoted ones no amounts: named as unreadable, never a value to reckon with."""
    answer = read(UNFILLED_ORDERS, b'{"code":"00000","data":[{"orderId":"1","size":%s}]}' % number.encode())
    if answer.value is None:
        assert isinstance(answer.error, OutcomeUnknown)
    else:
        (order,) = answer.value
        assert order.size is None
        assert order.unreadable == ("size",)


def taken(frame: bytes) -> None:
    """What a line and a book do with a frame."""
    read, book = read_frame(frame), LocalBook("BTCUSDT")
    if isinstance(read, Push):
        for record in records_of(read):
            if isinstance(record, BookUpdate):
                _ = book.apply(record)


@pytest.mark.failure(18, 20)
@pytest.mark.parametrize("channel", ["orders", "candle1m", "books"])
def test_the_longest_hostile_frames_cost_little(channel: str, count_cases: Count) -> None:
    """50 ms and 8 MB each, read, made into records and put onto a book: the longest, and the longest not counted."""
    for name, make in HOSTILE_FRAMES.items():
        for length in (UNCOUNTED, LONGEST_FRAME):
            frame = make(channel, length)
            assert cpu_ms(partial(taken, frame)) <= MOST_MS, (name, length)
            if isinstance(read_frame(frame), Push):
                assert peak_bytes(partial(taken, frame)) <= MOST_BYTES, (name, length)
    count_cases(2 * len(HOSTILE_FRAMES))
