"""What a client writes into its journal, and when; what happens when it cannot; who may take up what."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bitget_async import BitgetClient, NotSent, OutcomeUnknown, UsageError
from bitget_async.clock import VirtualClock
from bitget_async.journal import Journal, Kind
from bitget_async.sim import Settings, SimulatedExchange, faults
from tests.conftest import CALM, run_virtual
from tests.lives import BTC, START_MS, client_at, commands_at, kinds

every_kind = pytest.mark.parametrize("kind", kinds().values(), ids=kinds().keys())


def at_exchange(main: Callable[[SimulatedExchange], Any], **settings: Any) -> Any:
    """Run `main(exchange)` in virtual time."""

    async def whole() -> Any:
        options: Any = {**CALM, **settings}
        async with SimulatedExchange(5, clock=VirtualClock(START_MS), settings=Settings(**options)) as exchange:
            return await main(exchange)

    return run_virtual(whole)


def records(path: Path, exchange: SimulatedExchange) -> list[Any]:
    """The unsettled entries of a journal that nobody holds."""
    client = client_at(exchange, 0, 3, journal=path)
    file = Journal(path).open(account=client._account, origin=client._origin, warn=pytest.fail)
    try:
        return file.unsettled()
    finally:
        file.close()


@every_kind
@pytest.mark.failure(53)
def test_what_is_about_to_happen_is_written_before_it_happens(kind: Any, tmp_path: Path) -> None:
    """Intent, then the stamp before the exchange sees a byte, then the answer; nothing once it is settled."""
    path = tmp_path / "journal"

    async def main(exchange: SimulatedExchange) -> None:
        async with client_at(exchange, 0, 7, journal=path) as client:
            seen: list[tuple[str, int]] = []
            file: Any = client._open().journal
            note, begin = file.note, file.begin

            def noted(number: int, what: Any, data: Any = None) -> bool:
                seen.append((what.value, commands_at(exchange)))
                return bool(note(number, what, data))

            def begun(data: Any) -> int:
                seen.append(("intent", commands_at(exchange)))
                return int(begin(data))

            file.note, file.begin = noted, begun
            pending = await kind.make(exchange, client)
            assert pending.journaled
            _ = await pending
            assert pending.journaled
            names = [name for name, _ in seen]
            assert names[0] == "intent"
            assert names[-1] == "done"
            assert [copies for name, copies in seen if name in ("intent", "sending")][:2] == [0, 0]
            assert names.index("sending") < names.index("answer") < names.index("done")
            assert names.count("sending") == names.count("answer") == len(exchange.truth.copies(kind.endpoint))
        assert records(path, exchange) == []

    at_exchange(main)


@every_kind
def test_without_a_journal_a_handle_says_so(kind: Any) -> None:
    """And it is no anomaly."""

    async def main(exchange: SimulatedExchange) -> None:
        async with client_at(exchange, 0, 7) as client:
            pending = await kind.make(exchange, client)
            assert not pending.journaled
            report = await pending
            assert report.anomalies == ()

    at_exchange(main)


@every_kind
@pytest.mark.failure(60)
def test_a_full_disk_does_not_stop_a_command(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes out, it is proven, one warning is given, and handle and report say that it was not written down."""

    async def main(exchange: SimulatedExchange) -> None:
        async with client_at(exchange, 0, 7, journal=tmp_path / "journal") as client:
            write = os.write

            def full(descriptor: int, blob: Any) -> int:
                if descriptor == client._open().journal._place.file:  # type: ignore[union-attr]
                    raise OSError(errno.ENOSPC, "No space left on device")
                return write(descriptor, blob)

            monkeypatch.setattr(os, "write", full)
            pending = await kind.make(exchange, client)
            assert not pending.journaled
            report = await pending
            assert report.proven
            assert "not_journaled" in report.anomalies
            monkeypatch.undo()

    at_exchange(main)
    warnings = [each for each in caplog.records if each.name == "bitget_async.journal" and each.levelno >= 30]
    assert len(warnings) == 1
    assert "No space left on device" in warnings[0].getMessage()


@pytest.mark.failure(24, 60)
@pytest.mark.parametrize(("slow_ms", "stamps"), [(20, 1), (40, 3), ((40, 1), 2)])
def test_a_slow_disk_makes_the_stamp_anew(slow_ms: Any, stamps: int, tmp_path: Path) -> None:
    """The promise is a timestamp of at most 50 ms; three rounds at most, for the disk may stay slow."""

    async def main(exchange: SimulatedExchange) -> None:
        exchange.rest(BTC, 1)
        async with client_at(exchange, 0, 7, journal=tmp_path / "journal") as client:
            _ = [await client.market.server_time() for _ in range(2)]
            file: Any = client._open().journal
            note = file.note
            taken: list[int] = []
            pace = [slow_ms] * 9 if isinstance(slow_ms, int) else [*slow_ms, *[0] * 9]

            def slow(number: int, what: Any, data: Any = None) -> bool:
                if what is Kind.SENDING:
                    asyncio.get_running_loop()._selector.clock.advance(pace[len(taken)] / 1000)  # type: ignore[attr-defined]
                    taken.append(data["became"]["signed_ms"])
                return bool(note(number, what, data))

            file.note = slow
            report = await (await client.cancel_symbol_orders(BTC))
            (copy_seen,) = exchange.truth.copies("cancel-symbol-order")
            assert len(taken) == stamps
            assert copy_seen.timestamp_ms == taken[-1] == report.signed_at_ms
            assert (copy_seen.timestamp_age_ms or 0) <= 50
            assert report.proven

    at_exchange(main, request_latency_s=0.0)


