"""When the account is to be stopped, moment by moment. Times are seconds from the guard's start."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async.errors import UsageError
from bitget_async.guard.watchdog import Decision, Rules, Standing, Watchdog
from bitget_async.guard.words import Beat, Word

S = 1_000_000_000
START = 77 * S
ONE, TWO, THREE = "1" * 16, "2" * 16, "3" * 16


class Bench:
    """A watchdog with its clock: looks every `look_s` while time passes."""

    def __init__(self, *, armed: bool = False, blind: bool = False, **rules: Any) -> None:
        self.rules = Rules(**{"after_s": 10.0, "look_s": 0.25, **rules})
        self.now = START
        self.dog = Watchdog(self.rules, self.now, armed=armed, blind=blind)
        self.counts: dict[str, int] = {}
        self.fired: list[tuple[float, Decision]] = []

    @property
    def s(self) -> float:
        """Seconds since the start."""
        return (self.now - START) / S

    def beat(self, name: str = "bot", session: str = ONE, *, goodbye: bool = False, number: int | None = None) -> Word:
        """One beat of a bot that beats each second."""
        if number is None:
            number = self.counts[session] = self.counts.get(session, 0) + 1
        return self.dog.hear(Beat(name, session, number, 1.0, goodbye), self.now)

    def run(self, seconds: float, *, beats: Iterable[tuple[str, str]] = ()) -> None:
        """Time passes; those bots beat each second."""
        look = round(self.rules.look_s * S)
        for count in range(round(seconds * S / look)):
            self.now += look
            if (count + 1) % round(S / look) == 0:
                for name, session in beats:
                    _ = self.beat(name, session)
            decision = self.dog.tick(self.now)
            if decision is not None:
                self.fired.append((self.s, decision))

    def again(self, away_s: float | None, really_s: float = 0.0, **options: Any) -> Bench:
        """The next guard, after that time by its own reckoning."""
        data = self.dog.to_dict(self.now)
        other = Bench(**{"after_s": self.rules.after_s, "names": self.rules.names, **options})
        other.counts = self.counts
        other.dog.restore(data, away_s, other.now)
        return other


def test_before_the_first_beat_nothing_is_armed() -> None:
    """A guard that is started before its bots waits for them."""
    bench = Bench()
    bench.run(100)
    assert bench.fired == []
    assert bench.dog.armed == ()


def test_armed_from_the_start_counts_from_there() -> None:
    """`--armed`: a bot that never comes counts as silent."""
    bench = Bench(armed=True)
    bench.run(20)
    assert bench.fired == [(10.0, Decision(("bot",), "silent", 10.0))]


def test_it_fires_exactly_after_the_silence() -> None:
    """`after_s` since the last beat, at the next look."""
    bench = Bench()
    assert bench.beat() is Word.ARMED
    bench.run(30, beats=[("bot", ONE)])
    assert bench.fired == []
    bench.run(20)
    assert bench.fired == [(40.0, Decision(("bot",), "silent", 10.0))]


def test_a_session_causes_one_stop_at_most() -> None:
    """A bot that hung and beats on is told so, and not stopped again and again."""
    bench = Bench()
    _ = bench.beat()
    bench.run(11)
    assert len(bench.fired) == 1
    assert bench.beat() is Word.STOPPING
    bench.dog.stopped()
    assert bench.beat() is Word.FIRED
    bench.run(60)
    assert len(bench.fired) == 1
    assert bench.dog.standing == {"bot": Standing.SPENT}


def test_a_new_session_arms_again() -> None:
    """The bot was restarted: it is guarded as the first one was."""
    bench = Bench()
    _ = bench.beat()
    bench.run(11)
    bench.dog.stopped()
    assert bench.beat(session=TWO) is Word.ARMED
    bench.run(11)
    assert len(bench.fired) == 2


def test_no_new_session_is_taken_while_the_account_is_being_stopped() -> None:
    """Its orders would be swept with those of the dead one."""
    bench = Bench()
    _ = bench.beat()
    bench.run(11)
    assert bench.beat(session=TWO) is Word.STOPPING
    assert bench.dog.armed == ()
    bench.dog.stopped()
    assert bench.beat(session=TWO) is Word.ARMED


def test_a_goodbye_disarms_and_a_late_beat_does_not_arm_again() -> None:
    """Beats can arrive after the goodbye where they come over Redis."""
    bench = Bench()
    _ = bench.beat()
    assert bench.beat(goodbye=True) is Word.DISARMED
    assert bench.beat() is Word.DISARMED
    bench.run(60)
    assert bench.fired == []


def test_an_old_goodbye_does_not_disarm() -> None:
    """What counts is the number: a message of before comes again from a restored Redis."""
    bench = Bench()
    _ = bench.beat(number=5)
    assert bench.beat(number=5, goodbye=True) is Word.ARMED
    bench.run(11)
    assert len(bench.fired) == 1


def test_a_goodbye_of_a_session_that_is_not_known_changes_nothing() -> None:
    """A bot that said it to a guard of before: the session that is armed stays so."""
    bench = Bench()
    _ = bench.beat()
    assert bench.beat(session=TWO, goodbye=True) is Word.DISARMED
    assert bench.dog.armed == ("bot",)
    assert bench.beat() is Word.ARMED


def test_the_same_beat_again_is_no_sign_of_life() -> None:
    """A key in Redis stays where it is when the bot is dead."""
    bench = Bench()
    for _ in range(44):
        _ = bench.beat(number=1)
        bench.run(0.25)
    assert [at for at, _ in bench.fired] == [10.0]


def test_the_younger_session_takes_the_name() -> None:
    """Two bots under one name would hide each other's death."""
    bench = Bench()
    _ = bench.beat(session=ONE)
    assert bench.beat(session=TWO) is Word.ARMED
    assert bench.beat(session=ONE) is Word.SUPERSEDED
    bench.run(11, beats=[("bot", ONE)])
    assert len(bench.fired) == 1


