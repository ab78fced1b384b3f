"""`bitget-async cancel`: look, ask, cancel, prove."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from bitget_async import BitgetClient, Credentials, Order, OrderFate, Outcome, Refused, UsageError
from bitget_async.cli.boards import Board, Out, board_for
from bitget_async.cli.exits import Exit, exit_of, sentence, worst
from bitget_async.cli.listing import Listed, list_open, plain
from bitget_async.cli.tracks import Track, Tracker, plural
from bitget_async.clock import Clock, SystemClock
from bitget_async.endpoints import CANCEL_SYMBOL_ORDER

__all__ = ["Watch", "cancel"]

SHOWN_IDS = 10
NEXT = {
    "vanished": "They are no longer listed, and no final row says how they ended: they may have filled. Look them up "
    "in the order history before you act on them",
    "unreadable": "The open orders could not be read. Look with --dry-run as soon as the exchange answers",
    "rate_banned": "The exchange refused the reads for their number. Wait some minutes, then look with --dry-run",
}
LOOK = "Do not take them for cancelled. Look with --dry-run"


def cancel(args: Namespace) -> Exit:
    """The command."""
    symbols = list(dict.fromkeys(args.symbols))
    for symbol in symbols:
        # All of them before the first is sent: half a command because of a typing error helps nobody.
        CANCEL_SYMBOL_ORDER.checked({"symbol": symbol})
    credentials = Credentials.from_env()
    options: dict[str, Any] = {"demo": args.demo_trading} | ({"base_url": args.base_url} if args.base_url else {})
    out, err = Out(), Out(sys.stderr)

    def client() -> BitgetClient:
        return BitgetClient(credentials, **options)

    if args.dry_run:
        return _show(asyncio.run(_listed(client(), symbols)), out, err, as_json=args.json)
    if not args.yes and not sys.stdin.isatty():
        client()
        raise UsageError("nobody can be asked, standard input is not a terminal: add --yes, or look with --dry-run")
    if not args.yes:
        listed = asyncio.run(_listed(client(), symbols))
        refused = [each.error for each in listed if isinstance(each.error, Refused)]
        if refused:
            raise refused[0]
        if not _agreed(listed, err):
            err.line("Nothing was sent.")
            return Exit.NOT_SENT
    watch = Watch(symbols, ensure=args.ensure, confirm_within_s=args.confirm_within)
    return watch.go(client(), out, err, as_json=args.json)


async def _listed(client: BitgetClient, symbols: Sequence[str]) -> list[Listed]:
    async with client:
        return await list_open(client, symbols)


def _show(listed: Sequence[Listed], out: Out, err: Out, *, as_json: bool) -> Exit:
    if as_json:
        out.raw(json.dumps({"dry_run": True, "symbols": [each.to_dict() for each in listed]}, indent=2))
    for each in listed:
        if each.error is not None:
            err.line(f"bitget-async: {each.symbol}: {sentence(each.error)}")
        if as_json or (each.error is not None and not each.orders):
            continue
        noun = "order" if each.count == "1" else "orders"
        out.line(f"{each.symbol}: {each.count} open {noun}{':' if each.orders else ''}", "bold")
        for order in each.orders:
            out.line(_order_line(order))
    if not as_json:
        out.line("Nothing was sent (--dry-run).")
    return worst(exit_of(each.error) for each in listed if each.error is not None)


def _order_line(order: Order) -> str:
    filled = f", {plain(order.base_volume)} filled" if order.base_volume else ""
    price = "market" if order.price is None else plain(order.price)
    size = plain(order.size) or "?"
    source = f"  from {order.enter_point_source}" if order.enter_point_source else ""
    return f"  {order.order_id}  {order.side.value:<4} {size} at {price}{filled}{source}"


def _agreed(listed: Sequence[Listed], err: Out) -> bool:
    """Ask. Only `y` or `yes` is a yes."""
    err.line("This cancels every open normal spot order of the account on these symbols, whoever placed it:")
    for each in listed:
        why = "" if each.error is None else f" (they could not be listed: {each.error})"
        noun = "order" if each.count == "1" else "orders"
        err.line(f"  {each.symbol}: {each.count} open {noun}{why}")
    err.line("It cannot be undone. Type yes to go on:")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


class Watch:
    """
    Cancels symbols and tells what became of it.

    Args:
        symbols: which, each once.
        ensure, confirm_within_s: as in `BitgetClient.cancel_symbol_orders`.
    """

    def __init__(self, symbols: Sequence[str], *, ensure: bool, confirm_within_s: float) -> None:
        self._symbols = symbols
        self._ensure = ensure
        self._confirm_within_s = confirm_within_s
        self.tracks: list[Track] = [Track(symbol) for symbol in symbols]

    def go(self, client: BitgetClient, out: Out, err: Out, *, as_json: bool) -> Exit:
        """Run it to its end, or to Ctrl-C."""
        try:
            asyncio.run(self.run(client, board_for(out, silent=as_json)))
        except KeyboardInterrupt:
            code = Exit.INTERRUPTED
            for line in _interrupted(self.tracks):
                err.line(line)
        else:
            code = worst(track.exit for track in self.tracks)
            self._tell(out, err, as_json=as_json)
        if as_json:
            out.raw(json.dumps({"symbols": [_to_dict(track) for track in self.tracks], "exit_code": code}, indent=2))
        return code

    async def run(self, client: BitgetClient, board: Board, clock: Clock | None = None) -> None:
        """Cancel and follow; the client is closed at the end."""
        async with client:
            tracker = Tracker(
                client,
                self._symbols,
                clock or SystemClock(),
                ensure=self._ensure,
                confirm_within_s=self._confirm_within_s,
            )
            self.tracks = tracker.tracks
            try:
                with board:
                    await tracker.run(lambda: board.draw(tracker.tracks, tracker.elapsed_s))
            finally:
                # Interrupted: whatever is signed by now is found before closing lets go of it.
                tracker.look()

    def _tell(self, out: Out, err: Out, *, as_json: bool) -> None:
        for track in self.tracks:
            if track.error is not None:
                err.line(f"bitget-async: {track.symbol}: {sentence(track.error)}")
            elif not as_json:
                for line in _details(track):
                    out.line(line)
        reports = [track.report for track in self.tracks if track.report is not None]
        if reports and not as_json:
            said = reports[0].assumptions
            out.line(f"Not touched: {said['not_touched']}.", "dim")
            out.line(
                f"Assumed: a listing is at most {said['staleness_s']} s old, and no command is executed later than "
                f"{said['execution_grace_s']} s after the last moment in which it can be accepted.",
                "dim",
            )


def _details(track: Track) -> list[str]:
    """What the table or the event lines do not say: what is left, and what to do about it."""
    report = track.report
    assert report is not None
    lines = []
    if report.still_open:
        lines.append(f"{track.symbol}: still open: {_ids(report.still_open)}")
    if report.vanished:
        lines.append(f"{track.symbol}: not proven: {_ids(report.vanished)}")
    if report.outcome is Outcome.STILL_OPEN:
        lines.append(
            f"{track.symbol}: the command can have no more effect on them. Run it again with --ensure, which cancels "
            "by id what is left."
        )
    elif report.outcome is Outcome.UNKNOWN:
        lines.append(f"{track.symbol}: unknown ({report.reason}). {NEXT.get(report.reason, LOOK)}.")
    if report.late:
        lines.append(f"{track.symbol}: placed after the command, and not claimed: {_ids(report.late)}")
    return lines + [f"{track.symbol}: noticed: {what}" for what in report.anomalies]


def _ids(fates: Sequence[OrderFate]) -> str:
    ids = [each.order.order_id for each in fates]
    return ", ".join(ids[:SHOWN_IDS]) + (f" and {len(ids) - SHOWN_IDS} more" if len(ids) > SHOWN_IDS else "")


def _interrupted(tracks: Sequence[Track]) -> list[str]:
    lines = ["Interrupted. What was sent stays sent: the exchange goes on, and nobody is watching any more."]
    for track in tracks:
        counts = track.counts()
        if track.error is not None:
            lines.append(f"  {track.symbol}: {sentence(track.error)}")
        elif track.report is not None:
            lines.append(f"  {track.symbol}: {track.state}, proven before the interruption.")
        elif track.handle is None:
            lines.append(f"  {track.symbol}: not sent.")
        else:
            taken = "sent, and taken by the exchange" if track.handle.acknowledged else "signed, and probably sent"
            known = f"{counts.cancelled} cancelled, {counts.filled} filled, {counts.open + counts.unproven} not known"
            seen = f"of {plural(counts.seen, 'order')}: {known}" if counts.seen else "its orders are not known"
            lines.append(f"  {track.symbol}: {taken}; {seen}.")
    return [*lines, "Look with --dry-run before you rely on anything."]


def _to_dict(track: Track) -> dict[str, Any]:
    return {
        "symbol": track.symbol,
        "state": track.state,
        "signed": track.handle is not None,
        "exit_code": track.exit,
        "error": None if track.error is None else sentence(track.error),
        "report": None if track.report is None else track.report.to_dict(),
    }
