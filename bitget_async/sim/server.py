"""
A thin HTTP shell over the gateway.
"""

from __future__ import annotations

import asyncio
import socket
import struct

from aiohttp import web

from bitget_async.sim.call import Reply, Request
from bitget_async.sim.gateway import Gateway

__all__ = ["SimulatorServer"]

CLOSE_S = 0.1


class SimulatorServer:
    """
    Serves a gateway over HTTP on one address.

    Args:
        gateway: answers.
        host, port: where to listen; port 0 picks a free one.
        keepalive_s: how long an idle connection is kept.
    """

    def __init__(self, gateway: Gateway, host: str, port: int, *, keepalive_s: float) -> None:
        self._gateway = gateway
        self._host = host
        self._port = port
        self._keepalive_s = keepalive_s
        self._web: web.Server | None = None
        self._listener: asyncio.Server | None = None
        self._closing = asyncio.Event()
        self.address: tuple[str, int] | None = None

    async def start(self) -> None:
        """Listen. Sets `address`."""
        # A client that goes away cancels its handler; the gateway processes the request all the same.
        self._web = web.Server(
            self._serve, handler_cancellation=True, access_log=None, keepalive_timeout=self._keepalive_s
        )
        self._closing = asyncio.Event()
        self._listener = await asyncio.get_running_loop().create_server(self._web, self._host, self._port)
        host, port = self._listener.sockets[0].getsockname()[:2]
        self.address = (host, port)

    async def close(self) -> None:
        """Stop listening and close every connection; handlers that hang are released."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        assert self._web is not None
        self.address = None
        # asyncio loses a connection that it has accepted but not yet handed over when the listener is closed. So:
        # accept no more, let the turns pass in which it is handed over, then close.
        loop = asyncio.get_running_loop()
        for sock in listener.sockets:
            loop.remove_reader(sock.fileno())
        await _turns(3)
        listener.close()
        self._closing.set()
        self._web.pre_shutdown()
        await self._web.shutdown(CLOSE_S)
        await _turns(2)
        await listener.wait_closed()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        path, _, query = request.raw_path.partition("?")
        reply = await self._gateway.handle(
            Request(
                method=request.method,
                path=path,
                query=query,
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
                ip=request.remote or "",
            )
        )
        if reply.kind == "send" and reply.cut_at is None:
            return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
        return await self._misbehave(request, reply)

    async def _misbehave(self, request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        if reply.kind == "send":
            response.content_length = len(reply.body)
            await response.prepare(request)
            await response.write(reply.body[: reply.cut_at])
        elif reply.kind == "hang":
            await self._closing.wait()
        if (transport := request.transport) is not None:
            if reply.kind == "reset":
                _linger_not(transport)
            transport.close()
        # The connection is gone: whatever is returned now is written nowhere.
        return response


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def _linger_not(transport: asyncio.BaseTransport) -> None:
    """Make the close a reset. A socket without options, as in virtual time, just closes."""
    raw = transport.get_extra_info("socket")
    if raw is not None and isinstance(raw.fileno(), int):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
