"""Real processes, real SIGKILL, a real file: what the next process makes of what the killed one left."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bitget_async import BitgetClient, LocalLimits, Outcome, PendingCancellation, PendingPlacement, PlacementOutcome
from bitget_async.sim import Settings, SimulatedExchange
from tests.crash.bot import POINTS, STALENESS_S

ROOT = Path(__file__).parent.parent.parent
MODES = ("never", "sending", "always")
NOT_SENT = ("before the intent", "after the intent", "waiting for the token")
VERBS = {"sweep": "cancel-symbol-order", "place": "place-order"}


@dataclass
class Life:
    """One case: an account of its own, so that nothing of another case can be taken for it."""

    verb: str
    point: str
    fsync: str
    account: Any
    journal: Path
    copies: int = 0


def copies(exchange: SimulatedExchange, life: Life) -> int:
    """Commands of that account at the exchange."""
    return sum(copy.method == "POST" and copy.uid == life.account.uid for copy in exchange.truth.wire)


async def killed(exchange: SimulatedExchange, lives: list[Life]) -> list[int]:
    """Let the bot live all these lives; how each ended."""
    cases = []
    for life in lives:
        key = exchange.credentials(life.account)
        cases.append(
            {
                "verb": life.verb,
                "point": life.point,
                "fsync": life.fsync,
                "journal": str(life.journal),
                "base_url": exchange.base_url,
                "key": [key.api_key, key.secret, key.passphrase],
            }
        )
    pipe = asyncio.subprocess.PIPE
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crash.bot", stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT
    )
    told, errors = await asyncio.wait_for(
        bot.communicate(json.dumps(cases).encode()), 60
    )  # the guard is for the package
    assert not bot.returncode, errors.decode()
    ended: list[int] = json.loads(told)
    return ended


async def resumed(exchange: SimulatedExchange, life: Life) -> str:
    """The second life, and the judgement; returns the outcome."""
    key = exchange.credentials(life.account)
    limits = LocalLimits()
    async with BitgetClient(key, base_url=exchange.base_url, journal=life.journal, limits=limits) as client:
        handles = await client.resume_pending()
        if life.point in NOT_SENT:
            assert handles == ()
            assert life.copies == 0
            return "never sent"
        (pending,) = handles
        assert isinstance(pending, PendingCancellation if life.verb == "sweep" else PendingPlacement)
        report: Any = await pending.settled(30)
    truth = exchange.truth
    uid = life.account.uid
    sent = life.point != "before the first byte"
    assert life.copies == int(sent)
    still_open = truth.open_ids(uid)
    if life.verb == "sweep":
        assert report.outcome is (Outcome.CONFIRMED if sent else Outcome.UNKNOWN)
        assert len(still_open) == (0 if sent else 3)
        if sent:
            assert len(report.cancelled) == 3
    else:
        # Whether the time to confirm reaches past the last moment at which it could appear is the machine's haste.
        absent = (PlacementOutcome.NOT_PLACED, PlacementOutcome.UNKNOWN)
        assert report.outcome in ((PlacementOutcome.PLACED,) if sent else absent)
        assert still_open == ((report.placement.order_id,) if sent else ())
    assert copies(exchange, life) == life.copies, "a resumed client sent a command"
    name: str = report.outcome.name
    return name


@pytest.mark.failure(53)
@pytest.mark.parametrize("verb", VERBS)
def test_a_killed_process_leaves_what_the_next_one_needs(
    verb: str, tmp_path: Path, count_cases: Callable[[int], None], figure: Callable[[str, Any], None]
) -> None:
    """Nine points, three ways to fsync: the outcome that the truth has, and not one command more."""

    async def main() -> None:
        settings = Settings(
            request_latency_s=0.15,
            listing_lag_s=0.0,
            history_lag_s=0.0,
            order_info_lag_s=0.0,
            sweep_delay_s=0.05,
            staleness_limit_s=STALENESS_S,
            ip_per_minute=None,
        )
        async with SimulatedExchange(3, settings=settings) as exchange:
            lives = []
            for number, (point, fsync) in enumerate((point, fsync) for point in POINTS for fsync in MODES):
                account = exchange.add_account()
                lives.append(Life(verb, point, fsync, account, tmp_path / str(number)))
                if verb == "sweep":
                    exchange.rest("BTCUSDT", 3, account=account, age_s=60)
            ended = await killed(exchange, lives)
            assert ended == [signal.SIGKILL] * len(lives)
            # What was on its way has arrived.
            await asyncio.sleep(0.3)
            for life in lives:
                life.copies = copies(exchange, life)
            results = await asyncio.gather(*(resumed(exchange, life) for life in lives), return_exceptions=True)
            failures = [(life, each) for life, each in zip(lives, results, strict=True) if not isinstance(each, str)]
            assert not failures, failures
            count_cases(len(lives))
            for point in POINTS:
                came_to = [each for life, each in zip(lives, results, strict=True) if life.point == point]
                figure(f"crash.{verb}: {point}", came_to)

    asyncio.run(main())
