"""
A thin HTTP shell over the gateway.
"""

from __future__ import annotations

import asyncio
import socket
import struct

from aiohttp import WSMsgType, web

from bitget_async.sim.call import Reply, Request
from bitget_async.sim.gateway import Gateway
from bitget_async.sim.sockets.hall import Sockets
from bitget_async.sim.sockets.talk import PRIVATE_PATH, PUBLIC_PATH

__all__ = ["SimulatorServer"]

CLOSE_S = 0.1
# More than any message that the exchange takes; beyond, the connection ends.
MESSAGE_BYTES = 1 << 16
TEXT_FRAME, CLOSE_FRAME, PONG_FRAME = 0x81, 0x88, 0x8A


class SimulatorServer:
    """
    Serves a gateway over HTTP, and its sockets, on one address.

    Args:
        gateway: answers.
        sockets: takes the connections to the two WebSocket paths.
        host, port: where to listen; port 0 picks a free one.
        keepalive_s: how long an idle connection is kept.
    """

    def __init__(self, gateway: Gateway, sockets: Sockets, host: str, port: int, *, keepalive_s: float) -> None:
        self._gateway = gateway
        self._sockets = sockets
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
        self._sockets.shut()
        self._web.pre_shutdown()
        await self._web.shutdown(CLOSE_S)
        await _turns(2)
        await listener.wait_closed()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.raw_path in (PUBLIC_PATH, PRIVATE_PATH) and "Upgrade" in request.headers:
            return await self._listen(request)
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

    async def _listen(self, request: web.BaseRequest) -> web.StreamResponse:
        """One WebSocket connection, until it is gone. aiohttp reads, the wire writes: nobody waits for anybody."""
        if not self._sockets.admits(request.remote or ""):
            return web.Response(status=429)
        response = web.WebSocketResponse(autoping=False, autoclose=False, compress=False, max_msg_size=MESSAGE_BYTES)
        await response.prepare(request)
        if request.transport is None:
            return response
        wire = SocketWire(request.transport)
        talk = self._sockets.enter(request.raw_path, request.remote or "", wire)
        code = None
        try:
            while True:
                message = await response.receive()
                if message.type is WSMsgType.CLOSE:
                    code = message.data
                    wire.close(code or 1000)
                    break
                if message.type in (WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                    break
                if message.type is WSMsgType.PING:
                    talk.pinged(message.data)
                elif message.type is not WSMsgType.PONG:
                    talk.received(message.data if message.type is WSMsgType.TEXT else None)
        finally:
            talk.gone(code)
            wire.end()
        return response

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


class SocketWire:
    """
    The writing half of a WebSocket: frames go to the transport as they are, unmasked and whole.

    Args:
        transport: of the connection.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._said_goodbye = False

    def write(self, text: bytes) -> int:
        """Send a text frame. Returns how many bytes are waiting to be read."""
        self._send(TEXT_FRAME, text)
        return self._transport.get_write_buffer_size()

    def pong(self, data: bytes) -> None:
        """Answer a ping of the protocol."""
        self._send(PONG_FRAME, data)

    def close(self, code: int) -> None:
        """Say goodbye, once."""
        if not self._said_goodbye:
            self._send(CLOSE_FRAME, struct.pack("!H", code))
            self._said_goodbye = True

    def abort(self, *, mid_frame: bool) -> None:
        """Be gone at once, in the middle of a frame or between two."""
        if mid_frame and not self._transport.is_closing():
            # It promises more than comes.
            self._transport.write(bytes((TEXT_FRAME, 120)) + b'{"action":"snapshot","arg":{"instType":"SPOT","ch')
            self._transport.close()
        else:
            self._transport.abort()

    def end(self) -> None:
        """Close behind what was sent."""
        self._transport.close()

    def _send(self, kind: int, data: bytes) -> None:
        if self._said_goodbye or self._transport.is_closing():
            return
        length = len(data)
        if length < 126:
            head = struct.pack("!BB", kind, length)
        elif length < 1 << 16:
            head = struct.pack("!BBH", kind, 126, length)
        else:
            head = struct.pack("!BBQ", kind, 127, length)
        self._transport.write(head + data)


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def _linger_not(transport: asyncio.BaseTransport) -> None:
    """Make the close a reset. A socket without options, as in virtual time, just closes."""
    raw = transport.get_extra_info("socket")
    if raw is not None and isinstance(raw.fileno(), int):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
