"""The single road: token, timestamp, signature, write; what is repeated, what never is, and what closing answers."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import random
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from bitget_async import (
    AccountModeMismatch,
    AuthenticationFailed,
    BitgetClient,
    BitgetError,
    ClockSkewed,
    Credentials,
    LocalLimits,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Refused,
    UnknownSymbol,
    UsageError,
)
from bitget_async.clock import VirtualClock
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER, PLACE_ORDER, UNFILLED_ORDERS
from bitget_async.sim import Fault, Settings, SimulatedExchange, faults
from tests.conftest import client_of

HOUR_MS = 3_600_000
START_MS = 1_750_000_000_000
Virtual = Callable[..., Any]


class Counting(LocalLimits):
    """Limits that count the tokens taken."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0

    async def acquire(self, *args: Any, **kwargs: Any) -> Any:
        grant = await super().acquire(*args, **kwargs)
        self.taken += 1
        return grant


def against(
    virtual: Virtual, main: Callable[[SimulatedExchange, BitgetClient], Any], *, seed: int = 1, **options: Any
) -> Any:
    """Run it with a simulated exchange and a client of it, in virtual time."""
    settings = options.pop("settings", None)

    async def whole() -> Any:
        async with SimulatedExchange(seed, clock=VirtualClock(), settings=settings) as exchange:
            options.setdefault("rng", random.Random(seed))
            async with client_of(exchange, **options) as client:
                return await main(exchange, client)

    return virtual(whole)


def place(client: BitgetClient, **more: Any) -> Any:
    """A resting limit order, far from the market: the bare call, without what the verb does after it."""
    order: dict[str, Any] = {
        "side": "buy",
        "order_type": "limit",
        "force": "gtc",
        "size": Decimal("0.001"),
        "price": 30_000,
    }
    return client.call(PLACE_ORDER, symbol="BTCUSDT", **order, **more)


def now_s() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


# -- order of steps -----------------------------------------------------------------------------------------------


@pytest.mark.failure(24)
def test_the_timestamp_is_taken_after_the_token(virtual: Virtual) -> None:
    """Ten lost commands hold every token for eleven seconds: what waited for one is stamped when it has it."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.hang(executed=False), times=10)
        lost = [asyncio.ensure_future(place(client)) for _ in range(10)]
        await asyncio.sleep(0.01)
        await place(client)
        assert now_s() == pytest.approx(11.01, abs=0.05)
        copy = exchange.truth.copies("place-order")[-1]
        assert copy.timestamp_age_ms is not None
        assert 0 <= copy.timestamp_age_ms <= 50
        assert copy.result == "00000"
        assert all(isinstance(each, OutcomeUnknown) for each in await asyncio.gather(*lost, return_exceptions=True))

    against(virtual, main)


@pytest.mark.failure(27)
def test_bad_input_takes_no_token_and_makes_no_request(virtual: Virtual) -> None:
    """Checked first of all, whatever the rest of the road looks like."""
    limits = Counting()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        calls: list[Any] = [
            client.cancel_symbol_orders("btcusdt"),
            client.place_order("BTC/USDT", "buy", "limit", 1, price=1),
            client.place_order("BTCUSDT", "buy", "limit", 0.1, price=1),  # type: ignore[arg-type]
            client.order_info(),
            client.unfilled_orders(limit=1_000),
            client.call(UNFILLED_ORDERS, symbols="BTCUSDT"),
            client.call(CANCEL_SYMBOL_ORDER, symbol="BTCUSDT"),
            client.cancel_order("BTCUSDT", order_id="1", max_wait_s=-1),
            client.cancel_order("BTCUSDT", order_id="1", max_wait_s=math.nan),
            client.cancel_order("BTCUSDT", order_id="1", max_wait_s=math.inf),
        ]
        for call in calls:
            with pytest.raises(UsageError):
                await call
        assert exchange.truth.count() == 0
        assert limits.taken == 0

    against(virtual, main, limits=limits)


def test_without_credentials_public_calls_work_and_signed_ones_are_refused(virtual: Virtual) -> None:
    """Before a token is taken, by the name of the call."""

    async def main() -> None:
        async with SimulatedExchange(clock=VirtualClock()) as exchange:
            async with BitgetClient(base_url=exchange.base_url, clock=VirtualClock()) as client:
                assert abs(await client.market.server_time() - START_MS) < 1_000
                assert (await client.market.symbols("BTCUSDT"))[0].symbol == "BTCUSDT"
                with pytest.raises(UsageError, match="assets needs credentials"):
                    await client.account.assets()
            assert exchange.truth.count() == 2
            assert not any(name.startswith("access-") for copy in exchange.truth.wire for name in copy.headers)

    virtual(main)


# -- the clock ----------------------------------------------------------------------------------------------------


@pytest.mark.failure(22)
@pytest.mark.parametrize("off_ms", [HOUR_MS, -HOUR_MS, 31_000, -31_000, 3 * 24 * HOUR_MS])
def test_a_wall_clock_that_is_off_is_set_right_by_the_first_refusal(virtual: Virtual, off_ms: int) -> None:
    """One copy refused by its timestamp, one signed anew, one execution; from then on one copy a call."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await place(client)
        assert [copy.code for copy in exchange.truth.copies("place-order")] == ["40008", "00000"]
        await place(client)
        await client.unfilled_orders()
        assert exchange.truth.count() == 4
        assert len(exchange.truth.orders) == 2

    against(virtual, main, clock=VirtualClock(START_MS + off_ms))


