"""`bitget-async cancel`: what it shows, what it sends, and what it ends with."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from bitget_async import BitgetClient
from bitget_async.cli import main
from bitget_async.cli.boards import SilentBoard
from bitget_async.cli.cancel import Watch, _details
from bitget_async.cli.exits import Exit, worst
from bitget_async.clock import VirtualClock
from bitget_async.sim import SimulatedExchange, faults

COMMAND = "cancel-symbol-order"


def test_confirmed_ends_with_0(run: Callable[..., Any], exchange: SimulatedExchange) -> None:
    """The usual case, over real HTTP, as plain lines."""
    exchange.rest("BTCUSDT", 3)
    ran = run("BTCUSDT", "ETHUSDT", "BTCUSDT", "--yes")
    assert ran.code == 0
    assert "CONFIRMED: 3 cancelled, 0 filled" in ran.out
    assert "NOTHING_TO_CANCEL" in ran.out
    assert "Not touched: tpsl" in ran.out
    assert "Assumed: a listing is at most 2 s old" in ran.out
    assert ran.err == ""
    assert exchange.truth.count(COMMAND) == 2, "a symbol named twice is cancelled once"


def test_json_is_one_document(run: Callable[..., Any], exchange: SimulatedExchange) -> None:
    """For another program: nothing else on standard output."""
    exchange.rest("BTCUSDT", 2)
    ran = run("BTCUSDT", "NOPEUSDT", "--yes", "--json")
    told = json.loads(ran.out)
    assert ran.code == told["exit_code"] == Exit.REFUSED
    good, bad = told["symbols"]
    assert (good["state"], good["exit_code"], len(good["report"]["orders"])) == ("CONFIRMED", 0, 2)
    assert (bad["state"], bad["exit_code"], bad["report"]) == ("UnknownSymbol", 5, None)
    assert "40034" in bad["error"]


def test_dry_run_sends_no_command_and_lists_every_page(run: Callable[..., Any], exchange: SimulatedExchange) -> None:
    """More orders than a page holds, and not one of them touched."""
    ids = exchange.rest("BTCUSDT", 130)
    ran = run("BTCUSDT", "ETHUSDT", "--dry-run")
    assert ran.code == 0
    assert "BTCUSDT: 130 open orders:" in ran.out
    assert "ETHUSDT: 0 open orders" in ran.out
    assert all(order_id in ran.out for order_id in ids)
    assert {copy.method for copy in exchange.truth.wire} == {"GET"}
    told = json.loads(run("BTCUSDT", "--dry-run", "--json").out)
    assert [each["open"] for each in told["symbols"]] == [130]
    assert {copy.method for copy in exchange.truth.wire} == {"GET"}


def test_a_yes_at_the_prompt_goes_on(
    run: Callable[..., Any], exchange: SimulatedExchange, at_the_keyboard: Callable[[str], None]
) -> None:
    """The question says how many orders of which symbol."""
    exchange.rest("BTCUSDT", 3)
    at_the_keyboard("Yes\n")
    ran = run("BTCUSDT")
    assert ran.code == 0
    assert "BTCUSDT: 3 open orders" in ran.err
    assert "cannot be undone" in ran.err


@pytest.mark.parametrize("typed", ["no\n", "\n", "", "yess\n"])
def test_anything_else_at_the_prompt_sends_nothing(
    typed: str, run: Callable[..., Any], exchange: SimulatedExchange, at_the_keyboard: Callable[[str], None]
) -> None:
    """End of input is no yes either."""
    exchange.rest("BTCUSDT", 1)
    at_the_keyboard(typed)
    ran = run("BTCUSDT")
    assert ran.code == Exit.NOT_SENT
    assert "Nothing was sent." in ran.err
    assert exchange.truth.count(COMMAND) == 0


def test_a_listing_that_fails_does_not_stop_the_question(
    run: Callable[..., Any], exchange: SimulatedExchange, at_the_keyboard: Callable[[str], None]
) -> None:
    """In an emergency the reads may be what is broken; the number is then called unknown."""
    exchange.rest("BTCUSDT", 1)
    exchange.faults.add("unfilled-orders", faults.page(502, executed=False), times=4)
    at_the_keyboard("no\n")
    ran = run("BTCUSDT")
    assert "an unknown number of open orders (they could not be listed: outcome unknown" in ran.err
    assert ran.code == Exit.NOT_SENT


def test_nobody_to_ask_is_a_usage_error_before_any_request(
    run: Callable[..., Any], exchange: SimulatedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job without a terminal must say --yes."""
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    ran = run("BTCUSDT")
    assert ran.code == Exit.USAGE
    assert "--yes" in ran.err
    assert exchange.truth.count() == 0


