"""
Directed histories of a journal's file: torn, damaged, foreign, and on a full disk.

As in `scenarios`: each raises `BrokenPromiseError` if a promise is broken.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from bitget_async import BitgetClient, Outcome
from bitget_async.clock import VirtualClock
from bitget_async.errors import UsageError
from bitget_async.journal import Journal, JournalFile
from bitget_async.journal.records import HEADER_BYTES, Kind
from bitget_async.sim import faults

from .road_scenarios import CALM
from .scenarios import BTC, COMMAND, world
from .world import World, demand

JOURNAL: dict[str, Callable[[], None]] = {}


def scenario(play: Callable[[], None]) -> Callable[[], None]:
    """Register a scenario under its name."""
    JOURNAL[play.__name__] = play
    return play


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A path for a journal, gone afterwards."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made) / "journal"


@contextlib.contextmanager
def opened(path: Path, account: str = "1", origin: str = "https://a") -> Iterator[tuple[JournalFile, list[str]]]:
    """That journal, and what it warns of."""
    told: list[str] = []
    journal = Journal(path).open(account=account, origin=origin, warn=told.append)
    try:
        yield journal, told
    finally:
        journal.close()


@scenario
def a_cut_journal_claims_nothing() -> None:
    """Cut at every byte of the record of a sending: the command is there, and nobody may say that it was never sent."""
    with folder() as path:
        with opened(path) as (journal, _):
            number = journal.begin({"symbol": "BTCUSDT"})
            before = path.stat().st_size
            journal.note(number, Kind.SENDING)
        whole = path.read_bytes()
        for size in range(before + 1, len(whole) + 1):
            path.write_bytes(whole[:size])
            with opened(path) as (journal, _):
                (entry,) = journal.unsettled()
            told = {kind for kind, _ in entry.notes}
            demand(bool(told & {Kind.SENDING, Kind.GAP}), "17: a byte may have left", size)


@scenario
def a_changed_byte_is_no_record() -> None:
    """Every byte of a record changed in turn: what is read is what was written, or nothing."""
    with folder() as path:
        with opened(path) as (journal, _):
            journal.begin({"symbol": "BTCUSDT"})
        whole = path.read_bytes()
        for at in range(HEADER_BYTES, len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            with opened(path) as (journal, _):
                found = [entry.data for entry in journal.unsettled()]
            demand(found in ([], [{"symbol": "BTCUSDT"}]), "54 of the failure model: whole records count", found)
            for aside in path.parent.glob("*.damaged*"):
                aside.unlink()


@scenario
def a_journal_of_somebody_else_is_refused() -> None:
    """Another account, another exchange: it is left as it is."""
    with folder() as path:
        with opened(path) as (journal, _):
            journal.begin({"symbol": "BTCUSDT"})
        for account, origin in (("2", "https://a"), ("1", "https://b")):
            with contextlib.suppress(UsageError), opened(path, account, origin):
                demand(False, "54 of the failure model: a foreign journal is refused", account, origin)


@scenario
def a_full_disk_stops_no_command() -> None:
    """No room: nothing raises, the entry is known to be missing, and somebody is told; with room it is written."""

    def full(file: int, blob: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with folder() as path, opened(path) as (journal, told):
        with mock.patch.object(os, "write", full):
            try:
                number = journal.begin({"symbol": "BTCUSDT"})
                journal.note(number, Kind.SENDING)
            except OSError as error:
                demand(False, "60 of the failure model: the command goes on", error)
            demand(not journal.holds(number), "60 of the failure model: the handle is flagged")
            demand(bool(told), "60 of the failure model: a warning")
        journal.note(number, Kind.ANSWER)
        demand(journal.holds(number), "60 of the failure model: written when there is room")


def client_with(it: World, path: Path) -> BitgetClient:
    """Another client of that world's account, in the same limits, with a journal."""
    return _client(it, journal=path)


def _client(it: World, **options: Any) -> BitgetClient:
    clock = VirtualClock(loop=it.loop)
    key, base_url = it.exchange.credentials(), it.exchange.base_url
    return BitgetClient(key, base_url=base_url, clock=clock, limits=it.limits, **options)


async def next_life(it: World, path: Path) -> list[Any]:
    """The reports of what a client takes up from that journal."""
    async with client_with(it, path) as client:
        return [await handle.settled() for handle in await client.resume_pending()]


@scenario
def a_process_dies_while_its_command_is_on_the_way() -> None:
    """What stands in the file at that moment is enough: the next one finds out, and sends nothing."""
    with folder() as path, world(**CALM) as it:
        it.exchange.rest(BTC, 2)
        it.exchange.faults.add(COMMAND, faults.hang(executed=True), times=1)
        died = path.with_name("died")

        async def first_life() -> None:
            async with client_with(it, path) as client:
                call = asyncio.create_task(client.cancel_symbol_orders(BTC))
                await asyncio.sleep(1)
                died.write_bytes(path.read_bytes())
                call.cancel()

        it.do(first_life())
        reports = it.do(next_life(it, died))
        outcomes = [report.outcome for report in reports]
        demand(outcomes == [Outcome.CONFIRMED], "16, 17: taken up, and CONFIRMED", outcomes)
        demand(it.exchange.truth.count(COMMAND) == 1, "16: resuming sends no command")


@scenario
def a_client_is_closed_and_another_one_takes_over() -> None:
    """Closed under a pending handle: the journal keeps it, and the next client finds out what became of it."""
    with folder() as path, world(**CALM | {"sweep_delay_s": 3.0}) as it:
        it.exchange.rest(BTC, 2)

        async def first_life() -> None:
            async with client_with(it, path) as client:
                _ = await client.cancel_symbol_orders(BTC)

        it.do(first_life())
        outcomes = [report.outcome for report in it.do(next_life(it, path))]
        demand(outcomes == [Outcome.CONFIRMED], "51 of the failure model: the journal keeps it", outcomes)


@scenario
def a_client_is_forgotten() -> None:
    """Nobody closed it and nobody has it any more: a ResourceWarning names what is not known."""
    with world(**CALM | {"sweep_delay_s": 3.0}) as it:
        it.exchange.rest(BTC, 1)
        clients = [_client(it)]

        async def call() -> Any:
            _ = await clients[0].cancel_symbol_orders(BTC)
            return clients[0]._open()

        parts = it.do(call())
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            clients.clear()
            gc.collect()
        texts = [str(each.message) for each in told if each.category is ResourceWarning]
        it.do(parts.watcher.close())
        it.do(parts.session.close())
        demand(any(BTC in text for text in texts), "52 of the failure model: a warning names the handles", texts)