@pytest.mark.failure(22)
@pytest.mark.parametrize("off_ms", [HOUR_MS, -HOUR_MS])
def test_a_clock_known_from_another_answer_needs_no_refusal(virtual: Virtual, off_ms: int) -> None:
    """Every answer tells the time, a public one too."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.server_time()
        await place(client)
        assert [copy.code for copy in exchange.truth.copies("place-order")] == ["00000"]

    against(virtual, main, clock=VirtualClock(START_MS + off_ms))


@pytest.mark.failure(23)
def test_steps_of_the_wall_clock_change_nothing_once_it_is_synchronised(virtual: Virtual) -> None:
    """Durations and timestamps stand on the monotonic clock."""
    clock = VirtualClock()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.server_time()
        for step in (HOUR_MS, -2 * HOUR_MS, 400 * 24 * HOUR_MS):
            clock.step(step)
            await place(client)
        assert [copy.code for copy in exchange.truth.copies("place-order")] == ["00000"] * 3

    against(virtual, main, clock=clock)


@pytest.mark.failure(22)
@pytest.mark.parametrize("code", ["40008", "40004", "40005", "40911"])
@pytest.mark.parametrize("read", [True, False])
def test_a_timestamp_refused_for_ever_ends_after_two_copies(virtual: Virtual, code: str, read: bool) -> None:
    """Resync and sign anew, once; then the caller must know."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add(None, faults.envelope(code), times=None)
        with pytest.raises(ClockSkewed) as caught:
            await (client.account.assets() if read else place(client))
        assert caught.value.code == code
        assert exchange.truth.count() == 2
        assert now_s() < 0.1

    against(virtual, main)


# -- what is repeated ---------------------------------------------------------------------------------------------


@pytest.mark.failure(12)
@pytest.mark.parametrize("times", [1, 2])
def test_a_command_refused_for_its_number_goes_again_and_is_executed_once(virtual: Virtual, times: int) -> None:
    """429 in an envelope: proven not executed. Each copy has a token, and time between them."""
    limits = Counting()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.envelope("429", status=429), times=times)
        await place(client)
        copies = exchange.truth.copies("place-order")
        assert [copy.code for copy in copies] == ["429"] * times + ["00000"]
        assert len(exchange.truth.orders) == 1
        assert limits.taken == len(copies)
        assert all(later.received_ns > copy.received_ns for copy, later in itertools.pairwise(copies))

    against(virtual, main, limits=limits)


