"""The guard as it runs, in virtual time, against the simulator: what it does to an account and what it says."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bitget_async import AuthenticationFailed, BitgetClient
from bitget_async.clock import VirtualClock
from bitget_async.guard import Answer, Beat, Memory, Rules, Word
from bitget_async.guardian import AccountHands, Guardian, Hands, Round
from bitget_async.models import StopPlan
from bitget_async.sim import SimulatedExchange, faults
from bitget_async.tasks import Tasks
from tests.conftest import with_exchange

S1, S2 = "1" * 16, "2" * 16
COMMANDS = ("cancel-symbol-order", "batch-cancel-order", "cancel-order")


class Ear:
    """An inlet that a test speaks into."""

    def __init__(self, *, blind: bool = False) -> None:
        self.blind = blind
        self.closed = False
        self._number = 0

    async def open(self, hear: Callable[[bytes], bytes], sight: Callable[[bool, str], None]) -> None:
        self.hear, self.sight = hear, sight

    async def close(self) -> None:
        self.closed = True

    def __str__(self) -> str:
        return "an ear"

    def beat(self, session: str = S1, *, goodbye: bool = False) -> Word:
        """One beat of a bot that beats each second."""
        self._number += 1
        answer = Answer.decode(self.hear(Beat("bot", session, self._number, 1.0, goodbye).encode()))
        assert answer is not None
        return answer.word

    async def beats(self, seconds: int, session: str = S1) -> None:
        """Beat for so long."""
        for _ in range(seconds):
            _ = self.beat(session)
            await asyncio.sleep(1)


class Told(list[tuple[str, dict[str, Any]]]):
    """What the guard said."""

    def __init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()

    def __call__(self, event: str, facts: dict[str, Any]) -> None:
        self.append((event, facts))
        self._news.set()

    async def until(self, event: str) -> None:
        """Wait until it says that."""
        while not self.named(event):
            self._news.clear()
            _ = await self._news.wait()

    def named(self, event: str) -> list[dict[str, Any]]:
        """The facts of each such event."""
        return [facts for name, facts in self if name == event]


class Scene:
    """A guard that runs beside a test."""

    def __init__(self, client: BitgetClient, memory: Path | None = None) -> None:
        self.client = client
        self.memory = memory
        self.tasks = Tasks()
        self.clock = VirtualClock()

    async def guard(self, hands: Hands | None = None, *, ear: Ear | None = None, **options: Any) -> tuple[Ear, Told]:
        """Start one."""
        the_ear, told = ear or Ear(), Told()
        rules = options.pop("rules", Rules(after_s=10.0))
        memory = None if self.memory is None else Memory(self.memory, self.clock, lambda text: told("warning", {}))
        the_hands = hands or AccountHands(self.client)
        guardian = Guardian(rules, the_ear, the_hands, memory, clock=self.clock, tell=told, **options)
        self.tasks.start(guardian.run(), "the guard")
        await asyncio.sleep(0.1)
        return the_ear, told

    async def kill(self) -> None:
        """End the guard without a word."""
        await self.tasks.close()


def scene(
    main: Callable[[Scene, SimulatedExchange], Awaitable[None]], memory: Path | None = None, **settings: Any
) -> None:
    """Run that with an exchange where five orders rest on two symbols."""

    async def whole(exchange: SimulatedExchange, client: BitgetClient) -> None:
        _ = exchange.rest("BTCUSDT", 3, age_s=60), exchange.rest("ETHUSDT", 2, age_s=60)
        made = Scene(client, memory)
        await main(made, exchange)
        await made.kill()

    with_exchange(whole, **settings)


def posts(exchange: SimulatedExchange) -> int:
    """How many commands have reached it."""
    return sum(exchange.truth.count(endpoint) for endpoint in COMMANDS)


def still_open(exchange: SimulatedExchange) -> int:
    """How many orders are open in truth."""
    return len(exchange.truth.open_ids(exchange.account.uid))


def test_silence_stops_the_account_and_proves_it() -> None:
    """The whole way: armed, silent, stopped, confirmed; and the truth agrees."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        ear, told = await made.guard()
        await ear.beats(30)
        assert posts(exchange) == 0
        await asyncio.sleep(30)
        assert still_open(exchange) == 0
        (fired,), (confirmed,) = told.named("fired"), told.named("confirmed")
        assert fired["because"] == "silent"
        assert fired["silent_s"] == pytest.approx(10.0, abs=0.3)
        assert confirmed["symbols"] == {"BTCUSDT": "CONFIRMED", "ETHUSDT": "CONFIRMED"}
        assert ear.beat() is Word.FIRED
        before = posts(exchange)
        await asyncio.sleep(100)
        assert posts(exchange) == before

    scene(main)