@pytest.mark.parametrize("symbol", ["btcusdt", "BTC/USDT", "", "BTC USDT", "A" * 5000, "BTC\r\nUSDT"])
def test_a_bad_symbol_stops_the_good_ones_too(
    symbol: str, run: Callable[..., Any], exchange: SimulatedExchange
) -> None:
    """Half a command because of a typing error helps nobody."""
    ran = run("BTCUSDT", symbol, "--yes")
    assert ran.code == Exit.USAGE
    assert ran.err.count("\n") == 1
    assert len(ran.err) < 1000
    assert exchange.truth.count() == 0


def test_missing_key_names_the_variables_and_a_remedy(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thing that a stranger will meet."""
    monkeypatch.delenv("BITGET_API_SECRET")
    ran = run("BTCUSDT", "--yes")
    assert ran.code == Exit.USAGE
    assert "BITGET_API_SECRET" in ran.err
    assert "bitget-async demo" in ran.err


def test_a_wrong_key_is_refused_in_one_line(
    run: Callable[..., Any], exchange: SimulatedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback, and the wrong secret is as secret as the right one."""
    monkeypatch.setenv("BITGET_API_SECRET", "not-the-secret")
    ran = run("BTCUSDT", "--yes")
    assert ran.code == Exit.REFUSED
    assert "Check BITGET_API_KEY" in ran.err
    assert "Traceback" not in ran.out + ran.err
    assert "not-the-secret" not in ran.out + ran.err
    assert exchange.truth.count(COMMAND) == 1


def test_a_refused_listing_ends_before_the_question(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, at_the_keyboard: Callable[[str], None]
) -> None:
    """Nobody is asked about a key that does not work."""
    monkeypatch.setenv("BITGET_API_PASSPHRASE", "wrong")
    at_the_keyboard("yes\n")
    ran = run("BTCUSDT")
    assert ran.code == Exit.REFUSED
    assert "cannot be undone" not in ran.err


def test_plain_http_elsewhere_is_a_usage_error(key: None, capsys: pytest.CaptureFixture[str]) -> None:
    """The passphrase would travel in clear."""
    assert main(["cancel", "BTCUSDT", "--yes", "--base-url", "http://exchange.invalid"]) == Exit.USAGE
    assert "http://" in capsys.readouterr().err


def watched(virtual: Callable[..., Any], prepare: Callable[[SimulatedExchange], object], **options: Any) -> Watch:
    """Cancel BTCUSDT and ETHUSDT in virtual time, after `prepare`."""
    watch = Watch(["BTCUSDT", "ETHUSDT"], **({"ensure": False, "confirm_within_s": 60.0} | options))

    async def go() -> None:
        clock = VirtualClock()
        async with SimulatedExchange(seed=1, clock=clock) as exchange:
            prepare(exchange)
            client = BitgetClient(exchange.credentials(), base_url=exchange.base_url, clock=clock, rng=random.Random(1))
            await watch.run(client, SilentBoard(), clock)

    virtual(go)
    return watch


def spared(exchange: SimulatedExchange) -> None:
    """One order of BTCUSDT survives its command."""
    survivor, *_ = exchange.rest("BTCUSDT", 3)
    exchange.faults.add(COMMAND, faults.executed_in_part((survivor,)), where=lambda copy: b"BTCUSDT" in copy.body)


def test_still_open_ends_with_3_and_names_the_order(virtual: Callable[..., Any]) -> None:
    """Proven open after 42 s: the remedy is --ensure."""
    watch = watched(virtual, spared)
    assert [track.exit for track in watch.tracks] == [Exit.STILL_OPEN, Exit.OK]
    text = "\n".join(_details(watch.tracks[0]))
    assert "--ensure" in text
    report = watch.tracks[0].report
    assert report is not None
    assert report.still_open[0].order.order_id in text


def test_ensure_ends_with_0(virtual: Callable[..., Any]) -> None:
    """The same survivor, cancelled by id."""
    watch = watched(virtual, spared, ensure=True)
    assert [track.exit for track in watch.tracks] == [Exit.OK, Exit.OK]
    assert watch.tracks[0].note() == "rest by id"


def test_unknown_ends_with_4_and_says_why(virtual: Callable[..., Any]) -> None:
    """Too little time to prove anything."""
    watch = watched(virtual, spared, confirm_within_s=5.0)
    assert watch.tracks[0].exit is Exit.UNKNOWN
    assert any("unknown (deadline)" in line for line in _details(watch.tracks[0]))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((), Exit.OK),
        ((Exit.OK, Exit.NOT_SENT), Exit.NOT_SENT),
        ((Exit.NOT_SENT, Exit.REFUSED, Exit.OK), Exit.REFUSED),
        ((Exit.REFUSED, Exit.STILL_OPEN), Exit.STILL_OPEN),
        ((Exit.STILL_OPEN, Exit.UNKNOWN, Exit.REFUSED, Exit.NOT_SENT), Exit.UNKNOWN),
        ((Exit.UNKNOWN, Exit.WRONG), Exit.WRONG),
    ],
)
def test_the_worst_symbol_decides(codes: tuple[Exit, ...], expected: Exit) -> None:
    """In the order that --help and the quickstart give."""
    assert worst(codes) is expected
