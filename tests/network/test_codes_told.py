"""
Every code that the exchange documents, and codes that nobody knows, told to a command that was executed or was not:
refused only where the code proves it, in doubt otherwise, and what doubt comes to is judged by the truth.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bitget_async import BitgetClient, ClockSkewed, NotSent, RateLimited, Refused
from bitget_async.clock import VirtualClock
from bitget_async.codes import classify, known
from bitget_async.commands import CLAIMS
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER, PLACE_ORDER, UNFILLED_ORDERS
from bitget_async.errors import BitgetError, OutcomeUnknown
from bitget_async.sim import Settings, SimulatedExchange, faults
from bitget_async.wire import Reply, decode
from tests.conftest import client_of, run_virtual

TABLES: dict[str, Any] = json.loads((Path(__file__).parent.parent / "fixtures" / "error_codes.json").read_text())
NATIVE = {code: int(entry["http"]) for code, entry in TABLES["rest_mar2025_with_http"].items() if entry.get("http")}
LISTED = sorted({code for name, table in TABLES.items() if name != "_meta" for code in table} - {"00000"})
CANCEL, PLACE = "cancel-symbol-order", "place-order"
CALLS = (CANCEL, PLACE)
# Enough for a proof that a command was executed; what was not executed stays open or unknown.
SHORT_S, LONG_S = 5.0, 60.0


class Case(NamedTuple):
    """One code told to one command."""

    call: str
    code: str
    status: int
    executed: bool
    confirm_within_s: float = SHORT_S


def proves(code: str) -> bool:
    """Whether the code proves that the command was not executed, and is not a claim about the order itself."""
    verdict = classify(code)
    return verdict.definitive and not issubclass(verdict.error, CLAIMS)


def told(cases: Iterable[Case], *, debug: bool = False) -> int:
    """Every case against one exchange, one after the other, each judged. Returns how many."""
    listed = list(cases)
    problems: list[str] = []

    async def main() -> None:
        calm = Settings(listing_lag_s=0.0, history_lag_s=0.1, sweep_delay_s=0.1)
        async with SimulatedExchange(3, clock=VirtualClock(), settings=calm) as exchange, client_of(exchange) as client:
            for case in listed:
                (resting,) = exchange.rest("BTCUSDT", 1, age_s=60)
                exchange.faults.add(
                    case.call, faults.envelope(case.code, status=case.status, executed=case.executed), times=None
                )
                try:
                    await _judged(exchange, client, case, resting)
                except Exception as error:
                    problems.append(f"{case}: {type(error).__name__}: {error}")
                exchange.faults.clear()
                for order_id in exchange.truth.open_ids(exchange.account.uid):
                    exchange.cancel(order_id)

    run_virtual(main, debug=debug)
    assert not problems, "\n".join([f"{len(problems)} of {len(listed)}:", *problems[:40]])
    return len(listed)


async def _judged(exchange: SimulatedExchange, client: BitgetClient, case: Case, resting: str) -> None:
    before, began = len(exchange.truth.wire), exchange.server_ms
    word = await _word(client, case)
    copies = [each for each in exchange.truth.wire[before:] if each.endpoint == case.call]
    placed = any(each.time_ms >= began for each in exchange.truth.placements)
    is_open = resting in exchange.truth.open_ids(exchange.account.uid)
    done = placed if case.call == PLACE else not is_open
    assert done is case.executed, "the judge's own affair"
    if isinstance(word, BitgetError):
        verdict = classify(case.code)
        assert type(word) is verdict.error
        assert proves(case.code), f"told as a refusal: {word!r}"
        assert not case.executed, "a refusal of what was executed"
        # A clock that is off is set once; "too many requests" passes.
        most = (
            2 if isinstance(word, ClockSkewed) else 15 if (isinstance(word, RateLimited) and case.code == "429") else 1
        )
        assert 1 <= len(copies) <= most
        assert (len(copies) > 1) is (most > 1)
        return
    assert not proves(case.code), word
    assert len(copies) == 1
    if case.executed:
        assert word == ("PLACED" if case.call == PLACE else "CONFIRMED")
    elif case.confirm_within_s == LONG_S:
        assert word == ("NOT_PLACED" if case.call == PLACE else "STILL_OPEN")
    else:
        assert word == "UNKNOWN"


async def _word(client: BitgetClient, case: Case) -> str | BitgetError:
    """The outcome, or the error that the call raised."""
    within: dict[str, Any] = {"confirm_within_s": case.confirm_within_s}
    try:
        if case.call == CANCEL:
            return (await (await client.cancel_symbol_orders("BTCUSDT", **within)).settled()).outcome.name
        order: dict[str, Any] = {"size": Decimal("0.001"), "price": 60_000, "check": False, "fence": False}
        return (await (await client.place_order("BTCUSDT", "buy", "limit", **order, **within)).settled()).outcome.name
    except (Refused, NotSent, OutcomeUnknown) as error:
        return error


def crossed(codes: str, statuses: tuple[int, ...]) -> list[Case]:
    """Those codes with those statuses, told to both commands; what does not prove anything after an execution too."""
    return [
        Case(call, code, status, executed, LONG_S)
        for code, status, call, executed in itertools.product(codes.split(), statuses, CALLS, (False, True))
        if not (executed and proves(code))
    ]


KEY = "40001 40002 40003 40006 40009 40011 40012 40037 40014 40018 40013 40031 40016"
NAMED = [
    pytest.param(KEY, (200, 400, 401, 403), id="key", marks=pytest.mark.failure(25)),
    pytest.param("40085", (200, 400, 403), id="account mode", marks=pytest.mark.failure(26)),
    pytest.param("40034 42016 40309 41113", (200, 400), id="symbol", marks=pytest.mark.failure(27)),
    pytest.param("22001 43004 43001 25204 31054", (200, 400), id="claims", marks=pytest.mark.failure(28)),
    pytest.param(
        "40200 41114 43115 25102 45001 40725 40808 40015", (200, 400, 503), id="release", marks=pytest.mark.failure(29)
    ),
    pytest.param("40910 40010 25001 50008 40908 25003", (200, 400, 504), id="timeouts", marks=pytest.mark.failure(30)),
]


@pytest.mark.parametrize(("codes", "statuses"), NAMED)
def test_the_named_codes_mean_what_the_model_says(
    codes: str, statuses: tuple[int, ...], count_cases: Callable[[int], None]
) -> None:
    """Whatever HTTP status they come with, to both commands, and to the end of what can be known."""
    count_cases(told(crossed(codes, statuses)))


def test_the_named_codes_are_sorted_as_the_model_says() -> None:
    """What proves nothing must not be looked up in the table under test."""
    proven = [code for each in NAMED[:3] for code in str(each.values[0]).split()]
    open_ = [code for each in NAMED[3:] for code in str(each.values[0]).split()]
    assert [code for code in proven if not proves(code)] == []
    assert [code for code in open_ if proves(code)] == []


@pytest.mark.failure(25, 29, 30)
@pytest.mark.parametrize("part", range(4))
def test_every_documented_code_is_told_by_the_table_and_never_against_the_truth(
    part: int, count_cases: Callable[[int], None]
) -> None:
    """One status or its own, turn about, to one command or the other; in doubt also after an execution."""
    cases = []
    for number, code in enumerate(LISTED[part::4]):
        status = NATIVE.get(code, 400) if number % 2 else 200
        for executed in (False,) if proves(code) else (False, True):
            cases.append(Case(CALLS[(number // 2 + executed) % 2], code, status, executed))
    count_cases(told(cases))


@pytest.mark.failure(25, 27, 29, 30)
def test_every_documented_code_means_the_same_with_any_status_and_call(count_cases: Callable[[int], None]) -> None:
    """On the bytes: an envelope's status is the network's; a read and two commands; 200 and its own and others."""
    cases = 0
    for code, row in itertools.product(LISTED, (CANCEL_SYMBOL_ORDER, PLACE_ORDER, UNFILLED_ORDERS)):
        body = json.dumps({"code": code, "msg": "x", "requestTime": 1_747_574_763_291, "data": None}).encode()
        for status in {200, NATIVE.get(code, 400), 400, 401, 403, 429, 500}:
            error = decode(row, Reply(status, body, None, 1, 2)).error
            verdict = classify(code)
            # A read changes nothing: the exchange's no is a no.
            plain = verdict.definitive or row is UNFILLED_ORDERS
            assert type(error) is (verdict.error if plain else OutcomeUnknown), (code, status, row.name)
            cases += 1
    count_cases(cases)


def unknown_codes(amount: int) -> list[str]:
    """Codes of every length that no table has, and some that are hardly codes."""
    dice = random.Random(31)
    made = {"", "4000", "400011", "0", "-1", "null", "ok", "SUCCESS", "４０００１"}
    while len(made) < amount:
        code = "".join(dice.choices("0123456789", k=dice.randint(1, 8)))
        if not known(code) and code not in LISTED and code != "00000":
            made.add(code)
    return sorted(made)


@pytest.mark.failure(31)
@pytest.mark.parametrize("part", range(2))
def test_a_code_that_nobody_knows_proves_nothing(part: int, count_cases: Callable[[int], None]) -> None:
    """Two hundred of them, with any status: never a refusal, whether the command was executed or not."""
    statuses = (200, 400, 401, 403, 404, 429, 500)
    cases = [
        Case(call, code, statuses[number % 7], executed)
        for number, code in enumerate(unknown_codes(200)[part::2])
        for call, executed in zip(CALLS, (bool(number % 2), not number % 2), strict=True)
    ]
    count_cases(told(cases))


@pytest.mark.failure(28)
def test_a_claim_that_nothing_was_open_is_verified(count_cases: Callable[[int], None]) -> None:
    """True, it ends as nothing to cancel; false, the order that is there is named."""

    async def main(code: str, orders: int) -> str:
        settings = Settings(nothing_open_code=code, listing_lag_s=0.0, history_lag_s=0.1)
        async with SimulatedExchange(4, clock=VirtualClock(), settings=settings) as exchange:
            exchange.rest("BTCUSDT", orders, age_s=60)
            if orders:
                exchange.faults.add(CANCEL, faults.envelope(code, executed=False))
            async with client_of(exchange) as client:
                report = await (await client.cancel_symbol_orders("BTCUSDT")).settled()
                assert len(report.still_open) == orders
                assert exchange.truth.count(CANCEL) == 1
                return report.outcome.name

    claims = ("22001", "43004", "31054", "43001", "25204")
    for code in claims:
        assert run_virtual(partial(main, code, 0)) == "NOTHING_TO_CANCEL"
        assert run_virtual(partial(main, code, 2)) == "STILL_OPEN"
    count_cases(2 * len(claims))
