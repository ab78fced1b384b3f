"""Bugs on the road of one command: connection, answer, stamp and token. See `planting`."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp

from bitget_async import cancellation, session, transport, wire
from bitget_async.clock import ServerClock, VirtualClock
from bitget_async.codes import Verdict, classify
from bitget_async.errors import AuthenticationFailed, BitgetError, NotSent, OutcomeUnknown, RateLimited, Refused
from bitget_async.evidence import Certainty
from bitget_async.inquiry.looks import Look
from bitget_async.limits import local
from bitget_async.limits.bucket import Bucket
from bitget_async.wire import Answer

from .naive import aiohttp_as_it_comes
from .planting import patched, plant

SECOND_NS = 1_000_000_000


# -- connections ----------------------------------------------------------------------------------------------------


@plant("nothing_stood_and_nothing_was_sent", 1, 2, 3)
def failed_connections_in_doubt() -> Iterator[None]:
    """Whatever fails may have been executed: a handle for a command that never left."""
    original = transport._describe
    with patched(transport, "_describe", lambda error, endpoint, headers_sent: original(error, endpoint, True)):
        yield


@plant("a_connection_that_comes_back_is_used", 1, 2)
def failed_connections_final() -> Iterator[None]:
    """The first failure to connect is the last word."""
    original = session.Session._pause_s

    def pause_s(self: Any, row: Any, error: Any, *given: Any, **options: Any) -> float | None:
        return None if isinstance(error, NotSent) else original(self, row, error, *given, **options)

    with patched(session.Session, "_pause_s", pause_s):
        yield


@plant("a_certificate_of_nobody_ends_it", 4)
def certificates_not_verified() -> Iterator[None]:
    """As so many do when the authority is unknown."""

    def context(given: Any, origin: Any) -> ssl.SSLContext:
        made = ssl.create_default_context()
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        return made

    with patched(transport, "tls_context", context):
        yield


@plant("a_certificate_of_nobody_ends_it", 4)
def bad_certificates_tried_again() -> Iterator[None]:
    """A certificate error is taken for a connection that did not stand."""
    original = transport._describe

    def describe(error: Exception, endpoint: str, headers_sent: bool) -> BitgetError:
        found = original(error, endpoint, headers_sent)
        return NotSent("connect", endpoint=endpoint) if isinstance(found, NotSent) else found

    with patched(transport, "_describe", describe):
        yield


@plant("a_lost_answer_resolves_from_evidence", 5, 6)
def nothing_sent_until_all_is_written() -> Iterator[None]:
    """A connection that stands counts for nothing: a request that was cut is called not sent, and goes out again."""

    def depart(self: Any) -> None:
        """Not told to anybody."""

    with patched(transport._Flight, "depart", depart):
        yield


@plant("a_lost_answer_resolves_from_evidence", 10)
def closing_connections_taken_as_idle_ones() -> Iterator[None]:
    """The server closed: it must have been an old connection, and the request was never read."""
    original = transport._describe

    def describe(error: Exception, endpoint: str, headers_sent: bool) -> BitgetError:
        return original(error, endpoint, headers_sent and not isinstance(error, aiohttp.ServerDisconnectedError))

    with patched(transport, "_describe", describe):
        yield


@plant("reads_are_dropped_once_each", 11)
def hidden_repeat_left_on() -> Iterator[None]:
    """Aiohttp's default: a GET whose connection drops goes out again, without a token."""
    with aiohttp_as_it_comes(repeats=True):
        yield


# -- answers ----------------------------------------------------------------------------------------------------------


@plant("silence_is_waited_for_once", 7)
def silence_waited_for_twice() -> Iterator[None]:
    """After a timeout the looking begins another ten seconds later."""
    original = Look.first

    def first(self: Any, now: int, *, alone: bool) -> None:
        lost = self.evidence.certainty is Certainty.MAYBE
        original(self, now + 10 * SECOND_NS if lost else now, alone=alone)

    with patched(Look, "first", first):
        yield


def _repeating(unless: type[BitgetError] | None, when: Any) -> Any:
    original = session.Session._pause_s

    def pause_s(self: Any, row: Any, error: Any, tries: int, *given: Any, **options: Any) -> float | None:
        if when(error) and tries < 3:
            return 0.1
        return original(self, row, error, tries, *given, **options)

    return patched(session.Session, "_pause_s", pause_s)


@plant("too_many_requests_waits_and_goes_on", 12)
def too_many_requests_final() -> Iterator[None]:
    """A refusal is a refusal."""
    original = session.Session._pause_s

    def pause_s(self: Any, row: Any, error: Any, *given: Any, **options: Any) -> float | None:
        return None if isinstance(error, RateLimited) else original(self, row, error, *given, **options)

    with patched(session.Session, "_pause_s", pause_s):
        yield


