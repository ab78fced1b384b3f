"""The log: what events write, at which level, and with which fields."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from bitget_async import (
    BitgetClient,
    BucketTightened,
    ClockSynchronised,
    Event,
    FateKnown,
    ForeignUse,
    HandleChanged,
    InsufficientFunds,
    RequestEnded,
    RequestEvent,
    RequestStarted,
    StreamChanged,
    TokenMissed,
    TokenTaken,
)
from bitget_async.events import Events
from bitget_async.events.log import ROOT, EventLog
from bitget_async.sim import SimulatedExchange, faults
from tests.conftest import with_exchange

BTC = "BTCUSDT"
STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

ONE_OF_EACH: list[Event] = [
    TokenTaken(at_ns=1, request=1, copy=1, endpoint="time", waited_s=0.0),
    TokenMissed(at_ns=1, request=1, copy=1, endpoint="time", waited_s=0.0, reason="rate_limit", expected_wait_s=1.01),
    TokenMissed(at_ns=1, request=1, copy=1, endpoint="time", waited_s=0.5, reason="cancelled"),
    RequestStarted(at_ns=1, request=1, copy=1, endpoint="time", method="GET", path="/api/v2/public/time"),
    RequestEnded(at_ns=1, request=1, copy=2, endpoint="time", method="GET", path="/x", certainty="unknown", reason="x"),
    BucketTightened(at_ns=1, endpoint="place-order", quota=10, refusals=1),
    ForeignUse(at_ns=1, endpoint="place-order", cause="refused"),
    ForeignUse(at_ns=1, endpoint="cancel-order", cause="remaining", tokens=3),
    ClockSynchronised(at_ns=1, offset_ms=-5, uncertainty_ms=20, cause="first"),
    HandleChanged(at_ns=1, call=1, kind="placement", command="place-order", symbol=BTC, state="begun", orders=1),
    FateKnown(at_ns=1, call=1, order_id="", client_oid="a", symbol=BTC, fate="not_placed", source="client"),
    StreamChanged(at_ns=1, stream="public stream 1", state="live", topics=1),
]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What a program that configures logging in one line would see."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger(ROOT)
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


def at(level: int) -> None:
    """As a program would say it."""
    logging.getLogger(ROOT).setLevel(level)


def cancelling() -> None:
    """One story: three orders of another day, a cancellation of them, and one that is refused."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest(BTC, 3, age_s=60)
        _ = await (await client.cancel_symbol_orders(BTC))
        exchange.faults.add("place-order", faults.envelope("43012"))
        with pytest.raises(InsufficientFunds):
            _ = await client.place_order(BTC, "buy", "limit", size="0.01", price="10000", force="gtc")
        exchange.faults.add("cancel-symbol-order", faults.never_executed())
        _ = exchange.rest(BTC, 1, age_s=60)
        _ = await (await client.cancel_symbol_orders(BTC)).settled()

    with_exchange(main)


def numbered(text: str) -> list[str]:
    """The lines with handles counted from 1 and without names of orders."""
    found: dict[str, str] = {}
    made = []
    for line in text.splitlines():
        words = line.split()
        for place, word in enumerate(words):
            if place and words[place - 1] == "call":
                words[place] = found.setdefault(word, f"{len(found) + 1}:")
            elif word.isdigit() and len(word) > 12:
                words[place] = "ID"
        made.append(" ".join(words))
    return made


def test_info_says_what_became_of_each_command(lines: io.StringIO) -> None:
    """One line each, with the outcome; what a desk wants to find in the morning."""
    at(logging.INFO)
    cancelling()
    assert numbered(lines.getvalue()) == [
        "INFO bitget_async.clock: the exchange's clock: +0 ms to this machine's, to within 22 ms (first)",
        "INFO bitget_async.calls: call 1: cancel-symbol-order of BTCUSDT: CONFIRMED, 3 orders, after 2.04 s",
        "INFO bitget_async.calls: call 2: place-order of BTCUSDT: refused (43012), 1 order, after 0.04 s",
        "INFO bitget_async.calls: call 3: cancel-symbol-order of BTCUSDT: STILL_OPEN, 1 order, after 42.08 s",
    ]


def test_debug_says_every_request(lines: io.StringIO) -> None:
    """The first cancellation of the story, whole."""
    at(logging.DEBUG)
    cancelling()
    whole = [line for line in numbered(lines.getvalue()) if "bitget_async: " not in line]
    end = next(place for place, line in enumerate(whole) if "CONFIRMED" in line)
    request = "DEBUG bitget_async.requests: {}: accepted, HTTP 200, code 00000, 40.0 ms after 0.0 ms for a token"
    assert whole[: end + 1] == [
        "DEBUG bitget_async.calls: call 1: cancel-symbol-order of BTCUSDT: begun",
        "DEBUG bitget_async.calls: call 1: cancel-symbol-order of BTCUSDT: signed",
        "INFO bitget_async.clock: the exchange's clock: +0 ms to this machine's, to within 22 ms (first)",
        request.format("POST cancel-symbol-order"),
        "DEBUG bitget_async.calls: call 1: cancel-symbol-order of BTCUSDT: answered",
        request.format("GET unfilled-orders"),
        request.format("GET unfilled-orders"),
        "DEBUG bitget_async.calls: call 1: cancel-symbol-order of BTCUSDT: cleared",
        request.format("GET history-orders"),
        *["DEBUG bitget_async.calls: call 1: order ID of BTCUSDT: cancelled, says history-orders"] * 3,
        request.format("GET unfilled-orders"),
        "INFO bitget_async.calls: call 1: cancel-symbol-order of BTCUSDT: CONFIRMED, 3 orders, after 2.04 s",
    ]