@pytest.mark.failure(12)
def test_a_command_refused_for_its_number_for_ever_ends_within_its_time(virtual: Virtual) -> None:
    """No hot loop: a few copies in ten seconds, and the refusal in the end."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", faults.envelope("429", status=429), times=None)
        with pytest.raises(RateLimited) as caught:
            await place(client)
        assert caught.value.http_status == 429
        assert now_s() <= 25
        assert 2 <= exchange.truth.count("place-order") <= 20

    against(virtual, main)


DOUBTS: dict[str, Fault] = {
    "drop": faults.drop(executed=False),
    "drop after executing": faults.drop(executed=True),
    "reset": faults.reset(executed=True),
    "hang": faults.hang(executed=True),
    "502": faults.page(502, executed=True),
    "429 without JSON": faults.page(429, executed=True),
    "403 without JSON": faults.page(403, executed=False),
    "empty": faults.raw(b"", executed=True),
    "not JSON": faults.raw(b"{", executed=True),
    "truncated": faults.truncated(0.5),
    "release window": faults.envelope("45001", executed=True),
    "timed out there": faults.envelope("40010", status=200, executed=True),
    "unknown code": faults.envelope("99999", executed=True),
    "00000 with 500": faults.envelope("00000", status=500, executed=True),
    "redirect": faults.redirect("http://127.0.0.1:9/", executed=True),
}


@pytest.mark.failure(6, 7, 13, 14, 15, 16, 17, 21, 29, 30, 31)
@pytest.mark.parametrize("fault", DOUBTS.values(), ids=DOUBTS.keys())
def test_a_command_in_doubt_is_never_repeated(virtual: Virtual, fault: Fault) -> None:
    """One copy on the wire and the doubt told: a second one could place a second order."""
    limits = Counting()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("place-order", fault, times=None)
        with pytest.raises(OutcomeUnknown) as caught:
            await place(client)
        assert caught.value.endpoint == PLACE_ORDER.label
        await asyncio.sleep(60)
        assert exchange.truth.count("place-order") == 1
        assert len(exchange.truth.orders) <= 1
        assert limits.taken == 1

    against(virtual, main, limits=limits)


@pytest.mark.failure(11)
@pytest.mark.parametrize(
    ("times", "name"),
    [
        (times, name)
        for times in (1, 3)
        for name in DOUBTS
        if name != "hang" and (times, name) != (3, "429 without JSON")
    ],
)
def test_a_read_in_doubt_is_repeated_inside_its_time(virtual: Virtual, name: str, times: int) -> None:
    """Nothing hangs on it; every copy has a token of its own, and none is sent behind our back."""
    limits = Counting()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.rest("BTCUSDT", 2)
        exchange.faults.add("unfilled-orders", DOUBTS[name], times=times)
        rows = await client.unfilled_orders("BTCUSDT")
        assert len(rows) == 2
        assert exchange.truth.count() == times + 1 == limits.taken
        assert now_s() <= 10

    against(virtual, main, limits=limits, settings=Settings(listing_lag_s=0.0))


@pytest.mark.failure(11, 45)
@pytest.mark.parametrize("fault", [DOUBTS["502"], DOUBTS["release window"], DOUBTS["hang"]], ids=lambda each: each.name)
def test_a_read_in_doubt_for_ever_ends(virtual: Virtual, fault: Fault) -> None:
    """Four copies at most, and never longer than its time."""
    limits = Counting()

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("assets", fault, times=None)
        with pytest.raises(BitgetError) as caught:
            await client.account.assets()
        assert isinstance(caught.value, OutcomeUnknown | Refused)
        assert 1 <= exchange.truth.count() <= 4
        assert exchange.truth.count() == limits.taken
        assert now_s() <= 11

    against(virtual, main, limits=limits)


@pytest.mark.failure(2)
@pytest.mark.parametrize("read", [True, False])
def test_a_refused_connection_is_tried_again_until_the_time_is_up(virtual: Virtual, read: bool) -> None:
    """No byte left: safe for a command too. Its tokens come back at once."""
    limits = Counting()

    async def main() -> None:
        async with SimulatedExchange(clock=VirtualClock()) as exchange:
            client = client_of(exchange, limits=limits)
            await exchange.close()
            with pytest.raises(NotSent) as caught:
                # One token a second: it has to come back each time for the next try.
                await (client.account.info() if read else place(client))
            assert caught.value.reason == "connect"
            assert 3 <= limits.taken <= 100
            assert now_s() <= 10.5
            await client.close()

    virtual(main)


async def asked(client: BitgetClient, call: str, symbol: str) -> None:
    """One call of that kind."""
    if call == "command":
        unused = await client.place_order(symbol, "buy", "limit", Decimal("0.001"), price=30_000)
        raise AssertionError(f"no handle may come of it: {unused}")
    elif call == "cancel":
        handle = await client.cancel_symbol_orders(symbol)
        raise AssertionError(f"no handle may come of it: {handle}")
    elif call == "symbols":
        await client.market.symbols(symbol)
    else:
        await client.account.assets()


# -- refused at once ----------------------------------------------------------------------------------------------


def wrong(exchange: SimulatedExchange, which: str) -> Any:
    """A key of the default account with one part wrong, or a key of an account that may not."""
    key = exchange.credentials()
    if which == "key":
        return Credentials("bg_unknown", key.secret, key.passphrase)
    if which == "secret":
        return Credentials(key.api_key, "not the secret", key.passphrase)
    if which == "passphrase":
        return Credentials(key.api_key, key.secret, "not the passphrase")
    if which == "permission":
        return exchange.add_key(read=False, trade=False)
    return exchange.credentials(exchange.add_account(mode="unified"))


@pytest.mark.failure(25, 26)
@pytest.mark.parametrize(
    ("which", "kind", "code"),
    [
        ("key", AuthenticationFailed, "40006"),
        ("secret", AuthenticationFailed, "40009"),
        ("passphrase", AuthenticationFailed, "40012"),
        ("permission", PermissionDenied, "40014"),
        ("unified", AccountModeMismatch, "40085"),
    ],
)
@pytest.mark.parametrize("call", ["read", "command", "cancel"])
def test_a_wrong_key_is_told_at_once_with_one_copy(
    virtual: Virtual, which: str, kind: type[Refused], code: str, call: str
) -> None:
    """No repeat, no wait: the class says what is wrong. Repeating would lock the key."""

    async def main() -> None:
        exchange = SimulatedExchange(clock=VirtualClock())
        material = wrong(exchange, which)
        async with exchange, BitgetClient(material, base_url=exchange.base_url, clock=VirtualClock()) as client:
            with pytest.raises(kind) as caught:
                await asked(client, call, "BTCUSDT")
            assert type(caught.value) is kind
            assert caught.value.code == code
            assert now_s() < 0.1
            await asyncio.sleep(30)
            endpoint = {"read": "assets", "command": "place-order", "cancel": "cancel-symbol-order"}[call]
            assert exchange.truth.count(endpoint) == 1
            assert client.pending == ()
            assert exchange.truth.executions == []

    virtual(main)


@pytest.mark.failure(26)
def test_the_text_for_a_unified_account_names_the_remedy(virtual: Virtual) -> None:
    """The most likely surprise of a new user."""

    async def main() -> None:
        exchange = SimulatedExchange(clock=VirtualClock())
        material = wrong(exchange, "unified")
        async with exchange, BitgetClient(material, base_url=exchange.base_url, clock=VirtualClock()) as client:
            with pytest.raises(AccountModeMismatch, match="classic"):
                await client.account.assets()

    virtual(main)


@pytest.mark.failure(27)
@pytest.mark.parametrize("call", ["command", "cancel", "symbols"])
def test_an_unknown_symbol_is_told_at_once_with_one_copy(virtual: Virtual, call: str) -> None:
    """Well-formed, and known to nobody."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        with pytest.raises(UnknownSymbol):
            await asked(client, call, "NOPEUSDT")
        endpoint = {"command": "place-order", "cancel": "cancel-symbol-order", "symbols": "symbols"}[call]
        await asyncio.sleep(30)
        assert exchange.truth.count(endpoint) == 1
        assert client.pending == ()

    against(virtual, main)