def test_a_stranger_is_told_so() -> None:
    """A bot under a name that nobody watches must not take itself for guarded."""
    assert Bench().beat("somebody") is Word.STRANGER


def test_any_of_several_fires_and_the_others_stay_armed() -> None:
    """The account is stopped for all; who beats on may cause a stop of its own later."""
    bench = Bench(names=("a", "b"))
    _ = bench.beat("a", ONE), bench.beat("b", TWO)
    bench.run(15, beats=[("b", TWO)])
    assert [decision.names for _, decision in bench.fired] == [("a",)]
    assert bench.dog.armed == ("b",)
    assert bench.beat("b", TWO) is Word.STOPPING
    bench.run(20)
    assert len(bench.fired) == 1, "one stop at a time"
    bench.dog.stopped()
    bench.run(1)
    assert [decision.names for _, decision in bench.fired] == [("a",), ("b",)]


def test_all_of_several_must_be_silent_with_all() -> None:
    """A hedger that lives takes care of what the maker left."""
    bench = Bench(names=("a", "b", "c"), together=True)
    _ = bench.beat("a", ONE), bench.beat("b", TWO)
    bench.run(30, beats=[("b", TWO)])
    assert bench.fired == []
    bench.run(10)
    assert [(at, decision.names) for at, decision in bench.fired] == [(40.0, ("a", "b"))]


def test_with_all_a_goodbye_leaves_the_silent_one_alone() -> None:
    """Nobody is left who could take care of its orders."""
    bench = Bench(names=("a", "b"), together=True)
    _ = bench.beat("a", ONE), bench.beat("b", TWO)
    bench.run(30, beats=[("b", TWO)])
    _ = bench.beat("b", TWO, goodbye=True)
    bench.run(0.25)
    assert [decision.names for _, decision in bench.fired] == [("a",)]


def test_blindness_is_no_silence_and_then_the_bot_is_heard_first() -> None:
    """Redis was away for half a minute; the bot needs two of its beats to be seen."""
    bench = Bench(fire_if_blind=False)
    _ = bench.beat()
    assert bench.dog.lose_sight(bench.now) is True
    assert bench.dog.lose_sight(bench.now) is False
    bench.run(30)
    assert bench.dog.regain_sight(bench.now) == 30.0
    assert bench.dog.regain_sight(bench.now) is None
    bench.run(2)
    assert bench.fired == []
    _ = bench.beat()
    bench.run(9.75)
    assert bench.fired == []


