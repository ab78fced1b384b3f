"""Memory for answers is the process's own: it does not come from the system anew with each of them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from tests.test_packaging import ROOT

# A fresh process: in this one larger blocks were freed long ago.
PROGRAM = r"""
import asyncio, contextlib, resource
from bitget_async.clock import SystemClock
from bitget_async.endpoints import HISTORY_ORDERS
from bitget_async.transport import AiohttpTransport
from bitget_async.wire import encode

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + b" " * 60_000


async def serve(reader, writer):
    with contextlib.suppress(asyncio.IncompleteReadError):
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(PAGE)
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = AiohttpTransport(f"http://127.0.0.1:{port}", SystemClock(), headers={})
    request = encode(HISTORY_ORDERS, {"symbol": "BTCUSDT"})
    for calls in (50, 200):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(calls):
            await transport.send(request, dict, 5.0)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / calls)
    await transport.close()
    server.close()


asyncio.run(main())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives blocks of such a size back at once")
def test_a_page_that_is_read_again_costs_no_page_faults() -> None:
    """A body of 60 kB is fifteen of them, and a tenth of what a page of orders costs as records."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MALLOC"))}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=plain, timeout=60)
    assert float(done.stdout) < 1
