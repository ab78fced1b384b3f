"""A Redis or Valkey server of a test's own, in a folder of its own, keeping nothing."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

import redis

__all__ = ["RealServer", "program"]

START_S = 15.0


def program() -> str | None:
    """The server that this machine has."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


class RealServer:
    """
    One server, on a Unix socket; with a password, on a port of loopback. `start` again after `kill` is another run of
    it, with nothing of what the last one had.
    """

    def __init__(self, folder: Path, password: str = "") -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        if password:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            self._place = f"--port {port} --bind 127.0.0.1 --requirepass {password}"
            self.url = f"redis://:{password}@127.0.0.1:{port}/0"
        else:
            self._place = "--port 0 --unixsocket socket"
            self.url = f"unix://{folder / 'socket'}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        name = program()
        assert name is not None
        options = ["--save", "", "--appendonly", "no", "--daemonize", "no"]
        self._process = subprocess.Popen(
            [name, *self._place.split(), *options],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until_s = time.monotonic() + START_S
        with self.client() as client:
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    assert time.monotonic() < until_s, "the server does not answer"
                    time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL: it saves nothing and says nothing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> redis.Redis:
        """A client of the test's own, to look and to meddle."""
        return redis.Redis.from_url(self.url)