# -- cancelled callers --------------------------------------------------------------------------------------------


@pytest.mark.failure(48, 50)
def test_cancelled_before_the_signing_nothing_is_sent_and_no_token_is_taken(virtual: Virtual) -> None:
    """The order is withdrawn: whoever waits behind gets the token."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for _ in range(10):
            await place(client)
        waiting = [asyncio.ensure_future(place(client)) for _ in range(2)]
        await asyncio.sleep(0.5)
        waiting[0].cancel()
        await asyncio.sleep(0)
        assert waiting[0].cancelled() or not waiting[0].done()
        await waiting[1]
        assert waiting[0].cancelled()
        assert now_s() == pytest.approx(1.01, abs=0.02)
        await asyncio.sleep(30)
        assert exchange.truth.count("place-order") == 11
        assert len(exchange.truth.orders) == 11

    against(virtual, main)


@pytest.mark.failure(48)
@pytest.mark.parametrize("after_s", [0.01, 0.1, 0.19])
def test_cancelled_after_the_signing_the_order_goes_on(virtual: Virtual, after_s: float) -> None:
    """The bytes have left: the caller is gone, the request is not, and the client knows of the order."""
    settings = Settings(request_latency_s=0.1, answer_latency_s=0.1)

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        task = asyncio.ensure_future(place(client))
        await asyncio.sleep(after_s)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(5)
        (copy,) = exchange.truth.copies("place-order")
        assert (copy.status, copy.code) == (200, "00000")
        assert len(exchange.truth.orders) == 1

    against(virtual, main, settings=settings)


@pytest.mark.failure(48)
def test_cancelled_reads_leave_the_client_usable(virtual: Virtual) -> None:
    """At every hundredth of a second of a read: its connection goes, the next read works."""
    settings = Settings(request_latency_s=0.05, answer_latency_s=0.05)

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        for step in range(12):
            task = asyncio.ensure_future(client.account.assets())
            await asyncio.sleep(step / 100)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.sleep(15)
        assert await client.account.assets()

    against(virtual, main, settings=settings)


# -- closing ------------------------------------------------------------------------------------------------------


@pytest.mark.failure(51)
def test_closing_gives_everybody_an_answer(virtual: Virtual) -> None:
    """Waiters for a token, a command and reads on the wire, a read between two copies, a later call."""

    async def main() -> None:
        async with SimulatedExchange(clock=VirtualClock()) as exchange:
            client = client_of(exchange, limits=LocalLimits())
            exchange.faults.add("place-order", faults.hang(executed=True), times=None)
            exchange.faults.add("assets", faults.hang(executed=True), times=None)
            exchange.faults.add("history-orders", faults.page(502, executed=True), times=None)
            sent = [asyncio.ensure_future(place(client)) for _ in range(10)]
            waiting = [asyncio.ensure_future(place(client)) for _ in range(3)]
            read = asyncio.ensure_future(client.account.assets())
            exchange.faults.add("info", faults.hang(executed=True), times=None)
            first, second = (asyncio.ensure_future(client.account.info()) for _ in range(2))
            await asyncio.sleep(0.3)
            between = asyncio.ensure_future(client.history_orders())
            await asyncio.sleep(0.01)
            began = now_s()
            await client.close()
            everybody = (*sent, *waiting, second, read, first, between)
            answers = await asyncio.wait_for(asyncio.gather(*everybody, return_exceptions=True), 5)
            assert now_s() - began < 2
            assert all(isinstance(each, OutcomeUnknown) and each.reason == "closed" for each in answers[:10])
            assert all(isinstance(each, NotSent) and each.reason == "closed" for each in answers[10:14])
            assert all(isinstance(each, BitgetError) for each in answers[14:])
            for call in (
                client.account.assets(),
                place(client),
                client.cancel_symbol_orders("BTCUSDT"),
                client.market.server_time(),
            ):
                with pytest.raises(NotSent, match="closed"):
                    await call
            await client.close()
            assert repr(client).endswith("closed>")

    virtual(main)


def test_closing_an_unused_client_is_nothing(virtual: Virtual) -> None:
    """No loop, no socket, no task was ever needed."""

    async def main() -> None:
        client = BitgetClient()
        await client.close()
        with pytest.raises(NotSent):
            await client.market.server_time()

    virtual(main)


# -- reads of the watcher -----------------------------------------------------------------------------------------


@pytest.mark.failure(57)
def test_background_reads_take_at_most_half_of_a_quota(virtual: Virtual) -> None:
    """Sixty at once: ten a second of twenty, so that the caller's own reads still go through."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        session = client._open().session
        reads = [asyncio.ensure_future(session.background(UNFILLED_ORDERS, {})) for _ in range(60)]
        await asyncio.sleep(0.01)
        began = now_s()
        await client.unfilled_orders()
        assert now_s() - began < 0.05
        await asyncio.gather(*reads)
        assert exchange.truth.worst_second("unfilled-orders") <= 11
        assert now_s() == pytest.approx(5 * 1.01, abs=0.2)

    against(virtual, main)


