"""Four processes, one account, a real server: the exchange counts, and nobody breaks the limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sharing.processes import prove
from tests.sharing.server import program

pytestmark = [
    pytest.mark.skipif(program() is None, reason="no redis-server and no valkey-server on this machine"),
    pytest.mark.slow,
]


@pytest.mark.failure(58)
def test_four_processes_keep_one_limit_through_a_kill_and_a_restart_of_the_server(
    tmp_path: Path, figure: Callable[[str, Any], None]
) -> None:
    """Real processes, SIGKILL, a server that forgets everything: never more than 5 commands and 20 reads a second."""
    proof = asyncio.run(prove(9.0, tmp_path))
    assert proof.worst_command_second <= 5
    assert proof.worst_read_second <= 20
    assert proof.answers_429 == 0
    assert proof.commands > 5
    assert proof.reads > 20
    figure("shared_limits.worst_command_second", proof.worst_command_second)
