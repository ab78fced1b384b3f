"""
When to stop the account. No clock, no socket: it is handed beats and moments (monotonic nanoseconds) and says what
follows.

A *session* is one life of a bot under a name. It is armed by its first beat, disarmed by its goodbye, and *spent* when
the guard has fired because of it: one session causes one stop at most, so a bot that was stopped and beats on is not
stopped again and again. A new session arms anew.

"Not heard" and "could not hear" are two things. While the guard is blind (it was not running, stood still, or its
Redis is gone) no silence is proven. The time still counts, but a bot gets a moment to be heard once it can be: two of
its own beats. A stay of blindness that is too long is a reason of its own to fire, if so wanted.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bitget_async.errors import UsageError
from bitget_async.guard.words import NAME, Beat, Word

__all__ = ["Decision", "Rules", "Standing", "Watchdog"]

SECOND_NS = 1_000_000_000
MOST_AFTER_S = 86_400.0
OLD_SESSIONS = 64


class Standing(enum.StrEnum):
    """Of a name: AWAITED has never been heard, SPENT was fired because of, GONE has said goodbye."""

    AWAITED = "awaited"
    ARMED = "armed"
    SPENT = "spent"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Rules:
    """
    What the guard was told.

    Args:
        names: of the bots.
        after_s: seconds without a beat after which it fires, up to a day.
        together: fire when every armed bot is silent; otherwise when any of them is.
        fire_if_blind: fire when beats could not be seen for `blind_after_s` seconds; otherwise wait until they can.
        look_s: how far apart it looks, in seconds.
        rearm: a session that was fired because of is armed again by its next beat; for a rehearsal only.

    Raises:
        UsageError: one of them cannot be meant.
    """

    names: tuple[str, ...] = ("bot",)
    after_s: float = 10.0
    together: bool = False
    fire_if_blind: bool = True
    blind_after_s: float = 60.0
    look_s: float = 0.25
    rearm: bool = False

    def __post_init__(self) -> None:
        if not self.names or len(set(self.names)) != len(self.names):
            raise UsageError("a guard needs names of bots, each once")
        for name in self.names:
            if not isinstance(name, str) or not NAME.fullmatch(name):
                raise UsageError(f"a bot's name is up to 64 of [0-9A-Za-z_.-], not {name!r}")
        for what, value in (("after_s", self.after_s), ("blind_after_s", self.blind_after_s)):
            if not 0 < value <= MOST_AFTER_S:
                raise UsageError(f"{what} is above 0 and at most a day, not {value!r}")
        if not 0 < self.look_s <= self.after_s / 3:
            raise UsageError("look_s is above 0 and at most a third of after_s")


@dataclass(frozen=True, slots=True)
class Decision:
    """
    The account is to be stopped now.

    Attributes:
        names: because of these.
        because: `silent`, or `blind`.
        silent_s: seconds since the last beat of the one that was heard last.
    """

    names: tuple[str, ...]
    because: str
    silent_s: float


@dataclass(slots=True)
class _Watch:
    """What is known of one name."""

    standing: Standing = Standing.AWAITED
    session: str = ""
    number: int = -1
    every_s: float = 0.0
    heard_ns: int = 0
    # For so long beats must have been seen before there is a verdict: the bot must have had the chance to be heard.
    owed_ns: int = 0
    old: deque[str] = field(default_factory=lambda: deque(maxlen=OLD_SESSIONS))


class Watchdog:
    """
    The watch over all names of one guard.

    Args:
        rules: what it was told.
        now_ns: the moment at which it begins to listen.
        armed: count the silence of every name from now on, before its first beat.
        blind: beats cannot be seen yet.
    """

    def __init__(self, rules: Rules, now_ns: int, *, armed: bool = False, blind: bool = False) -> None:
        self._rules = rules
        self._after_ns = round(rules.after_s * SECOND_NS)
        self._watches = {name: _Watch() for name in rules.names}
        self._ticked_ns = now_ns
        self._blind_ns: int | None = now_ns if blind else None
        self.stopping: Decision | None = None
        if armed:
            for watch in self._watches.values():
                watch.standing, watch.heard_ns = Standing.ARMED, now_ns

    @property
    def standing(self) -> dict[str, Standing]:
        """Of each name."""
        return {name: watch.standing for name, watch in self._watches.items()}

    def session(self, name: str) -> str:
        """The session that a name is known by, `""` before the first beat."""
        return self._watches[name].session

    @property
    def armed(self) -> tuple[str, ...]:
        """The names whose silence would count."""
        return tuple(name for name, watch in self._watches.items() if watch.standing is Standing.ARMED)

    @property
    def blind(self) -> bool:
        """Whether beats cannot be seen."""
        return self._blind_ns is not None

    def hear(self, beat: Beat, now_ns: int) -> Word:
        """Take in a beat. While the account is being stopped no new session is taken: it is to come again."""
        watch = self._watches.get(beat.name)
        if watch is None:
            return Word.STRANGER
        if beat.session in watch.old:
            return Word.SUPERSEDED
        if beat.session != watch.session:
            if self.stopping is not None:
                return Word.STOPPING
            if beat.goodbye:
                # It was never armed here, so there is nothing to forget, and nobody is superseded by it.
                return Word.DISARMED
            if watch.session:
                watch.old.append(watch.session)
            watch.session, watch.number, watch.standing = beat.session, -1, Standing.ARMED
        if watch.standing is Standing.SPENT and self._rules.rearm and self.stopping is None:
            watch.standing = Standing.ARMED
        if watch.standing is Standing.ARMED and beat.number > watch.number:
            watch.number, watch.every_s, watch.heard_ns, watch.owed_ns = beat.number, beat.every_s, now_ns, 0
            if beat.goodbye:
                watch.standing = Standing.GONE
        return self._word(watch)

    def _word(self, watch: _Watch) -> Word:
        if watch.standing is Standing.GONE:
            return Word.DISARMED
        if self.stopping is not None:
            return Word.STOPPING
        return Word.ARMED if watch.standing is Standing.ARMED else Word.FIRED

    def lose_sight(self, now_ns: int) -> bool:
        """Beats cannot be seen from now on. Returns whether that is new."""
        if self._blind_ns is not None:
            return False
        self._blind_ns = now_ns
        return True

    def regain_sight(self, now_ns: int) -> float | None:
        """Beats can be seen again: for how many seconds they could not, or `None` if they could."""
        if self._blind_ns is None:
            return None
        was_s = (now_ns - self._blind_ns) / SECOND_NS
        self._blind_ns = None
        self._grant()
        return was_s

    def tick(self, now_ns: int) -> Decision | None:
        """
        To be called every `look_s` seconds, after what was heard by then. A decision is given once; until `stopped`
        no other one follows.
        """
        late_ns = now_ns - self._ticked_ns
        self._ticked_ns = now_ns
        if late_ns > self._after_ns // 3:
            # This process stood still: beats may wait to be read.
            self._grant()
        elif not self.blind:
            for watch in self._watches.values():
                watch.owed_ns = max(watch.owed_ns - late_ns, 0)
        if self.stopping is not None or not self.armed:
            return None
        self.stopping = self._blind_too_long(now_ns) if self.blind else self._silent(now_ns)
        if self.stopping is not None:
            for name in self.stopping.names:
                self._watches[name].standing = Standing.SPENT
        return self.stopping

    def stopped(self) -> None:
        """The stop has ended: new sessions are taken again."""
        self.stopping = None

    def _blind_too_long(self, now_ns: int) -> Decision | None:
        assert self._blind_ns is not None
        if not self._rules.fire_if_blind or now_ns - self._blind_ns < self._rules.blind_after_s * SECOND_NS:
            return None
        return self._decision(self.armed, "blind", now_ns)

    def _silent(self, now_ns: int) -> Decision | None:
        silent = [name for name in self.armed if self._is_silent(self._watches[name], now_ns)]
        if not silent or (self._rules.together and len(silent) < len(self.armed)):
            return None
        return self._decision(silent, "silent", now_ns)

    def _is_silent(self, watch: _Watch, now_ns: int) -> bool:
        return now_ns - watch.heard_ns >= self._after_ns and not watch.owed_ns

    def _decision(self, names: Iterable[str], because: str, now_ns: int) -> Decision:
        chosen = tuple(names)
        last_ns = max(self._watches[name].heard_ns for name in chosen)
        return Decision(chosen, because, (now_ns - last_ns) / SECOND_NS)

    def _grant(self) -> None:
        """
        Each bot gets time to be heard: two beats of its own, or all of `after_s` where its pace is not known. What is
        still owed from the last time is not owed anew: sight that comes and goes must not put a verdict off for ever.
        """
        for watch in self._watches.values():
            two_ns = round((2 * watch.every_s + 2 * self._rules.look_s) * SECOND_NS)
            watch.owed_ns = watch.owed_ns or (min(two_ns, self._after_ns) if watch.every_s else self._after_ns)

    # -- over a restart ---------------------------------------------------------------------------------------

    def to_dict(self, now_ns: int) -> dict[str, Any]:
        """What the next process must know, as plain JSON values; ages in seconds."""
        stopping = self.stopping
        return {
            "stopping": None
            if stopping is None
            else {"names": list(stopping.names), "because": stopping.because, "silent_s": stopping.silent_s},
            "bots": {
                name: {
                    "standing": watch.standing.value,
                    "session": watch.session,
                    "number": watch.number,
                    "every_s": watch.every_s,
                    "silent_s": (now_ns - watch.heard_ns) / SECOND_NS,
                    "old": list(watch.old),
                }
                for name, watch in self._watches.items()
            },
        }

    def restore(self, data: Mapping[str, Any], away_s: float | None, now_ns: int) -> None:
        """
        Go on where an earlier process stopped. The time that nobody listened counts against the bots, but each has the
        chance to be heard. A stop that was not finished is still to be carried out: `stopping`.

        Args:
            data: what its `to_dict` gave. Names that this guard was not told are left out.
            away_s: seconds since then, `None` if nobody can know: then as if it had been for ever.

        Raises: ValueError: it is no such thing, and nothing was changed.
        """
        away = MOST_AFTER_S if away_s is None else max(away_s, 0.0)
        try:
            bots = {name: each for name, each in data["bots"].items() if name in self._watches}
            found = {name: _watch_of(each, away, now_ns) for name, each in bots.items()}
            left = data["stopping"]
            stopping = left and Decision(
                tuple(map(str, left["names"])), str(left["because"]), _seconds(left["silent_s"]) + away
            )
        except (KeyError, TypeError, AttributeError, OverflowError):
            raise ValueError("no state of a watchdog") from None
        for name, watch in found.items():
            if watch.standing is not Standing.AWAITED:
                self._watches[name] = watch
        self.stopping = stopping or None
        self._grant()


def _watch_of(data: Mapping[str, Any], away_s: float, now_ns: int) -> _Watch:
    if type(data["number"]) is not int:
        raise TypeError("a number of a beat is an int")
    heard_ns = now_ns - round((_seconds(data["silent_s"]) + away_s) * SECOND_NS)
    return _Watch(
        Standing(data["standing"]),
        str(data["session"]),
        data["number"],
        _seconds(data["every_s"]),
        heard_ns,
        old=deque(map(str, data["old"]), maxlen=OLD_SESSIONS),
    )


def _seconds(found: Any) -> float:
    """As long as anything here can matter. Raises TypeError, ValueError."""
    seconds = float(found)
    if not seconds >= 0:
        raise ValueError("a time is 0 or more")
    return min(seconds, MOST_AFTER_S)
