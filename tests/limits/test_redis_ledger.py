"""What one process has of a shared quota, without a server: the answers are written down here."""

from __future__ import annotations

import pytest

from bitget_async.limits.ledger import Ledger, Terms

MS_NS = 1_000_000
S_NS = 1_000 * MS_NS
HOLD_NS = 1_004 * MS_NS
LEASE_NS = 10 * S_NS
# Two seconds on its own and two in which the others hear of it, two for a message that is late, the lease, a second.
SURE_NS = 6 * S_NS + LEASE_NS + HOLD_NS + 100 * MS_NS
SERVER_US = 1_750_000_000_000_000
NOBODY, LATE = -1, -2
NEVER = -1


def ledger_of(*, quota: int = 5, share: float = 0.5, pocket: int = 1) -> Ledger:
    """A process that has just started, at time 0."""
    return Ledger("me", Terms.of(quota, share, pocket, LEASE_NS), 0)


def talk(
    ledger: Ledger,
    now: int,
    *,
    wanting: int = 0,
    place: int = 0,
    granted: int = 0,
    limit: int = 5,
    come_us: int = NEVER,
    free: int = 0,
) -> list[str | int]:
    """A message, and that answer in the same moment. Returns the message."""
    message = ledger.message(now, wanting)
    ledger.heard([SERVER_US + now // 1000, place, granted, limit, come_us, free, 1, 0], now)
    return message


def held(message: list[str | int]) -> int:
    """How many tokens the message says that this process has."""
    return int(message[9])


def test_the_whole_tokens_of_a_share_are_counted_exactly() -> None:
    """1/3 of 3 is one token for each of three processes, whatever floating point says."""
    terms = Terms.of(3, 1 / 3, 2, LEASE_NS)
    assert (terms.places, terms.share, terms.pocket) == (3, 1, 1)


def test_the_first_message_is_late_and_goes_again_at_once() -> None:
    """Until the server's time is known nothing may be built upon it; the next message tells it."""
    ledger = ledger_of()
    assert ledger.message(0, 1)[2] == 0
    ledger.heard([SERVER_US, LATE, 0, 0, NEVER, 0, 0, 0], 0)
    assert ledger.speak_ns(7, 1) == 7
    assert not ledger.known
    assert ledger.message(7, 1)[2] == SERVER_US


def test_a_token_is_taken_only_after_it_was_granted() -> None:
    """And comes back by the rule of a second, without asking anybody."""
    ledger = ledger_of()
    assert ledger.take(0) is None
    _ = talk(ledger, 0, wanting=1, granted=1)
    assert ledger.known
    lease = ledger.take(0)
    assert lease is not None
    ledger.answered(lease, 100)
    assert ledger.take(100) is None
    assert ledger.next_ns(100) == 100 + HOLD_NS
    assert ledger.take(100 + HOLD_NS) is not None


def test_a_message_that_was_lost_changes_nothing_here() -> None:
    """The tokens of a lost answer are nobody's until the next message tells what this process has."""
    ledger = ledger_of()
    _ = talk(ledger, 0, wanting=1, granted=1)
    assert held(ledger.message(S_NS, 3)) == 1
    ledger.unheard(2 * S_NS, silent=True)
    first, second = ledger.message(2 * S_NS, 3), ledger.message(2 * S_NS, 3)
    assert held(first) == 1
    assert int(second[1]) == int(first[1]) + 1


def test_what_was_free_all_the_time_is_given_up_and_the_pocket_is_kept() -> None:
    """Of four tokens one is used between two messages: two go to the others, one stays for use, one in the pocket."""
    ledger = ledger_of()
    _ = talk(ledger, 0, wanting=4, granted=4)
    lease = ledger.take(0)
    assert lease is not None
    ledger.unsent(lease)
    assert held(talk(ledger, S_NS)) == 1
    ledger = ledger_of()
    _ = talk(ledger, 0, wanting=4, granted=4)
    leases = [ledger.take(0) for _ in range(2)]
    for lease in leases:
        assert lease is not None
        ledger.unsent(lease)
    assert held(talk(ledger, S_NS)) == 2


def test_more_than_the_limit_is_given_up_as_soon_as_it_is_free_and_told_at_once() -> None:
    """Others wait for it; a token that is out cannot be given up."""
    ledger = ledger_of()
    _ = talk(ledger, 0, wanting=2, granted=2)
    leases = [ledger.take(0) for _ in range(2)]
    _ = talk(ledger, 10, wanting=5, limit=1)
    for lease in leases:
        assert lease is not None
        ledger.answered(lease, 20)
    assert ledger.speak_ns(30, 5) > 30
    assert ledger.take(20 + HOLD_NS) is not None
    assert ledger.take(20 + HOLD_NS) is None
    assert ledger.speak_ns(20 + HOLD_NS, 5) == 20 + HOLD_NS
    assert held(ledger.message(20 + HOLD_NS, 5)) == 1


def test_without_an_answer_for_two_seconds_only_the_share_is_left() -> None:
    """Of five tokens two go on: the others may be given to somebody else by then."""
    ledger = ledger_of()
    _ = talk(ledger, 0, wanting=5, granted=5)
    ledger.unheard(S_NS, silent=True)
    assert ledger.away
    lease = ledger.take(2 * S_NS - 1)
    assert lease is not None
    ledger.unsent(lease)
    taken = [ledger.take(2 * S_NS) for _ in range(5)]
    assert sum(each is not None for each in taken) == 2


def test_the_rest_of_the_share_comes_when_it_is_sure() -> None:
    """One token in the pocket goes on at once; the second of the share after the time in which all others are back."""
    ledger = ledger_of()
    _ = talk(ledger, 0, granted=1)
    ledger.unheard(S_NS, silent=False)
    assert ledger.next_ns(S_NS) == S_NS
    assert ledger.take(S_NS) is not None
    assert ledger.next_ns(S_NS) == SURE_NS
    assert ledger.wait_ns(S_NS, 0) == min(HOLD_NS, SURE_NS - S_NS)
    assert ledger.take(SURE_NS - 1) is None
    assert ledger.take(SURE_NS) is not None
    assert ledger.take(SURE_NS) is None
    assert ledger.next_ns(SURE_NS) is None


def test_a_late_answer_puts_the_share_off() -> None:
    """Whoever heard the server's time anew may have a message on its way that says how little it has."""
    ledger = ledger_of()
    _ = talk(ledger, 0, granted=1)
    ledger.unheard(S_NS, silent=True)
    _ = talk(ledger, 9 * S_NS, place=LATE)
    ledger.unheard(10 * S_NS, silent=True)
    lease = ledger.take(SURE_NS)
    assert lease is not None
    assert ledger.take(SURE_NS + 8 * S_NS) is None
    assert ledger.take(SURE_NS + 9 * S_NS) is not None


def test_a_process_without_a_place_has_nothing_of_its_own() -> None:
    """More processes than the shares allow: what it has goes back when nobody answers, and nothing follows."""
    ledger = ledger_of()
    _ = talk(ledger, 0, wanting=1, granted=1, place=NOBODY)
    assert ledger.crowded
    assert int(ledger.message(S_NS, 0)[11]) == 0
    ledger.unheard(S_NS, silent=True)
    assert ledger.take(3 * S_NS) is None
    assert ledger.take(10 * SURE_NS) is None
    assert ledger.next_ns(10 * SURE_NS) is None
    assert ledger.moments(10 * SURE_NS, 3) == []
    assert ledger.wait_ns(10 * SURE_NS, 0) == 0


def test_whoever_never_reached_the_server_has_its_pocket() -> None:
    """At once where nobody is there; where it is only silent, after the third time."""
    refused = ledger_of()
    _ = refused.message(0, 1)
    refused.unheard(1, silent=False)
    assert refused.next_ns(1) == 1
    assert refused.take(1) is not None
    assert refused.take(SURE_NS) is not None
    silent = ledger_of()
    for at in range(2):
        _ = silent.message(at, 1)
        silent.unheard(at, silent=True)
        assert silent.take(at) is None
    silent.unheard(3, silent=True)
    assert silent.take(3) is not None


@pytest.mark.parametrize("place", [0, 1, 7])
def test_less_than_a_token_is_used_in_turns(place: int) -> None:
    """Twelve processes, five tokens: three groups, three seconds each, on the server's clock; one token a turn."""
    ledger = ledger_of(share=1 / 12)
    _ = talk(ledger, 0, place=place)
    ledger.unheard(S_NS, silent=True)
    at = ledger.next_ns(S_NS)
    assert at is not None
    assert at >= SURE_NS
    server_ns = SERVER_US * 1000 + at
    assert server_ns // (3 * S_NS) % 3 == place % 3
    assert server_ns % (3 * S_NS) < S_NS
    assert ledger.take(at - 1) is None
    lease = ledger.take(at)
    assert lease is not None
    assert ledger.take(at) is None
    assert ledger.next_ns(at) is None
    ledger.answered(lease, at + 1)
    assert ledger.take(at + 1 + HOLD_NS) is None
    again = ledger.next_ns(at + 1 + HOLD_NS)
    assert again is not None
    assert (SERVER_US * 1000 + again) // (3 * S_NS) - server_ns // (3 * S_NS) == 3


def test_in_the_middle_of_a_turn_a_request_may_leave_at_once() -> None:
    """In its first second; later than that it might be processed in the next one's."""
    ledger = ledger_of(share=1 / 12)
    _ = talk(ledger, 0, place=0)
    ledger.unheard(S_NS, silent=True)
    at = ledger.next_ns(SURE_NS + 9 * S_NS)
    assert at is not None
    begin = at - (SERVER_US * 1000 + at) % (3 * S_NS) + 9 * S_NS
    assert ledger.next_ns(begin + S_NS // 2) == begin + S_NS // 2
    assert ledger.next_ns(begin + S_NS) == begin + 9 * S_NS


def test_when_to_speak() -> None:
    """Every half second, every second with nothing but the pocket; at once for who waits, then as told."""
    ledger = ledger_of()
    _ = talk(ledger, 0, granted=1)
    assert ledger.speak_ns(1, 0) == S_NS
    assert ledger.speak_ns(1, 1) == 1
    _ = talk(ledger, 10, wanting=3)
    assert ledger.speak_ns(11, 3) == 10 + S_NS // 2
    _ = talk(ledger, 20, wanting=3, come_us=100_000)
    assert ledger.speak_ns(21, 3) == 20 + 100 * MS_NS
    assert ledger.speak_ns(21, 0) == 20 + S_NS
    pauses = []
    for _ in range(7):
        ledger.unheard(30, silent=True)
        pauses.append((ledger.speak_ns(31, 3) - 30) // MS_NS)
    assert pauses == [100, 200, 400, 800, 1000, 1000, 1000]


def test_how_long_to_wait() -> None:
    """Nobody knows before the server was asked; then its own tokens tell, or the server where there are none."""
    ledger = ledger_of(pocket=0)
    assert ledger.wait_ns(0, 0) == 0
    _ = talk(ledger, 0, wanting=3, come_us=400_000)
    assert ledger.wait_ns(0, 0) == 400 * MS_NS
    assert ledger.wait_ns(0, 2) == 400 * MS_NS + HOLD_NS
    _ = talk(ledger, 0, wanting=3, granted=1)
    lease = ledger.take(0)
    assert lease is not None
    ledger.lost(lease, 0, 2 * S_NS)
    assert ledger.wait_ns(0, 0) == 2 * S_NS + HOLD_NS
    whole = ledger_of()
    _ = talk(whole, 0, wanting=5, granted=5)
    assert all(whole.take(0) for _ in range(5))
    assert whole.wait_ns(0, 0) == HOLD_NS


def test_moments_are_its_own_then_what_is_free_at_the_server() -> None:
    """One out since just now, two free at the server as last told, two with others: at best back in a second."""
    ledger = ledger_of()
    _ = talk(ledger, 0, wanting=1, granted=1, free=2)
    lease = ledger.take(0)
    assert lease is not None
    ledger.answered(lease, 0)
    assert ledger.moments(500 * MS_NS) == [0, 0, HOLD_NS - 500 * MS_NS, HOLD_NS, HOLD_NS]
    assert ledger.moments(500 * MS_NS, 2) == [HOLD_NS - 500 * MS_NS] + [HOLD_NS] * 4


def test_moments_without_the_server_are_those_of_the_share() -> None:
    """The pocket now, the rest when it is sure, and no more."""
    ledger = ledger_of()
    _ = talk(ledger, 0, granted=1)
    ledger.unheard(S_NS, silent=True)
    assert ledger.moments(S_NS) == [0, SURE_NS - S_NS]
    assert ledger.take(SURE_NS) is not None
    assert len(ledger.moments(SURE_NS)) == 2


def test_a_429_is_told_to_all_and_a_header_stays_here() -> None:
    """What is free here rests at once; with nobody to tell, half of what is left rests longer."""
    ledger = ledger_of()
    _ = talk(ledger, 0, wanting=3, granted=3)
    ledger.remaining(2, 0)
    assert ledger.take(0) is not None
    ledger.tighten(0)
    assert ledger.take(0) is None
    assert ledger.speak_ns(0, 0) == 0
    assert ledger.message(0, 0)[12] == 1
    assert ledger.message(0, 0)[12] == 0
    ledger.unheard(0, silent=True)
    ledger.tighten(HOLD_NS)
    assert ledger.take(HOLD_NS) is None


def test_leaving_gives_back_all_that_is_free() -> None:
    """The pocket too; a token that is out is told."""
    ledger = ledger_of()
    _ = talk(ledger, 0, wanting=3, granted=3)
    assert ledger.take(0) is not None
    message = ledger.message(0, 0, leaving=True)
    assert (held(message), message[13]) == (1, 1)


def test_idle_is_a_minute_without_use() -> None:
    """And nothing out."""
    ledger = ledger_of()
    _ = talk(ledger, 0, wanting=1, granted=1)
    assert not ledger.idle(60 * S_NS)
    assert ledger.idle(61 * S_NS)
    assert ledger.take(61 * S_NS) is not None
    assert not ledger.idle(122 * S_NS)


def test_after_ten_minutes_a_process_is_a_stranger() -> None:
    """The server has forgotten it by then: that it is not known proves nothing any more."""
    ledger = ledger_of()
    _ = talk(ledger, 0, granted=1)
    assert ledger.message(589 * S_NS, 0)[11] == 1
    assert ledger.message(590 * S_NS, 0)[11] == 0