def test_a_goodbye_leaves_the_account_alone() -> None:
    """The bot ended in peace."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        ear, told = await made.guard()
        await ear.beats(5)
        assert ear.beat(goodbye=True) is Word.DISARMED
        await asyncio.sleep(120)
        assert still_open(exchange) == 5
        assert told.named("fired") == []

    scene(main)


def test_it_goes_on_until_the_stop_is_proven() -> None:
    """The exchange refuses for half a minute: each round says so, and the last one is proven."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        ear, told = await made.guard()
        _ = ear.beat()
        await asyncio.sleep(9)
        for endpoint in COMMANDS:
            exchange.faults.add(endpoint, faults.envelope("40018"), times=None)
        await asyncio.sleep(100)
        assert still_open(exchange) == 5
        assert len(told.named("unconfirmed")) >= 1
        exchange.faults.clear()
        await asyncio.sleep(120)
        assert still_open(exchange) == 0
        assert len(told.named("confirmed")) == 1

    scene(main)


def test_no_new_session_until_the_stop_is_over_and_then_it_is_guarded() -> None:
    """A bot that is restarted meanwhile waits; its orders are not swept afterwards."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        ear, told = await made.guard()
        _ = ear.beat()
        await asyncio.sleep(10.5)
        assert ear.beat(S2) is Word.STOPPING
        await told.until("confirmed")
        await asyncio.sleep(0.1)
        assert ear.beat(S2) is Word.ARMED
        assert len(told.named("confirmed")) == 1
        _ = exchange.rest("SOLUSDT", 1)
        await ear.beats(60, S2)
        assert still_open(exchange) == 1, "the orders of the new bot were swept"
        await asyncio.sleep(30)
        assert still_open(exchange) == 0
        assert len(told.named("confirmed")) == 2

    scene(main)


def test_orders_that_arrive_after_the_stop_are_stopped_too() -> None:
    """A command that was signed before the bot died can be accepted 30 s long."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        ear, told = await made.guard()
        _ = ear.beat()
        await told.until("confirmed")
        await asyncio.sleep(20)
        _ = exchange.rest("SOLUSDT", 1)
        await asyncio.sleep(10)
        assert still_open(exchange) == 0
        assert told.named("late") == [{"symbols": {"SOLUSDT": 1}}]
        await asyncio.sleep(60)
        _ = exchange.rest("SOLUSDT", 1)
        await asyncio.sleep(60)
        assert still_open(exchange) == 1, "it stops for ever"

    scene(main)


def test_a_rehearsal_sends_no_command() -> None:
    """Everything but that: the plan is what is open."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        ear, told = await made.guard(rehearse=True, rules=Rules(after_s=10.0, rearm=True))
        for _ in range(2):
            assert ear.beat() is Word.ARMED
            await asyncio.sleep(12)
        assert [facts["left"] for facts in told.named("rehearsed")] == [{"BTCUSDT": 3, "ETHUSDT": 2}] * 2
        assert all(facts["plan"].startswith("5 orders") for facts in told.named("rehearsed"))
        assert all(facts["rehearsal"] for _, facts in told)
        assert {copy.method for copy in exchange.truth.wire} == {"GET"}
        assert still_open(exchange) == 5

    scene(main)


def test_a_guard_that_was_killed_while_it_stopped_goes_on(tmp_path: Path) -> None:
    """The file says that the stop was not proven."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        ear, told = await made.guard()
        _ = ear.beat()
        await told.until("fired")
        await asyncio.sleep(0.3)
        await made.kill()
        before = posts(exchange)
        _, told = await made.guard()
        assert told.named("resumed_stop")[0]["bots"] == ["bot"]
        await asyncio.sleep(10)
        assert len(told.named("confirmed")) == 1
        assert still_open(exchange) == 0
        assert posts(exchange) >= before

    scene(main, tmp_path / "state")