@plant("a_bad_gateway_proves_nothing", 14, 15)
def bad_gateways_sent_again() -> Iterator[None]:
    """502 to 504 are repeated, commands too."""
    with _repeating(None, lambda error: isinstance(error, OutcomeUnknown) and (error.http_status or 0) >= 500):
        yield


@plant("a_bad_gateway_proves_nothing", 15)
def server_errors_taken_as_refusals() -> Iterator[None]:
    """5xx: it failed, so it was not done."""
    original = wire.decode

    def decode(row: Any, reply: Any) -> Answer[Any]:
        answer = original(row, reply)
        if reply.status >= 500:
            return Answer(None, Refused("", http_status=reply.status), None, answer.sent_ns, answer.received_ns)
        return answer

    with patched(session, "decode", decode):
        yield


def _acknowledging(when: Any) -> Any:
    """Whatever fits is an answer of success to a command."""
    original = wire.decode

    def decode(row: Any, reply: Any) -> Answer[Any]:
        answer = original(row, reply)
        if answer.error is not None and reply.status == 200 and row.method == "POST" and when(reply.body):
            return Answer(row.returns(), None, None, answer.sent_ns, answer.received_ns)
        return answer

    return patched(session, "decode", decode)


@plant("only_an_envelope_is_an_answer", 16)
def any_200_is_an_answer() -> Iterator[None]:
    """HTTP says that it went well."""
    with _acknowledging(lambda body: True):
        yield


@plant("only_an_envelope_is_an_answer", 17, 18)
def answers_found_by_a_search() -> Iterator[None]:
    """00000 stands somewhere in the text."""
    with _acknowledging(lambda body: b'"00000"' in body):
        yield


@plant("only_an_envelope_is_an_answer", 18)
def codes_compared_as_numbers() -> Iterator[None]:
    """0, "0" and "00000" are the same number."""
    with _acknowledging(lambda body: b'"code":0,' in body or b'"code":"0"' in body):
        yield


@plant("the_answer_names_another_symbol", 19)
def echo_not_compared() -> Iterator[None]:
    """An answer is an answer, whatever symbol it names."""

    def read(self: Any, course: Any, answer: Any) -> None:
        course.acknowledged_ms = answer.request_time_ms
        self._answered(course, Certainty.ACKED)

    with patched(cancellation.Canceller, "_read_ack", read):
        yield


@plant("an_endless_answer_is_not_read", 20)
def bodies_without_end() -> Iterator[None]:
    """The whole body is read, however long it is."""

    async def whole(response: Any, most: int) -> bytes:
        body: bytes = await response.read()
        return body

    with patched(transport, "_bounded", whole):
        yield


@plant("a_refused_key_is_not_tried_again", 25)
def refused_keys_tried_again() -> Iterator[None]:
    """Three times, for it may help: so addresses get banned."""
    with _repeating(None, lambda error: isinstance(error, AuthenticationFailed)):
        yield


@plant("a_refused_key_is_not_tried_again", 25)
def echoed_keys_kept() -> Iterator[None]:
    """The exchange's text goes into the error as it came, with the key that it quotes."""
    with patched(session, "redact", lambda error, hide: None):
        yield


def _refusing(when: Any) -> Any:
    return patched(wire, "classify", lambda code: Verdict(Refused, True) if when(code) else classify(code))


@plant("a_unified_account_is_told_the_remedy", 26)
def account_mode_without_a_class() -> Iterator[None]:
    """40085 is one refusal among others, and nobody says what to do."""
    with _refusing(lambda code: code == "40085"):
        yield


@plant("a_misspelt_symbol_never_leaves", 27)
def symbols_mended() -> Iterator[None]:
    """Blanks are cut off and letters made large, on a command that cannot be undone."""
    original = cancellation.Canceller.cancel

    async def cancel(self: Any, symbol: str, options: Any, *given: Any) -> Any:
        return await original(self, symbol.strip().upper(), options, *given)

    with patched(cancellation.Canceller, "cancel", cancel):
        yield


@plant("what_no_table_lists_proves_nothing", 29)
def release_windows_taken_as_refusals() -> Iterator[None]:
    """ "Unknown error" and "service return an error" mean that nothing was done."""
    with _refusing(lambda code: code in ("45001", "40725", "40808", "40015", "40200")):
        yield


@plant("what_no_table_lists_proves_nothing", 30)
def timeouts_of_the_exchange_taken_as_refusals() -> Iterator[None]:
    """It says that it timed out: so it was not done."""
    with _refusing(lambda code: code in ("40010", "40910", "25001", "50008")):
        yield


@plant("what_no_table_lists_proves_nothing", 31)
def unknown_codes_taken_as_refusals() -> Iterator[None]:
    """What is no success is a refusal."""
    with _refusing(lambda code: code.startswith("987")):
        yield


@plant("what_no_table_lists_proves_nothing", 31)
def codes_found_in_the_text() -> Iterator[None]:
    """ "43001" in a text is "order not found"."""
    original = wire._error

    def error(row: Any, reply: Any, envelope: Any, data: Any) -> Any:
        if b"43001" in reply.body:
            return Refused("43001", endpoint=row.label, http_status=reply.status)
        return original(row, reply, envelope, data)

    with patched(wire, "_error", error):
        yield