def test_silence_through_blindness_is_noticed_after_two_beats() -> None:
    """The bot died while nobody could see: 2 x 1 s, and twice the pace of looking."""
    bench = Bench(fire_if_blind=False)
    _ = bench.beat()
    _ = bench.dog.lose_sight(bench.now)
    bench.run(30)
    _ = bench.dog.regain_sight(bench.now)
    bench.run(5)
    assert [at for at, _ in bench.fired] == [32.5]


def test_sight_that_comes_and_goes_does_not_put_the_verdict_off_for_ever() -> None:
    """A Redis that is up for half a second in ten: the time in which the bot could be heard adds up."""
    bench = Bench(fire_if_blind=False)
    _ = bench.beat()
    for _ in range(10):
        _ = bench.dog.lose_sight(bench.now)
        bench.run(9.5)
        _ = bench.dog.regain_sight(bench.now)
        bench.run(0.5)
    assert [at for at, _ in bench.fired] == [50.0]


def test_too_long_blindness_fires_if_wanted() -> None:
    """`--if-blind fire`: for every bot that is armed, and for nobody if none is."""
    bench = Bench(names=("a", "b", "c"), blind_after_s=60.0)
    _ = bench.beat("a", ONE), bench.beat("b", TWO)
    bench.run(5, beats=[("a", ONE), ("b", TWO)])
    _ = bench.dog.lose_sight(bench.now)
    bench.run(59.75)
    assert bench.fired == []
    bench.run(10)
    assert bench.fired == [(65.0, Decision(("a", "b"), "blind", 60.0))]
    nobody = Bench(blind=True)
    nobody.run(1000)
    assert nobody.fired == []


def test_a_guard_that_stood_still_lets_the_bots_be_heard_first() -> None:
    """Its process was stopped for a minute: the beats wait in the socket."""
    bench = Bench()
    _ = bench.beat()
    bench.run(1, beats=[("bot", ONE)])
    bench.now += 60 * S
    assert bench.dog.tick(bench.now) is None
    bench.run(2)
    assert bench.fired == []
    bench.run(1)
    assert [at for at, _ in bench.fired] == [63.5]


@pytest.mark.parametrize(("late_ns", "stood_still"), [(0, False), (1, True)])
def test_a_third_of_the_wait_is_how_late_a_look_may_be(late_ns: int, stood_still: bool) -> None:
    """One that is later means that this process stood still, and that beats may wait to be read."""
    bench = Bench(after_s=9.0)
    _ = bench.beat()
    bench.run(6.0)
    decision = bench.dog.tick(bench.now + 3 * S + late_ns)
    assert (decision is None) is stood_still


def test_a_look_that_is_a_little_late_gives_no_grace() -> None:
    """A busy machine must not put the verdict off."""
    bench = Bench(after_s=9.0)
    _ = bench.beat()
    bench.run(6.5)
    assert bench.dog.tick(bench.now + round(2.6 * S)) is not None


def test_a_bot_that_was_never_heard_is_owed_the_whole_wait() -> None:
    """`--armed` and a Redis that comes late: nobody knows how often that bot beats."""
    bench = Bench(armed=True, blind=True, fire_if_blind=False)
    bench.run(30)
    _ = bench.dog.regain_sight(bench.now)
    bench.run(20)
    assert [at for at, _ in bench.fired] == [40.0]


def test_the_silence_is_that_of_the_one_who_was_heard_last() -> None:
    """Of several that fire together: nobody was heard for that long."""
    bench = Bench(names=("a", "b"), together=True)
    _ = bench.beat("a", ONE)
    bench.run(4)
    _ = bench.beat("b", TWO)
    bench.run(20)
    assert [decision for _, decision in bench.fired] == [Decision(("a", "b"), "silent", 10.0)]


def test_a_new_watchdog_sees_waits_and_knows_nobody() -> None:
    """What holds without being said."""
    dog = Watchdog(Rules(), START)
    assert dog.standing == {"bot": Standing.AWAITED}
    assert dog.session("bot") == ""
    assert not dog.armed
    assert not dog.blind
    assert Rules() == Rules(("bot",), 10.0, False, True, 60.0, 0.25, False)