def test_a_guard_that_was_away_stops_for_a_bot_that_died_meanwhile(tmp_path: Path) -> None:
    """And gives one that lives the chance to be heard."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        ear, _ = await made.guard()
        await ear.beats(5)
        await made.kill()
        await asyncio.sleep(60)
        ear, told = await made.guard(ear=ear)
        await ear.beats(20)
        assert told.named("fired") == []
        await made.kill()
        await asyncio.sleep(60)
        began = asyncio.get_running_loop().time()
        _, told = await made.guard(ear=ear)
        await told.until("fired")
        assert asyncio.get_running_loop().time() - began == pytest.approx(2.5, abs=0.5)
        await asyncio.sleep(10)
        assert still_open(exchange) == 0

    scene(main, tmp_path / "state")


@pytest.mark.parametrize("content", [b"{", b'{"v":1,"watch":{"bots":3},"boot":"x","monotonic_ns":1,"epoch_ms":1}'])
def test_a_file_that_cannot_be_read_counts_as_armed(content: bytes, tmp_path: Path) -> None:
    """That nobody was armed would be a guess, and the wrong one to make."""
    path = tmp_path / "state"
    path.write_bytes(content)
    path.chmod(0o600)

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        _, told = await made.guard()
        assert len(told.named("memory_damaged")) == 1
        await asyncio.sleep(20)
        assert len(told.named("fired")) == 1
        assert still_open(exchange) == 0

    scene(main, path)


def test_blindness_is_told_and_fires_after_its_time() -> None:
    """Said at once and each minute, with who is armed."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        ear, told = await made.guard(rules=Rules(after_s=10.0, blind_after_s=90.0), ear=Ear(blind=True))
        ear.sight(True, "")
        await ear.beats(5)
        for _ in range(100):
            ear.sight(False, "connection refused")
            await asyncio.sleep(1)
        blind = told.named("blind")
        assert [(facts["why"], facts["armed"]) for facts in blind] == [("connection refused", ["bot"])] * 2
        assert [facts["because"] for facts in told.named("fired")] == ["blind"]
        ear.sight(True, "")
        assert len(told.named("sighted")) == 2
        assert still_open(exchange) == 0

    scene(main)


def test_a_key_that_is_refused_is_told_before_it_matters() -> None:
    """Every minute; and when it is well again."""

    class Refused:
        """Hands whose key was revoked for a while."""

        def __init__(self, hands: Hands) -> None:
            self.hands = hands
            self.ill = True

        async def check(self) -> tuple[int, tuple[str, ...]]:
            if self.ill:
                raise AuthenticationFailed("40006", "Invalid ACCESS_KEY")
            return await self.hands.check()

        async def plan(self) -> dict[str, int]:
            return await self.hands.plan()

        async def rehearse(self) -> StopPlan:
            return await self.hands.rehearse()

        async def round(self) -> Round:
            return await self.hands.round()

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        hands = Refused(AccountHands(made.client))
        _, told = await made.guard(hands)
        assert "40006" in told.named("not_ready")[0]["why"]
        hands.ill = False
        await asyncio.sleep(61)
        assert told.named("ready") == [{"open_orders": 5}]

    scene(main)


def test_an_exchange_out_of_reach_is_tried_for_ever_with_longer_pauses() -> None:
    """Each try says what is not known; the pauses grow from 1 to 10 s, and the first try that gets through ends it."""

    class Cut(AccountHands):
        """Hands that reach nobody for a quarter of an hour."""

        began: list[float] = []  # noqa: RUF012 - one pair of hands

        async def round(self) -> Round:
            now_s = asyncio.get_running_loop().time()
            self.began.append(now_s)
            if now_s < self.began[0] + 900:
                return Round(False, wrong=("the open orders could not be listed: no line",))
            return await super().round()

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        hands = Cut(made.client)
        ear, told = await made.guard(hands)
        _ = ear.beat()
        await told.until("confirmed")
        tries = hands.began
        pauses = [round(after - before) for before, after in itertools.pairwise(tries)]
        assert pauses[:6] == [1, 2, 4, 8, 10, 10]
        assert set(pauses[6:]) == {10}
        assert tries[-1] - tries[0] < 900 + 10.5
        unconfirmed = told.named("unconfirmed")
        assert [each["round"] for each in unconfirmed] == list(range(1, len(tries)))
        assert all(each["left"] is None and each["wrong"] for each in unconfirmed)
        assert still_open(exchange) == 0

    scene(main)


