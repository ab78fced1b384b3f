"""`bitget-async demo`: it checks its claims, and finds a wrong one."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bitget_async import Fate, Scope
from bitget_async.cli import main
from bitget_async.cli.boards import SilentBoard
from bitget_async.cli.claims import check_claims
from bitget_async.cli.demo import Result, play
from bitget_async.cli.exits import Exit
from bitget_async.cli.scenario import plan
from bitget_async.clock import VirtualClock
from bitget_async.sim import SimulatedExchange

DEMO = importlib.import_module("bitget_async.cli.demo")


def played(virtual: Callable[..., Any], seed: int, symbols: int) -> Result:
    """A demo in virtual time."""
    result: Result = virtual(lambda: play(seed, symbols, SilentBoard(), VirtualClock()))
    return result


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_claim_holds_for_any_seed(seed: int, virtual: Callable[..., Any]) -> None:
    """All roles at once: fills, a lost answer, a survivor, late orders, nothing to cancel."""
    result = played(virtual, seed, 12)
    assert [claim.wrong for claim in result.claims] == [[]] * len(result.claims)
    assert all(claim.checked for claim in result.claims)
    assert result.exit is Exit.OK
    assert result.elapsed_s < 15
    told = {each["symbol"]: each for each in result.to_dict()["symbols"]}
    roles = {part.role: told[part.symbol] for part in plan(seed, 12)}
    assert not roles["lost"]["acknowledged"]
    assert roles["lost"]["outcome"] == "confirmed"
    assert roles["survivor"]["requests"]["batch-cancel-order"] == 1
    assert roles["late"]["late"] == 2
    # More than a page of the open listing, and of the history.
    assert roles["big"]["cancelled"] + roles["big"]["filled"] == 130
    assert roles["nothing"]["outcome"] == "nothing_to_cancel"
    assert sum(each["filled"] for each in told.values()) > 0
    assert result.worst_second <= 5


def test_a_run_over_real_http_prints_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """`bitget-async demo --json`, as another program would call it."""
    assert main(["demo", "--json", "--symbols", "4", "--seed", "3"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert len(told["symbols"]) == 4
    assert all(claim["held"] and not claim["wrong"] for claim in told["claims"])
    assert told["exchange"]["answers_429"] == 0


def test_plain_lines_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """What a log gets: the explanation, the events in order, the summary."""
    assert main(["demo", "--symbols", "1"]) == 0
    out = capsys.readouterr().out
    assert "answers a cancel at once and acts later" in out
    moments = [out.index(text) for text in ("taken by the exchange", "BTCUSDT    CONFIRMED: ", "simulator's truth:")]
    assert moments == sorted(moments)
    assert "\x1b" not in out
    assert "WRONG" not in out


def broken_status(exchange: SimulatedExchange) -> None:
    """An order that was reported cancelled has filled in truth."""
    order = next(each for each in exchange.truth.orders.values() if each.status == "cancelled")
    order.marks[-1] = order.marks[-1]._replace(status="filled")


def broken_amount(exchange: SimulatedExchange) -> None:
    """A reported order has another filled amount in truth."""
    order = next(each for each in exchange.truth.orders.values() if each.status == "cancelled")
    order.marks[-1] = order.marks[-1]._replace(filled=Decimal("0.00001"))


def broken_open(exchange: SimulatedExchange) -> None:
    """An order is still open in truth."""
    order = next(each for each in exchange.truth.orders.values() if each.status == "cancelled")
    order.marks[-1] = order.marks[-1]._replace(status="live")


def broken_stranger(exchange: SimulatedExchange) -> None:
    """Another user's order was taken."""
    order = next(each for each in exchange.truth.orders.values() if each.uid != exchange.account.uid)
    order.marks[-1] = order.marks[-1]._replace(status="cancelled")


@pytest.mark.parametrize("breaks", [broken_status, broken_amount, broken_open, broken_stranger])
def test_a_wrong_claim_is_found_and_ends_with_1(
    breaks: Callable[[SimulatedExchange], None], virtual: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that cannot fail would be worth nothing."""

    def check(exchange: SimulatedExchange, *args: Any, **kwargs: Any) -> Any:
        breaks(exchange)
        return check_claims(exchange, *args, **kwargs)

    monkeypatch.setattr(DEMO, "check_claims", check)
    result = played(virtual, 1, 2)
    assert result.exit is Exit.WRONG
    assert result.to_dict()["ok"] is False


def test_a_report_that_says_too_much_or_too_little_is_found(virtual: Callable[..., Any]) -> None:
    """Lies of the client instead of the truth: an order left out, a late one claimed, one sent more than reported."""
    found: list[list[str]] = []

    def check(exchange: SimulatedExchange, reports: Any, *, late: Any, others: Any) -> Any:
        lists = list(late), list(others)

        def wrong(changed: Any) -> list[str]:
            claims = check_claims(exchange, changed, late=lists[0], others=lists[1])
            return [claim.text.split(" ", 3)[2] for claim in claims if not claim.held]

        first, *rest = reports
        fewer = msgspec.structs.replace(first, orders=first.orders[1:])
        again = msgspec.structs.replace(first, attempts=2)
        with_late = next(each for each in reports if each.late)
        claimed = tuple(
            msgspec.structs.replace(each, scope=Scope.IN) if each.fate is Fate.OPEN else each
            for each in with_late.orders
        )
        greedy = msgspec.structs.replace(with_late, orders=claimed)
        found.append(wrong([fewer, *rest]))
        found.append(wrong([again, *rest]))
        found.append(wrong([greedy if each is with_late else each for each in reports]))
        return check_claims(exchange, reports, late=lists[0], others=lists[1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DEMO, "check_claims", check)
        assert played(virtual, 1, 5).exit is Exit.OK
    assert [bool(each) for each in found] == [True, True, True]


def test_the_plan_depends_on_the_seed_alone() -> None:
    """What one person saw, another can see again."""
    assert plan(5, 12) == plan(5, 12)
    assert plan(5, 12) != plan(6, 12)
    assert [part.symbol for part in plan(5, 3)] == [part.symbol for part in plan(5, 12)[:3]]


def test_a_result_without_proof_is_no_success(virtual: Callable[..., Any]) -> None:
    """No wrong claim, but a symbol that is unknown: still not 0."""
    result = played(virtual, 1, 1)
    track = dataclasses.replace(result.tracks[0], report=None)
    assert dataclasses.replace(result, tracks=[track]).exit is Exit.UNKNOWN