def test_the_words_of_a_standing_are_kept_in_files() -> None:
    """A later version must read what this one wrote, and logs are searched for them."""
    assert [each.value for each in Standing] == ["awaited", "armed", "spent", "gone"]


def test_after_a_restart_a_bot_that_beats_goes_on() -> None:
    """The guard was away for longer than it waits: that alone is no reason to stop a bot that lives."""
    bench = Bench()
    _ = bench.beat()
    second = bench.again(60.0)
    second.run(1)
    assert second.beat() is Word.ARMED
    second.run(9.75)
    assert second.fired == []


@pytest.mark.parametrize(("away_s", "fires_at"), [(0.0, 7.0), (3.0, 4.0), (60.0, 2.5), (None, 2.5), (-5.0, 7.0)])
def test_after_a_restart_the_time_away_counts(away_s: float | None, fires_at: float) -> None:
    """The bot had been silent for 3 s; nobody can know how long it has been since: then as if for ever."""
    bench = Bench()
    _ = bench.beat()
    bench.run(3)
    second = bench.again(away_s)
    second.run(12)
    assert [at for at, _ in second.fired] == [fires_at]


def test_after_a_restart_a_stop_that_was_not_finished_goes_on() -> None:
    """The guard died over it."""
    bench = Bench()
    _ = bench.beat()
    bench.run(11)
    second = bench.again(5.0)
    assert second.dog.stopping == Decision(("bot",), "silent", 15.0)
    assert second.beat(session=TWO) is Word.STOPPING
    second.dog.stopped()
    assert second.beat() is Word.FIRED
    assert second.beat(session=TWO) is Word.ARMED


def test_after_a_restart_old_beats_and_sessions_are_still_old() -> None:
    """A key that still stands in Redis is no sign of life for the next guard either."""
    bench = Bench()
    _ = bench.beat(session=ONE), bench.beat(session=TWO, number=9)
    second = bench.again(1.0)
    assert second.beat(session=ONE) is Word.SUPERSEDED
    for _ in range(40):
        _ = second.beat(session=TWO, number=9)
        second.run(0.25)
    assert [at for at, _ in second.fired] == [9.0]


def test_after_a_restart_a_goodbye_is_not_forgotten() -> None:
    """Nobody is stopped for having left in peace."""
    bench = Bench()
    _ = bench.beat(), bench.beat(goodbye=True)
    second = bench.again(None)
    second.run(60)
    assert second.fired == []


def test_what_is_remembered_goes_before_armed() -> None:
    """A guard that a supervisor starts again and again with `--armed` does not stop the account each time."""
    bench = Bench()
    _ = bench.beat()
    bench.run(11)
    bench.dog.stopped()
    second = bench.again(1.0, armed=True)
    second.run(60)
    assert second.fired == []
    fresh = Bench().again(1.0, armed=True)
    fresh.run(60)
    assert len(fresh.fired) == 1


def test_a_name_that_the_next_guard_was_not_told_is_left_out() -> None:
    """The bot was taken from the command line."""
    bench = Bench(names=("a", "b"))
    _ = bench.beat("a", ONE), bench.beat("b", TWO)
    second = Bench(names=("b",))
    second.dog.restore(bench.dog.to_dict(bench.now), 0.0, second.now)
    assert second.dog.armed == ("b",)


KEPT = {"standing": "armed", "session": ONE, "number": 3, "every_s": 1.0, "silent_s": 2.0, "old": []}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"bots": {}},
        {"bots": {"bot": KEPT | {"silent_s": "nan"}}, "stopping": None},
        {"bots": {"bot": KEPT | {"silent_s": -1.0}}, "stopping": None},
        {"bots": {"bot": KEPT | {"every_s": None}}, "stopping": None},
        {"bots": {"bot": KEPT | {"number": 1e300}}, "stopping": None},
        {"bots": {"bot": KEPT}, "stopping": {"names": [], "because": "", "silent_s": 1 << 9999}},
        {"bots": {"bot": {}}, "stopping": None},
        {"bots": {"bot": {"standing": "fine"}}, "stopping": None},
        {"bots": None, "stopping": None},
        {"bots": {}, "stopping": {"names": 3}},
    ],
)
def test_data_that_is_none_changes_nothing(data: dict[str, Any]) -> None:
    """The guard takes every bot for armed then: it must be told."""
    bench = Bench()
    _ = bench.beat()
    before = bench.dog.to_dict(bench.now)
    with pytest.raises(ValueError, match=r"time|number|state|float|valid"):
        bench.dog.restore(data, 0.0, bench.now)
    assert bench.dog.to_dict(bench.now) == before