def test_a_background_read_is_never_repeated(virtual: Virtual) -> None:
    """Its rhythm is the inquiry's."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        exchange.faults.add("unfilled-orders", faults.page(502, executed=True), times=None)
        with pytest.raises(OutcomeUnknown):
            await client._open().session.background(UNFILLED_ORDERS, {})
        assert exchange.truth.count() == 1

    against(virtual, main)


# -- secrets ------------------------------------------------------------------------------------------------------


@pytest.mark.failure(25)
def test_an_exchange_that_echoes_our_headers_puts_them_into_no_text(
    virtual: Virtual, caplog: pytest.LogCaptureFixture
) -> None:
    """In its message, its code, its body: errors, their tracebacks with locals and the DEBUG log show none of them."""
    key = Credentials("canary-key-7Qx", "canary-secret-7Qx", "canary-pass-7Qx")
    echo = "you sent canary-key-7Qx / canary-secret-7Qx / canary-pass-7Qx"
    played = [
        faults.envelope("40006", text=echo),
        faults.envelope("45001", text=echo),
        faults.envelope("99999", text=echo),
        faults.envelope("canary-pass-7Qx", text="in the code"),
        faults.raw(echo.encode(), status=502),
        faults.raw(f'{{"message":"{echo}"}}'.encode()),
        faults.page(403, executed=False),
    ]
    errors: list[BitgetError] = []

    async def main() -> None:
        async with (
            SimulatedExchange(clock=VirtualClock()) as exchange,
            BitgetClient(key, base_url=exchange.base_url, clock=VirtualClock()) as client,
        ):
            for fault in played:
                for read in (True, False):
                    exchange.faults.clear()
                    exchange.faults.add(None, fault, times=None)
                    try:
                        await (client.history_orders() if read else place(client))
                    except BitgetError as error:
                        errors.append(error)

    with caplog.at_level(logging.DEBUG, logger="bitget_async"):
        virtual(main)
    assert len(errors) == 2 * len(played)
    for error in errors:
        assert "7Qx" not in f"{error} {error!r} {error.args} {vars(error)}"
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        own = [frame for frame in frames if "/bitget_async/" in frame.f_code.co_filename]
        assert own
        assert not any("7Qx" in repr(value) for frame in own for value in frame.f_locals.values())
    assert any(record.name == "bitget_async.requests" for record in caplog.records)
    assert "7Qx" not in "".join(f"{record.getMessage()} {record.args} {vars(record)}" for record in caplog.records)
    assert "ACCESS-SIGN" not in caplog.text


def test_log_lines_say_what_happened(virtual: Virtual, caplog: pytest.LogCaptureFixture) -> None:
    """Endpoint, status, code and time, for calls that work and calls that do not."""

    async def main(exchange: SimulatedExchange, client: BitgetClient) -> None:
        await client.market.server_time()
        exchange.faults.add("assets", faults.drop(executed=True))
        await client.account.assets()
        with pytest.raises(UnknownSymbol):
            await client.market.symbols("NOPEUSDT")

    with caplog.at_level(logging.DEBUG, logger="bitget_async"):
        against(virtual, main)
    lines = [record.getMessage() for record in caplog.records if record.name == "bitget_async.requests"]
    assert lines[0].startswith("GET time: accepted, HTTP 200, code 00000, ")
    assert lines[1].startswith("GET assets: unknown (connection), ")
    assert lines[2].startswith("GET assets, copy 2: accepted, ")
    assert lines[-1].startswith("GET symbols: refused, HTTP 400, code 40034, ")