@pytest.mark.failure(53)
def test_what_never_got_its_token_has_no_handle(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Five commands a second: the sixth waits when the process ends, and was never sent."""
    path, left = tmp_path / "journal", tmp_path / "left"

    async def main(exchange: SimulatedExchange) -> None:
        async with client_at(exchange, 0, 7, journal=path) as client:
            calls = [
                asyncio.ensure_future(client.cancel_symbol_orders(BTC, confirm_within_s=20.0 + n)) for n in range(6)
            ]
            await asyncio.sleep(0.5)
            left.write_bytes(path.read_bytes())
            left.chmod(0o600)
            assert len(client.pending) == 5
        errors = [each for each in await asyncio.gather(*calls, return_exceptions=True) if isinstance(each, Exception)]
        assert [type(each) for each in errors] == [NotSent]
        # Closed in order, it is not even noted as intended.
        assert len(records(path, exchange)) == 5
        assert len(records(left, exchange)) == 6
        async with client_at(exchange, 0, 8, journal=left) as client:
            assert len(await client.resume_pending()) == 5
            assert len(client.pending) == 5
            assert await client.resume_pending() == ()
        assert exchange.truth.count("cancel-symbol-order") == 5

    at_exchange(main)
    assert "was never sent" in caplog.text


@every_kind
@pytest.mark.failure(51)
def test_closing_leaves_what_is_unsettled_to_the_next_process(kind: Any, tmp_path: Path) -> None:
    """The report says UNKNOWN (client_closed), and another client finds out; a third one has nothing to do."""
    path = tmp_path / "journal"

    async def main(exchange: SimulatedExchange) -> None:
        async with client_at(exchange, 0, 7, journal=path) as client:
            pending = await kind.make(exchange, client)
        report = await pending.settled()
        assert (report.outcome.name, report.reason) == ("UNKNOWN", "client_closed")
        async with client_at(exchange, 0, 8, journal=path) as client:
            (again,) = await client.resume_pending()
            assert list(client.pending) == [again]
            assert (again.symbol, again.attempts, again.acknowledged) == (pending.symbol, pending.attempts, True)
            assert again.journaled
            found = await again
            assert found.signed_at_ms == report.signed_at_ms
        async with client_at(exchange, 0, 9, journal=path) as client:
            assert await client.resume_pending() == ()

    at_exchange(main)


@every_kind
@pytest.mark.failure(53)
def test_whoever_takes_over_can_die_too(kind: Any, tmp_path: Path) -> None:
    """Four lives on one journal; the last one proves it, and one command was sent."""
    path = tmp_path / "journal"

    async def main(exchange: SimulatedExchange) -> None:
        async with client_at(exchange, 0, 7, journal=path) as client:
            _ = await kind.make(exchange, client)
        sent = commands_at(exchange)
        for seed in range(2):
            async with client_at(exchange, 5_000 * seed, 10 + seed, journal=path) as client:
                (again,) = await client.resume_pending()
                await asyncio.sleep(0.01)
        async with client_at(exchange, 0, 8, journal=path) as client:
            (again,) = await client.resume_pending()
            report = await again.settled()
            assert report.proven
        assert commands_at(exchange) == sent

    at_exchange(main)


@pytest.mark.failure(53)
def test_a_clock_that_cannot_be_read_loses_nothing(tmp_path: Path) -> None:
    """The error is raised, and the same call works when the exchange answers again."""
    path = tmp_path / "journal"

    async def main(exchange: SimulatedExchange) -> None:
        exchange.rest(BTC, 1)
        async with client_at(exchange, 0, 7, journal=path) as client:
            _ = await client.cancel_symbol_orders(BTC)
        exchange.faults.add("time", faults.page(502, executed=False), times=None)
        async with client_at(exchange, 0, 8, journal=path, timeout_s=2.0) as client:
            with pytest.raises(OutcomeUnknown):
                _ = await client.resume_pending()
            assert client.pending == ()
            exchange.faults.clear()
            (again,) = await client.resume_pending()
            assert (await again).proven

    at_exchange(main)


def test_two_calls_at_once_take_up_each_entry_once(tmp_path: Path) -> None:
    """Both read the clock before either has looked."""
    path = tmp_path / "journal"

    async def main(exchange: SimulatedExchange) -> None:
        async with client_at(exchange, 0, 7, journal=path) as client:
            _ = await client.cancel_symbol_orders(BTC)
        async with client_at(exchange, 0, 8, journal=path) as client:
            both = await asyncio.gather(client.resume_pending(), client.resume_pending())
            assert sorted(map(len, both)) == [0, 1]

    at_exchange(main)


def test_a_journal_is_opened_at_the_first_use_and_before_any_request(tmp_path: Path) -> None:
    """Another account's journal, one in use, and one that cannot be: each is said before anything is sent."""
    path = tmp_path / "journal"

    async def main(exchange: SimulatedExchange) -> None:
        async with client_at(exchange, 0, 7, journal=Journal(path, fsync="always")):
            with pytest.raises(UsageError, match="in use"):
                async with client_at(exchange, 0, 8, journal=path):
                    pytest.fail("opened twice")
        other = BitgetClient(
            exchange.credentials(exchange.add_account()), base_url=exchange.base_url, journal=str(path)
        )
        with pytest.raises(UsageError, match="another account"):
            async with other:
                pytest.fail("opened")
        with pytest.raises(UsageError):
            async with client_at(exchange, 0, 8, journal=tmp_path / "no" / "such" / "place"):
                pytest.fail("opened")
        async with client_at(exchange, 0, 8) as client:
            with pytest.raises(UsageError, match="journal="):
                _ = await client.resume_pending()
        with pytest.raises(UsageError, match="credentials"):
            _ = BitgetClient(journal=path)
        assert exchange.truth.count() == 0

    at_exchange(main)