def test_a_bot_that_wakes_up_during_the_stop_is_told_and_saves_nothing() -> None:
    """Its process was stopped (SIGSTOP) and goes on: the stop is carried out, and that session is not guarded again."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        exchange.faults.add("unfilled-orders", faults.drop(executed=False), times=3)
        ear, told = await made.guard()
        await ear.beats(3)
        await told.until("fired")
        heard = {ear.beat()}
        while not told.named("confirmed"):
            await asyncio.sleep(0.5)
            heard.add(ear.beat())
        assert heard <= {Word.STOPPING, Word.FIRED}
        assert still_open(exchange) == 0
        await asyncio.sleep(60)
        assert ear.beat() is Word.FIRED
        assert len(told.named("fired")) == 1

    scene(main)


@pytest.mark.parametrize("by_s", [-3600, 3600])
def test_a_wall_clock_that_is_set_moves_no_verdict(by_s: int) -> None:
    """Silence is counted by the monotonic clock: no stop while a bot beats, and none too late."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        ear, told = await made.guard()
        await ear.beats(5)
        made.clock.step(by_s * 1000)
        await ear.beats(30)
        assert told.named("fired") == []
        began_s = asyncio.get_running_loop().time()
        await told.until("fired")
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(9.0, abs=0.5)

    scene(main)


def test_a_bot_that_died_before_the_guard_did_is_noticed_by_the_next_one(tmp_path: Path) -> None:
    """A supervisor starts the guard again at once: what the first one had counted is not lost."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        ear, told = await made.guard()
        await ear.beats(5)
        await asyncio.sleep(6)
        assert told.named("fired") == []
        await made.kill()
        _, again = await made.guard()
        began_s = asyncio.get_running_loop().time()
        await again.until("confirmed")
        assert again.named("fired")[0]["silent_s"] == pytest.approx(10.0, abs=0.6)
        assert asyncio.get_running_loop().time() - began_s < 7.0
        assert still_open(exchange) == 0

    scene(main, tmp_path / "state")


def test_a_defect_in_a_round_does_not_end_the_stop() -> None:
    """It is the only thing that still acts."""

    class Clumsy:
        """Hands that drop the first round."""

        def __init__(self) -> None:
            self.rounds = 0

        async def check(self) -> tuple[int, tuple[str, ...]]:
            return 0, ("an odd key",)

        async def plan(self) -> dict[str, int]:
            return {}

        async def rehearse(self) -> StopPlan:
            raise AssertionError("nobody rehearses")

        async def round(self) -> Round:
            self.rounds += 1
            if self.rounds == 1:
                raise RuntimeError("dropped")
            return Round(True)

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        ear, told = await made.guard(Clumsy())
        _ = ear.beat()
        await asyncio.sleep(15)
        assert told.named("unconfirmed")[0]["wrong"] == ["a defect: RuntimeError"]
        assert told.named("confirmed")[0]["rounds"] == 2
        assert told.named("odd_key") == [{"what": ["an odd key"]}]

    scene(main)


def test_symbols_that_were_seen_before_are_stopped_when_the_listing_fails() -> None:
    """The exchange answers no listing any more: what the last check saw is cancelled all the same."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        hands = AccountHands(made.client, symbols=["SOLUSDT"])
        assert await hands.check() == (5, ())
        exchange.faults.add("unfilled-orders", faults.drop(executed=False), times=None)
        done = await hands.round()
        assert done.confirmed is False
        assert done.left is None
        assert set(done.symbols) == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
        assert len(done.wrong) == 1
        assert still_open(exchange) == 0

    scene(main)


def test_the_next_round_does_not_wait_for_a_listing_that_fails() -> None:
    """The listings stay away, and commands get through again: the symbols that were seen are cancelled first."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        hands = AccountHands(made.client)
        _ = await hands.check()
        exchange.faults.add("unfilled-orders", faults.drop(executed=False), times=None)
        for endpoint in COMMANDS:
            exchange.faults.add(endpoint, faults.drop(executed=False), times=None)
        assert (await hands.round()).confirmed is False
        assert still_open(exchange) == 5
        for endpoint in COMMANDS:
            exchange.faults.clear(endpoint)
        round_ = asyncio.ensure_future(hands.round())
        await asyncio.sleep(3)
        assert still_open(exchange) == 0
        assert (await round_).confirmed is False
        exchange.faults.clear()
        assert (await hands.round()).confirmed is True

    scene(main)


def test_a_key_with_other_rights_than_it_needs_is_said() -> None:
    """One that may not trade will be refused when it matters."""

    async def main(made: Scene, exchange: SimulatedExchange) -> None:
        key = exchange.add_key(trade=False)
        async with BitgetClient(key, base_url=exchange.base_url, clock=made.clock) as client:
            _, odd = await AccountHands(client).check()
        assert len(odd) == 1
        assert "permission" in odd[0]

    scene(main)
