"""When open orders are listed after the commands of a stop, and what a listing comes to."""

from __future__ import annotations

import enum

import msgspec

__all__ = ["Checks", "Verdict"]

SECOND_NS = 1_000_000_000
ACCEPTED_NS = 30 * SECOND_NS
FIRST_LOOKS_NS = (150_000_000, 350_000_000, 700_000_000, 1_200_000_000)
LATER_LOOK_NS = 2 * SECOND_NS
SHORTEST_NS = 1_000_000


class Verdict(enum.Enum):
    """What to do after a listing."""

    CLEAR = "none is left, and the listing can be trusted"
    OVER = "some are left, and no command can act any more"
    AGAIN = "cancel what is left by id"
    LOOK = "look again"


class Checks(msgspec.Struct):
    """
    The looks of one stop.

    Attributes:
        began_ns: when it was called for.
        staleness_ns, grace_ns: the assumptions.
        last_ns: when the last command left, was answered or was given up, whichever was the latest.
        cleared: whether a listing has shown none.
        looks: since the last command; rounds: of commands for what was left; again_ns: no further one before it.
    """

    began_ns: int
    staleness_ns: int
    grace_ns: int
    last_ns: int = 0
    cleared: bool = False
    looks: int = 0
    rounds: int = 0
    again_ns: int = 0

    @property
    def act_ns(self) -> int:
        """How long after its signing a command may act, and a listing may not show it."""
        return ACCEPTED_NS + self.grace_ns + self.staleness_ns

    @property
    def trusted_ns(self) -> int:
        """A listing that is requested from then on cannot be older than the call and the last command."""
        return max(self.began_ns, self.last_ns) + self.staleness_ns

    def moved(self, now: int) -> None:
        """A command left, was answered or was given up."""
        self.last_ns = max(self.last_ns, now)

    def look_ns(self, now: int, deadline_ns: int) -> int:
        """When to list next: soon after the last command, when a listing can be trusted, and now and then."""
        soon = [] if self.cleared else [self.last_ns + each for each in FIRST_LOOKS_NS[self.looks :]]
        at = min((each for each in (*soon, self.trusted_ns) if each > now), default=now + LATER_LOOK_NS)
        return max(min(at, deadline_ns), now + SHORTEST_NS)

    def verdict(self, asked_ns: int, left: int, now: int, deadline_ns: int, *, out: bool) -> Verdict:
        """
        What a complete listing that was requested at `asked_ns` comes to. While a command is `out` without an answer it
        may still act: nothing is over, and nothing is named again.
        """
        if asked_ns < self.trusted_ns:
            return Verdict.LOOK
        if not left:
            return Verdict.CLEAR
        if out:
            return Verdict.LOOK
        if asked_ns >= self.last_ns + self.act_ns:
            return Verdict.OVER
        # The last round must be able to come to an end in time.
        due = now >= self.again_ns and (not self.rounds or now + self.act_ns < deadline_ns)
        return Verdict.AGAIN if due else Verdict.LOOK

    def again(self) -> None:
        """Another round of commands goes out."""
        self.rounds, self.looks = self.rounds + 1, 0

    def sent(self, now: int) -> None:
        """It is through: the next one waits twice as long."""
        self.again_ns = now + (SECOND_NS << self.rounds)