def test_a_program_that_configures_nothing_hears_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Not even Python's last resort prints our warnings: the tree has a handler that writes nothing."""
    logging.getLogger(ROOT).setLevel(logging.NOTSET)
    assert any(isinstance(each, logging.NullHandler) for each in logging.getLogger(ROOT).handlers)
    hub = Events(EventLog())
    for event in ONE_OF_EACH:
        hub.emit(event)
    assert capsys.readouterr() == ("", "")


def test_at_warning_nothing_is_made_of_requests_and_handles() -> None:
    """The usual level of a program: what is rare and bad is written, and nothing else costs anything."""
    at(logging.WARNING)
    hub = Events(EventLog())
    wanted = {kind for kind in {type(each) for each in ONE_OF_EACH} | {RequestEvent} if hub.wants(kind)}
    assert wanted == {ForeignUse, StreamChanged}
    at(logging.INFO)
    assert hub.wants(HandleChanged)
    assert not hub.wants(RequestEvent)
    at(logging.DEBUG)
    assert hub.wants(RequestEvent)


def test_with_nobody_there_a_whole_story_makes_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Placements, cancellations and their reads: at WARNING, and with no listener, not one is built."""
    made: list[Event] = []
    monkeypatch.setattr(Events, "emit", lambda self, event: made.append(event))
    at(logging.WARNING)
    cancelling()
    assert made == []
    at(logging.DEBUG)
    cancelling()
    assert len(made) > 50


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_every_field_stands_in_the_record_under_its_own_name(event: Event, caplog: pytest.LogCaptureFixture) -> None:
    """`extra` fields for whoever writes JSON; none of them hides a field of the record itself."""
    assert not STANDARD & {"event", *event.__struct_fields__}
    log = EventLog()
    if not log.wants(type(event)):
        return
    with caplog.at_level(logging.DEBUG, logger=ROOT):
        log(event)
    (record,) = caplog.records
    assert record.name.startswith(f"{ROOT}.")
    extra = {name: value for name, value in vars(record).items() if name not in STANDARD and name != "taskName"}
    assert extra == {"event": type(event).__name__, **{name: getattr(event, name) for name in event.__struct_fields__}}
    assert json.loads(json.dumps(extra))["event"] == type(event).__name__


@pytest.mark.failure(58)
def test_foreign_use_is_a_warning_once_for_each_endpoint(caplog: pytest.LogCaptureFixture) -> None:
    """It can go on for hours: what is said a thousand times is not read."""
    log = EventLog()
    with caplog.at_level(logging.DEBUG, logger=ROOT):
        for _ in range(3):
            for endpoint in ("place-order", "cancel-order"):
                log(ForeignUse(at_ns=1, endpoint=endpoint, cause="refused"))
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2 + [logging.DEBUG] * 4
    assert "although the limit was kept" in caplog.records[0].getMessage()


@pytest.mark.parametrize(
    ("state", "level"),
    [
        ("connected", logging.DEBUG),
        ("closed", logging.DEBUG),
        ("live", logging.INFO),
        ("silent", logging.INFO),
        ("lost", logging.INFO),
        ("unreachable", logging.WARNING),
        ("refused", logging.WARNING),
    ],
)
def test_streams_are_as_loud_as_they_are_bad(state: str, level: int, caplog: pytest.LogCaptureFixture) -> None:
    """Up and down at INFO; what somebody has to look after is a warning."""
    with caplog.at_level(logging.DEBUG, logger=ROOT):
        EventLog()(StreamChanged(at_ns=1, stream="public stream 1", state=state, reason="why", topics=3))
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (level, f"public stream 1: {state} (why), 3 topics")


def test_a_level_may_change_while_the_client_runs(lines: io.StringIO) -> None:
    """At three in the morning nobody wants to restart a bot to see its requests."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        at(logging.WARNING)
        _ = await client.market.server_time()
        await asyncio.sleep(0.1)
        assert lines.getvalue() == ""
        at(logging.DEBUG)
        _ = await client.market.server_time()
        assert "GET time: accepted" in lines.getvalue()

    with_exchange(main)


def test_all_loggers_of_the_package_stand_in_one_tree() -> None:
    """One name is enough to silence, to hear or to send it elsewhere."""
    known: dict[str, Any] = logging.Logger.manager.loggerDict
    ours = [name for name in known if name.startswith("bitget")]
    assert all(name == ROOT or name.startswith(f"{ROOT}.") for name in ours)
    assert {f"{ROOT}.{each}" for each in ("requests", "calls", "limits", "clock", "stream", "events")} <= set(ours)


def test_what_the_exchange_sends_cannot_spoil_a_log(caplog: pytest.LogCaptureFixture) -> None:
    """Half a character cannot be encoded, and the end of a line would make two of one."""
    with caplog.at_level(logging.DEBUG, "bitget_async"):
        EventLog()(
            FateKnown(at_ns=1, call=1, order_id="1\n2", client_oid="", symbol="\ud800", fate="filled", source="x")
        )
    (record,) = caplog.records
    assert record.getMessage().encode()
    assert record.getMessage().isprintable()
    assert getattr(record, "symbol", "").encode()
