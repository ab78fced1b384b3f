"""The page `docs/endpoints.md`, made from the catalogue by `make docs`: text out, nothing read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import get_args, get_origin

from bitget_async.endpoints import CATALOGUE, LEFT_OUT
from bitget_async.endpoints.row import Effect, Endpoint, Quota, Scope

__all__ = ["page"]

HEAD = """\
# Endpoints

Made from the catalogue by `make docs`; a test compares the two. Do not edit.

Each row is one call of the exchange's V2 spot API. The verb is what it is called on the client; without one on the
client, or for full control, `await client.call(ROW, ...)` makes any of them, limited, signed and with its errors
mapped. Parameters are in snake case, required ones are **bold**; [outcomes and errors](outcomes-and-errors.md) says
what a call can raise.

* **Quota**: calls a second, counted by account (UID) or by address (IP), as documented. \
`1 (ours)` where no document at hand names a number: the least there can be is our choice. Where the header of an \
answer says that less is left, the limiter follows it: recorded answers of place-plan-order, modify-plan-order and \
cancel-plan-order speak of 10 a second instead of 20, those of history-candles of 5.
* **Effect**: a *read* may be repeated inside its deadline; a *command* is never sent again once it may have been \
executed.
* **Pages**: most rows in one call, the longest range of time in one call, and how long the exchange keeps rows, where \
told. The 30 days of history-orders are our choice: its page names no range, and codes 40704 and 40705 speak of 90 days.
* **Read on**: the date of the copy of the exchange's page. Where there is none, no dated copy was at hand, and names \
and fields are those that other public clients use. Pages of the exchange move; their names stay searchable.
"""
TITLES = {
    "": "Trading: on the client itself",
    "trigger": "Trigger orders: `client.trigger`",
    "account": "Account, wallet and transfers: `client.account`",
    "market": "Market data: `client.market`",
}
DAY_MS = 86_400_000


def page(rows: Iterable[Endpoint] = CATALOGUE, left_out: dict[str, str] = LEFT_OUT) -> str:
    """The whole page, ending with a line break."""
    return "\n".join(_lines(tuple(rows), left_out)) + "\n"


def _lines(rows: tuple[Endpoint, ...], left_out: dict[str, str]) -> Iterator[str]:
    yield HEAD.rstrip()
    for home, title in TITLES.items():
        members = [row for row in rows if row.home == home]
        if not members:
            continue
        yield f"\n## {title}\n"
        yield "| verb | call | parameters | quota | effect | record | pages | source, read on |"
        yield "|---|---|---|---|---|---|---|---|"
        yield from (_row(row) for row in sorted(members, key=lambda row: row.path))
    yield "\n## Left out on purpose\n"
    yield "| call | why |"
    yield "|---|---|"
    yield from (f"| `{label}` | {reason} |" for label, reason in left_out.items())
    paths = len(rows) + len(left_out)
    yield f"\n{len(rows)} of the {paths} calls of the V2 spot API stand here as rows, {len(left_out)} are left out."


def _row(row: Endpoint) -> str:
    cells = (
        f"`{row.verb}`",
        f"`{row.label}`",
        " ".join(f"**`{param.name}`**" if param.required else f"`{param.name}`" for param in row.params) or "none",
        _quota(row.quota, row.unnamed),
        "read" if row.effect is Effect.READ else "command",
        _record(row),
        _pages(row),
        f"[{row.page.rsplit('/', 1)[1]}]({row.page}), {row.read_on or 'no dated copy'}",
    )
    return f"| {' | '.join(cells)} |"


def _quota(quota: Quota, unnamed: bool) -> str:
    return f"{quota.per_s}{' (ours)' if unnamed else ''} {'UID' if quota.scope is Scope.UID else 'IP'}"


def _record(row: Endpoint) -> str:
    if get_origin(row.returns) is list:
        return f"list of `{get_args(row.returns)[0].__name__}`"
    return f"`{row.returns.__name__}`"


def _pages(row: Endpoint) -> str:
    if row.paging is None:
        return ""
    kept = f", kept {row.paging.kept_ms // DAY_MS} days" if row.paging.kept_ms else ""
    span = f", {row.paging.span_ms // DAY_MS} days" if row.paging.span_ms else ""
    return f"{row.paging.limit} rows{span}{kept}"