# -- clocks and stamps --------------------------------------------------------------------------------------------


@plant("a_clock_that_is_an_hour_off_is_set", 22)
def clock_never_set() -> Iterator[None]:
    """The machine's own clock is right."""

    def keep(self: Any, *given: Any) -> None:
        """Learns nothing."""

    with patched(ServerClock, "resync", keep), patched(ServerClock, "observe", keep):
        yield


@plant("a_stepped_wall_clock_moves_no_deadline", 23)
def durations_by_the_wall_clock() -> Iterator[None]:
    """Time that passes is the difference of two wall clocks: a step is time."""
    stepped: WeakKeyDictionary[VirtualClock, int] = WeakKeyDictionary()
    step, monotonic_ns = VirtualClock.step, VirtualClock.monotonic_ns

    def stepping(self: VirtualClock, by_ms: int) -> None:
        stepped[self] = stepped.get(self, 0) + by_ms * 1_000_000
        step(self, by_ms)

    with (
        patched(VirtualClock, "step", stepping),
        patched(VirtualClock, "monotonic_ns", lambda self: monotonic_ns(self) + stepped.get(self, 0)),
    ):
        yield


# -- tokens -------------------------------------------------------------------------------------------------------


@plant("requests_on_a_slow_road_arrive_together", 58)
def token_back_a_second_after_the_sending() -> Iterator[None]:
    """The bucket of the textbooks: a token comes back a second after it was taken, wherever the request is by then."""
    acquire, answered = local.LocalLimits.acquire, local._Token.answered
    moments: dict[int, int] = {}

    async def noting(self: Any, *given: Any, clock: Any, **options: Any) -> Any:
        grant: Any = await acquire(self, *given, clock=clock, **options)
        moments[id(grant._lease)] = clock.monotonic_ns()
        return grant

    def early(self: Any, now: int, remaining: int | None) -> None:
        answered(self, moments.get(id(self._lease), now), remaining)

    with patched(local.LocalLimits, "acquire", noting), patched(local._Token, "answered", early):
        yield


@plant("after_a_standstill_no_burst", 55)
def tokens_saved_up() -> Iterator[None]:
    """Tokens gather while nothing is sent, without a limit."""
    seen: dict[int, int] = {}
    original = Bucket.free

    def free(self: Bucket, now: int) -> int:
        since = seen.get(id(self), now)
        seen[id(self)] = now
        if self.capacity == 5 and now - since > 10 * SECOND_NS:
            self._free += 5 * ((now - since) // SECOND_NS)
        return original(self, now)

    with patched(Bucket, "free", free):
        yield


@plant("who_leaves_takes_no_token_along", 50)
def places_kept_by_who_leaves() -> Iterator[None]:
    """A waiter that is cancelled in the turn of its grant keeps the token for ever."""
    with patched(local.Line, "leave", lambda self, future: None):
        yield


@plant("readers_who_leave_give_no_token_back", 50)
def token_back_when_the_caller_leaves() -> Iterator[None]:
    """A caller who is cancelled gives its token back, though the request is on its way."""
    original = session.Session._attempt

    async def attempt(self: Any, request: Any, grant: Any, stamp: Any, timeout_s: float, told: Any, **more: Any) -> Any:
        class Kind:
            answered, unsent, refused = grant.answered, grant.unsent, grant.refused

            def lost(self, now: int, until_ns: int) -> None:
                grant.unsent()

        return await original(self, request, Kind(), stamp, timeout_s, told, **more)

    with patched(session.Session, "_attempt", attempt):
        yield


@plant("fifty_calls_in_one_turn_cost_two_commands", 56)
def calls_never_joined() -> Iterator[None]:
    """Each call has a command of its own."""
    original = cancellation.Canceller._start

    def start(self: Any, key: Any) -> Any:
        flight = original(self, key)
        self._unsigned.pop(key, None)
        return flight

    with patched(cancellation.Canceller, "_start", start):
        yield


@plant("a_cancel_waits_for_no_reader", 57)
def one_line_for_all() -> Iterator[None]:
    """One bucket for the whole account."""
    original = local.LocalLimits._line

    def line(self: Any, row: Any, account: str, origin: str, clock: Any) -> Any:
        from bitget_async.endpoints import UNFILLED_ORDERS

        return original(self, UNFILLED_ORDERS if row.signed else row, account, origin, clock)

    with patched(local.LocalLimits, "_line", line):
        yield


@plant("somebody_else_spends_the_quota", 58)
def refusals_change_nothing() -> Iterator[None]:
    """429 is repeated at the same pace for ever."""
    with patched(Bucket, "tighten", lambda self, now: None), patched(Bucket, "remaining", lambda self, left, now: None):
        yield
