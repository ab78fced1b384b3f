"""The transport that one writes first: aiohttp as it comes. For planted bugs, which are its defaults."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import aiohttp

from bitget_async import transport
from bitget_async.wire import Reply, Request

__all__ = ["aiohttp_as_it_comes"]


@contextmanager
def aiohttp_as_it_comes(*, redirects: bool = False, repeats: bool = False) -> Iterator[None]:
    """Every request over a session of aiohttp's, with one of its defaults left on."""

    async def send(self: Any, request: Request, stamp: Callable[[], Mapping[str, str]], timeout_s: float) -> Reply:
        row, clock = request.row, self._clock
        sent_ns = clock.monotonic_ns()
        try:
            async with (
                asyncio.timeout(timeout_s),
                aiohttp.ClientSession(headers=self._headers) as session,
            ):
                session._retry_connection = repeats
                async with session.request(
                    row.method,
                    self._origin + request.sent_target,
                    data=request.body or None,
                    headers=stamp(),
                    allow_redirects=redirects,
                ) as response:
                    body = await response.read()
                    left = response.headers.get(transport.REMAINING)
                    remaining = int(left) if left else None
                    return Reply(response.status, body, remaining, sent_ns, clock.monotonic_ns())
        except Exception as caught:
            error = transport._describe(caught, row.label, True)
        raise error

    with mock.patch.object(transport.AiohttpTransport, "send", send):
        yield