def test_a_time_without_end_is_a_day() -> None:
    """A file that was written by hand: the bot counts as silent for long, and the guard starts."""
    bench = Bench()
    bench.dog.restore({"bots": {"bot": KEPT | {"silent_s": 1e300, "every_s": 1e300}}, "stopping": None}, 5.0, bench.now)
    bench.run(20)
    assert [(at, decision.silent_s) for at, decision in bench.fired] == [(10.0, 86_415.0)]


@pytest.mark.parametrize(
    "rules",
    [
        {"names": ()},
        {"names": ("a", "a")},
        {"names": ("a b",)},
        {"after_s": 0.0},
        {"after_s": 86_401.0},
        {"after_s": float("nan")},
        {"blind_after_s": 0.0},
        {"look_s": 0.0},
        {"look_s": 5.0},
    ],
)
def test_rules_that_cannot_be_meant_are_refused(rules: dict[str, Any]) -> None:
    """Before anything listens, and with the name of what is wrong."""
    (what,) = rules
    with pytest.raises(UsageError, match="name" if what == "names" else f"^{what} is"):
        _ = Rules(**{"after_s": 10.0, **rules})


@pytest.mark.parametrize("rules", [{"after_s": 0.5, "look_s": 0.1}, {"after_s": 86_400.0}, {"look_s": 10.0 / 3}])
def test_the_bounds_of_the_rules_are_allowed(rules: dict[str, Any]) -> None:
    """Half a second for a rehearsal, a whole day, and looks as far apart as three beats."""
    assert Rules(**{"after_s": 10.0, **rules}) is not None


def test_a_rehearsal_arms_a_session_again() -> None:
    """A week of it counts every long silence, not only the first."""
    bench = Bench(rearm=True)
    for _ in range(3):
        assert bench.beat() is Word.ARMED
        bench.run(12)
        bench.dog.stopped()
    assert len(bench.fired) == 3


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("beat"), st.sampled_from([ONE, TWO, THREE])),
            st.tuples(st.just("run"), st.sampled_from([0.25, 1.0, 3.0, 9.75, 10.0, 11.0])),
            st.tuples(st.just("bye"), st.sampled_from([ONE, TWO, THREE])),
            st.tuples(st.just("blind"), st.booleans()),
            st.tuples(st.just("done"), st.none()),
        ),
        max_size=40,
    )
)
def test_never_without_silence_and_never_twice_for_a_session(steps: list[tuple[str, Any]]) -> None:
    """Any history: each stop is for a session that nobody heard for `after_s`, and for another one each time."""
    bench = Bench(fire_if_blind=False)
    heard: dict[str, float] = {}
    spent: list[str] = []
    seeing_s = 0.0
    for what, value in steps:
        if what in ("beat", "bye"):
            if bench.beat(session=value, goodbye=what == "bye") is Word.ARMED:
                heard[value] = bench.s
        elif what == "blind":
            _ = bench.dog.lose_sight(bench.now) if value else bench.dog.regain_sight(bench.now)
            seeing_s = bench.s
        elif what == "done":
            bench.dog.stopped()
        else:
            count = len(bench.fired)
            bench.run(value)
            for at, decision in bench.fired[count:]:
                session = bench.dog.session("bot")
                assert decision.because == "silent"
                assert at - heard[session] >= bench.rules.after_s
                assert session not in spent
                assert not bench.dog.blind
                spent.append(session)
        # Whoever is armed, seen, and silent for longer than any grace has caused a stop.
        if bench.dog.armed and not bench.dog.blind and bench.dog.stopping is None:
            due_s = max(heard[bench.dog.session("bot")] + bench.rules.after_s, seeing_s)
            assert bench.s - due_s <= 10.0 + 0.25
