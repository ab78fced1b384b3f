"""What is said on one connection and when: tables and properties, in time that jumps."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async.stream.events import (
    Acknowledged,
    Complaint,
    Dead,
    Left,
    Remedy,
    Renewal,
    SignedIn,
    SignInRefused,
    SubscriptionLost,
    remedy,
)
from bitget_async.stream.protocol import (
    Failed,
    LoggedIn,
    LoginFailed,
    Pong,
    Strange,
    Subscribed,
    Topic,
    TradeAnswer,
    Unsubscribed,
)
from tests.stream.driven import SECOND_NS, Driven, refusal

BTC, ETH, XRP = (Topic("ticker", f"{coin}USDT") for coin in ("BTC", "ETH", "XRP"))
ORDERS = Topic("orders", "default")
ACCOUNT = Topic("account", coin="default")


def test_the_login_comes_first_and_topics_after_its_answer() -> None:
    """A private subscription without a login is refused with 30004 (reference 5.7)."""
    line = Driven(ORDERS, ACCOUNT, private=True)
    line.to(1)
    assert line.sent == [(0, "login")]
    assert not line.talk.signed_in
    line.hear(LoggedIn())
    assert line.sent[1:] == [(1, "subscribe orders:default account:default")]
    assert line.happened == [SignedIn()]
    assert line.talk.signed_in


def test_a_public_connection_asks_at_once() -> None:
    """There is nothing to sign in for."""
    line = Driven(BTC, ETH)
    line.to(0)
    assert line.sent == [(0, "subscribe ticker:BTCUSDT ticker:ETHUSDT")]
    assert line.talk.signed_in


def test_many_topics_are_asked_for_in_as_few_requests_as_fit() -> None:
    """Requests are counted by the exchange: 240 an hour, ten messages a second."""
    topics = [Topic("ticker", f"{number}USDT") for number in range(100)]
    line = Driven(*topics)
    line.to(0)
    assert len(line.sent) == 2
    assert " ".join(text.removeprefix("subscribe ") for _, text in line.sent).split() == [
        f"ticker:{number}USDT" for number in range(100)
    ]
    assert line.talk.topics == tuple(topics)


def test_a_ping_leaves_every_25_seconds_whatever_else_comes() -> None:
    """The exchange closes a connection that sends none for two minutes, however busy it is."""
    line = Driven(BTC, answers=True)
    line.to(24 * 3600)
    pings = [at_s for at_s, text in line.sent if text == "ping"]
    assert pings[0] == 25
    assert {after - before for before, after in pairwise(pings)} == {25}
    assert [event for event in line.happened if isinstance(event, Dead)] == []


def test_a_ping_leaves_before_anything_else() -> None:
    """What waits for its turn at ten messages a second may not hold it up."""
    line = Driven(answers=True)
    line.to(24.9)
    line.talk.want([BTC])
    line.now_ns += SECOND_NS // 10
    line.turn()
    assert line.sent == [(25, "ping"), (25, "subscribe ticker:BTCUSDT")]


def test_a_line_that_says_nothing_for_two_pings_is_dead() -> None:
    """A connection can be gone without anybody having said so."""
    line = Driven()
    line.to(100)
    assert line.sent == [(25, "ping")]
    assert line.events == [(50, Dead("nothing was heard for two pings"))]
    line.turn()
    assert line.sent == [(25, "ping")]


@pytest.mark.parametrize("frame", [Pong(), Strange("odd"), Subscribed(ETH), TradeAnswer("1", True, "0", "")])
def test_anything_that_is_heard_is_a_sign_of_life(frame: Pong | Strange | Subscribed | TradeAnswer) -> None:
    """Pong and data alike."""
    line = Driven()
    line.to(49)
    line.hear(frame)
    line.to(98)
    assert line.happened == []
    line.to(120)
    assert line.events == [(99, Dead("nothing was heard for two pings"))]


def test_a_push_is_a_sign_of_life() -> None:
    """The most frequent one."""
    line = Driven()
    line.to(49)
    line.pushed(BTC)
    line.to(98)
    assert line.happened == []


@pytest.mark.parametrize("stall_s", [5, 35, 120, 3600])
def test_who_stood_still_himself_pings_before_he_gives_up(stall_s: int) -> None:
    """The pongs lie unread in the socket: a stall of ours is not the exchange's silence (failure model 55)."""
    line = Driven()
    line.to(20)
    line.now_ns += stall_s * SECOND_NS
    line.turn()
    assert line.alive
    line.to(26 + stall_s)
    assert line.happened == []
    assert [text for _, text in line.sent] == ["ping"]
    line.to(120 + stall_s)
    (event,) = line.happened
    assert isinstance(event, Dead)
    ((pinged_s, _), *_), (dead_s, _) = line.sent, line.events[-1]
    assert dead_s - pinged_s >= 20


def test_a_stall_costs_no_login_and_no_subscription() -> None:
    """Answers that are there already may not count as missing."""
    line = Driven(ORDERS, private=True)
    line.to(4)
    line.now_ns += 60 * SECOND_NS
    line.turn()
    line.hear(LoggedIn())
    line.now_ns += 60 * SECOND_NS
    line.turn()
    line.hear(Subscribed(ORDERS))
    assert line.happened == [SignedIn(), Acknowledged(ORDERS)]
    assert line.requests == ["login", "subscribe orders:default"]


def test_a_login_without_an_answer_is_given_up() -> None:
    """Nothing hangs if an acknowledgement never comes."""
    line = Driven(ORDERS, private=True)
    line.to(60)
    assert line.events == [(5, Dead("the login was not answered"))]
    assert line.sent == [(0, "login")]


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("30004", Remedy.STOP),
        ("30005", Remedy.STOP),
        ("30011", Remedy.STOP),
        ("30012", Remedy.STOP),
        ("30013", Remedy.CLOCK),
        ("30014", Remedy.CLOCK),
        ("30015", Remedy.STOP),
        ("30001", Remedy.STOP),
        ("30016", Remedy.STOP),
        ("30006", Remedy.WAIT),
        ("30007", Remedy.WAIT),
        ("429", Remedy.WAIT),
        ("25004", Remedy.WAIT),
        ("40018", Remedy.STOP),
        ("40014", Remedy.STOP),
        ("40085", Remedy.STOP),
        ("25000", Remedy.AGAIN),
        ("25001", Remedy.AGAIN),
        ("40725", Remedy.AGAIN),
        ("99999", Remedy.AGAIN),
        ("", Remedy.AGAIN),
    ],
)
def test_what_a_code_asks_for(code: str, what: Remedy) -> None:
    """A key that is refused is not tried again and again; a code that nobody knows proves nothing (reference 5.7)."""
    assert remedy(code) is what


@pytest.mark.parametrize("frame", [LoginFailed("30015", "no"), Failed(None, "30015", "no")])
def test_a_refused_login_ends_the_connection(frame: LoginFailed | Failed) -> None:
    """Whatever error comes while the login is waited for is its answer; nothing is sent after it, not even a ping."""
    line = Driven(ORDERS, private=True)
    line.to(1)
    line.hear(frame)
    line.to(100)
    line.hear(LoggedIn(), Subscribed(ORDERS), frame)
    assert line.happened == [SignInRefused("30015", "no", Remedy.STOP)]
    assert line.sent == [(0, "login")]
    assert not line.talk.signed_in


def test_the_clock_is_blamed_once() -> None:
    """If the exchange's clock was read and its word on the timestamp stays the same, it is not the clock."""
    line = Driven(private=True)
    for told in (Remedy.CLOCK, Remedy.STOP, Remedy.STOP):
        line.turn()
        line.hear(LoginFailed("30014", "expired"))
        assert line.happened == [SignInRefused("30014", "expired", told)]
        line.reopen()
    line.hear(LoggedIn())
    line.reopen()
    line.hear(LoginFailed("30013", "odd"))
    assert line.happened == [SignInRefused("30013", "odd", Remedy.CLOCK)]


def test_an_answer_to_no_login_is_none() -> None:
    """Neither on a public connection nor a second time."""
    line = Driven(BTC)
    line.hear(LoggedIn())
    assert line.happened == []


def test_a_login_that_fails_later_ends_the_connection_too() -> None:
    """The exchange may drop a session that it had taken."""
    line = Driven(ORDERS, private=True, answers=True)
    line.to(30)
    line.hear(LoginFailed("30005", "gone"))
    assert line.happened[-1] == SignInRefused("30005", "gone", Remedy.STOP)


def test_an_acknowledged_topic_is_on() -> None:
    """One acknowledgement an argument, even if they were asked for together (reference 5.3)."""
    line = Driven(BTC, ETH)
    line.to(1)
    line.hear(Subscribed(ETH))
    assert line.events == [(1, Acknowledged(ETH))]
    assert (line.talk.acknowledged(BTC), line.talk.acknowledged(ETH)) == (False, True)
    line.hear(Subscribed(ETH), Subscribed(XRP), Subscribed(Topic("ticker", "btcusdt")))
    assert line.happened == [Acknowledged(ETH), Acknowledged(BTC)]
    assert not line.talk.acknowledged(XRP)


def test_an_acknowledgement_may_echo_the_coin_as_a_symbol() -> None:
    """What was asked with `coin` is the same topic."""
    line = Driven(ACCOUNT)
    line.to(0)
    line.hear(Subscribed(Topic("account", "default")))
    assert line.happened == [Acknowledged(ACCOUNT)]


@pytest.mark.parametrize(
    ("topic", "pushed"),
    [(BTC, BTC), (ORDERS, Topic("orders", "AXSUSDT")), (ORDERS, ORDERS), (ACCOUNT, Topic("account", coin="default"))],
)
def test_a_push_acknowledges_its_topic(topic: Topic, pushed: Topic) -> None:
    """The acknowledgement is lost or late; pushes of `default` were recorded with the symbol."""
    line = Driven(topic, XRP)
    line.to(1)
    line.pushed(pushed)
    line.pushed(pushed)
    assert line.events == [(1, Acknowledged(topic))]
    line.pushed(ETH)
    assert line.happened == [Acknowledged(topic)]


def test_a_topic_that_is_not_acknowledged_is_asked_for_again_and_then_lost() -> None:
    """Every 5 s, three times more; then its reader hears of it, and the others never do."""
    line = Driven(BTC, ETH)
    line.to(1)
    line.hear(Subscribed(ETH))
    for at_s in range(2, 70, 7):
        line.to(at_s)
        line.hear(Pong())
    both, one, end = "subscribe ticker:BTCUSDT ticker:ETHUSDT", "subscribe ticker:BTCUSDT", "unsubscribe ticker:BTCUSDT"
    assert [each for each in line.sent if each[1] != "ping"] == [
        (0, both),
        *[(at_s, one) for at_s in (5, 10, 15)],
        # It may come all the same, and nobody is there to read it.
        *[(at_s, end) for at_s in (20, 25, 30, 35)],
    ]
    assert line.events == [
        (1, Acknowledged(ETH)),
        (20, SubscriptionLost(BTC, "", "not acknowledged after 4 requests")),
        (40, Left(BTC)),
    ]
    assert line.talk.topics == (ETH,)


def test_a_late_acknowledgement_counts() -> None:
    """Between two requests, too."""
    line = Driven(BTC)
    line.turn()
    line.talk.tick(line.now_ns + 5 * SECOND_NS)
    line.hear(Subscribed(BTC))
    assert line.happened == [Acknowledged(BTC)]
    line.to(20)
    assert line.requests == ["subscribe ticker:BTCUSDT"]


@pytest.mark.parametrize("code", ["30001", "30002", "30003", "30016", "30004", "25100"])
def test_a_refused_topic_is_lost_at_once(code: str) -> None:
    """The same request gets the same answer."""
    line = Driven(BTC, ETH)
    line.to(1)
    line.hear(refusal(BTC, code))
    assert line.events == [(1, SubscriptionLost(BTC, code, "in words"))]
    line.hear(Subscribed(ETH))
    line.to(40)
    assert line.requests == ["subscribe ticker:BTCUSDT ticker:ETHUSDT"]


@pytest.mark.parametrize(("code", "private"), [("99999", False), ("25000", False), ("", False), ("30004", True)])
def test_a_topic_that_is_refused_without_proof_is_asked_for_again(code: str, private: bool) -> None:
    """A code that nobody knows, a server in trouble; and "login needed" after a login that was taken."""
    line = Driven(ORDERS, private=private, answers=False)
    line.turn()
    if private:
        line.hear(LoggedIn())
    for _ in range(4):
        assert line.happened == [SignedIn()] * private
        line.hear(refusal(ORDERS, code))
        line.to(line.at_s + 5)
    assert [each for each in line.sent if each[1] != "login"] == [
        (at_s, "subscribe orders:default") for at_s in (0, 5, 10, 15)
    ]
    assert line.happened[-1] == SubscriptionLost(ORDERS, code, "in words")


@pytest.mark.parametrize("topic", [BTC, None])
def test_too_many_requests_are_waited_out(topic: Topic | None) -> None:
    """5, 10, 20, 40, then 60 s; nobody loses a topic for it, and nothing else is asked in the meantime."""
    line = Driven(BTC)
    line.turn()
    for number in range(1, 8):
        line.hear(refusal(topic, "30006"))
        line.talk.want([ETH])
        line.turn()
        assert len(line.requests) == number
        line.talk.unwant([ETH])
        while len(line.requests) == number:
            line.to(line.at_s + 1)
            line.hear(Pong())
    moments = [at_s for at_s, text in line.sent if text != "ping"]
    assert [after - before for before, after in pairwise(moments)] == [5, 10, 20, 40, 60, 60, 60]
    assert set(line.requests) == {"subscribe ticker:BTCUSDT"}
    line.hear(Subscribed(BTC))
    assert line.happened == [Acknowledged(BTC)]


def test_over_the_limit_means_away_and_not_back_at_once() -> None:
    """30007 closes the connection; addresses that go on are blocked (reference 5.1)."""
    line = Driven(BTC)
    line.turn()
    line.hear(refusal(None, "30007"))
    assert line.happened == [Dead("too many messages", 60 * SECOND_NS)]
    line.to(100)
    assert len(line.sent) == 1


def test_an_error_that_names_nothing_is_the_only_request_s() -> None:
    """There is nothing else that it could mean."""
    line = Driven(BTC, ETH)
    line.turn()
    line.hear(Subscribed(ETH), refusal(None, "30016"))
    assert line.happened == [Acknowledged(ETH), SubscriptionLost(BTC, "30016", "in words")]


def test_an_error_that_names_nothing_among_many_is_found_one_by_one() -> None:
    """Those that were good may not be lost with the one that is not; the server refuses ETH each time."""
    line = Driven(BTC, ETH, XRP)
    line.turn()
    line.hear(refusal(None, "30016"))
    assert line.requests[1:] == ["subscribe ticker:BTCUSDT"]
    line.talk.want([ORDERS])
    line.turn()
    assert len(line.requests) == 2, "a second request would make the next error doubtful again"
    line.hear(Subscribed(BTC))
    assert line.requests[2:] == ["subscribe orders:default"]
    line.hear(Subscribed(ORDERS))
    assert line.requests[3:] == ["subscribe ticker:ETHUSDT"]
    line.hear(refusal(None, "30016"))
    assert line.requests[4:] == ["subscribe ticker:XRPUSDT"]
    line.hear(Subscribed(XRP))
    lost = SubscriptionLost(ETH, "30016", "in words")
    assert line.happened == [Acknowledged(BTC), Acknowledged(ORDERS), lost, Acknowledged(XRP)]


def test_an_error_for_a_topic_of_another_name_is_the_only_request_s() -> None:
    """The texts of errors spell topics in a way of their own."""
    line = Driven(Topic("candle7m", "BTCUSDT"))
    line.turn()
    line.hear(refusal(Topic("candleundefined", "BTCUSDT"), "30001"))
    assert line.happened == [SubscriptionLost(Topic("candle7m", "BTCUSDT"), "30001", "in words")]


def test_an_error_that_belongs_to_nothing_is_told() -> None:
    """Somebody should read it."""
    line = Driven(BTC, answers=True)
    line.turn()
    line.hear(refusal(None, "30003"))
    assert line.happened == [Acknowledged(BTC), Complaint("30003", "in words")]
    assert line.talk.acknowledged(BTC)


def test_a_topic_that_the_exchange_ends_is_lost() -> None:
    """A symbol can be delisted while its prices are read."""
    line = Driven(BTC, answers=True)
    line.turn()
    line.hear(refusal(BTC, "30001"))
    assert line.happened == [Acknowledged(BTC), SubscriptionLost(BTC, "30001", "in words")]


def test_what_is_wanted_no_more_is_ended() -> None:
    """Pushes that nobody reads cost both sides; what was never asked for needs no end."""
    line = Driven(BTC, ETH)
    line.talk.unwant([ETH, XRP])
    line.turn()
    line.hear(Subscribed(BTC))
    line.talk.unwant([BTC])
    line.talk.unwant([BTC])
    line.turn()
    assert not line.talk.acknowledged(BTC)
    line.hear(Unsubscribed(ETH), Unsubscribed(BTC), Unsubscribed(BTC))
    assert line.requests == ["subscribe ticker:BTCUSDT", "unsubscribe ticker:BTCUSDT"]
    assert line.happened == [Acknowledged(BTC), Left(BTC)]
    assert line.talk.topics == ()


def test_what_is_wanted_no_more_before_its_acknowledgement_is_ended() -> None:
    """The acknowledgement that comes afterwards is nobody's."""
    line = Driven(BTC)
    line.turn()
    line.talk.unwant([BTC])
    line.turn()
    line.hear(Subscribed(BTC))
    assert line.requests == ["subscribe ticker:BTCUSDT", "unsubscribe ticker:BTCUSDT"]
    line.hear(Unsubscribed(BTC))
    assert line.happened == [Left(BTC)]


def test_what_is_wanted_again_while_it_ends_is_asked_for_again() -> None:
    """After the end, not before it; and its reader gets an acknowledgement."""
    line = Driven(BTC, answers=False)
    line.turn()
    line.hear(Subscribed(BTC))
    line.talk.unwant([BTC])
    line.turn()
    line.talk.want([BTC])
    line.turn()
    line.hear(Subscribed(BTC))
    assert line.requests == ["subscribe ticker:BTCUSDT", "unsubscribe ticker:BTCUSDT"]
    line.hear(Unsubscribed(BTC))
    assert line.requests[2:] == ["subscribe ticker:BTCUSDT"]
    line.hear(Subscribed(BTC))
    assert line.happened == [Acknowledged(BTC), Acknowledged(BTC)]


def test_what_is_wanted_again_before_its_end_was_asked_for_stays() -> None:
    """Nothing needs to be said."""
    line = Driven(BTC, answers=True)
    line.turn()
    line.talk.unwant([BTC])
    line.talk.want([BTC])
    line.turn()
    assert line.requests == ["subscribe ticker:BTCUSDT"]
    assert line.talk.acknowledged(BTC)


@pytest.mark.parametrize("wanted", [False, True])
def test_an_end_that_is_not_acknowledged_holds_nothing_up(wanted: bool) -> None:
    """Asked for four times, then forgotten; who wants it again asks for it after 5 s."""
    line = Driven(BTC)
    line.turn()
    line.hear(Subscribed(BTC))
    line.talk.unwant([BTC])
    line.turn()
    if wanted:
        line.talk.want([BTC])
        line.to(6)
        line.hear(Subscribed(BTC))
    line.to(24)
    ends = [(at_s, "unsubscribe ticker:BTCUSDT") for at_s in ((0,) if wanted else (0, 5, 10, 15))]
    again = [(5, "subscribe ticker:BTCUSDT")] * wanted
    assert line.sent == [(0, "subscribe ticker:BTCUSDT"), *ends, *again]
    assert line.events[1:] == [(6, Acknowledged(BTC)) if wanted else (20, Left(BTC))]


@pytest.mark.parametrize("wanted", [False, True])
def test_an_end_that_is_refused_is_one(wanted: bool) -> None:
    """There is nothing left to do about it."""
    line = Driven(BTC)
    line.turn()
    line.hear(Subscribed(BTC))
    line.talk.unwant([BTC])
    line.turn()
    if wanted:
        line.talk.want([BTC])
    line.hear(refusal(BTC, "30001"))
    assert line.happened[1:] == ([] if wanted else [Left(BTC)])
    assert line.requests[2:] == ["subscribe ticker:BTCUSDT"] * wanted


def test_an_end_that_waits_for_its_turn_and_its_acknowledgement() -> None:
    """An acknowledgement that never came does not matter for a topic that is wanted no more."""
    line = Driven(BTC)
    line.turn()
    line.talk.unwant([BTC])
    line.talk.tick(line.now_ns + 5 * SECOND_NS)
    line.turn()
    assert line.requests == ["subscribe ticker:BTCUSDT", "unsubscribe ticker:BTCUSDT"]


def test_another_connection_is_told_everything_anew() -> None:
    """It knows nothing; what was wanted no more is not asked for, and nothing that came before counts."""
    line = Driven(ORDERS, ACCOUNT, BTC, private=True, answers=True)
    line.turn()
    line.answers = False
    line.talk.unwant([BTC])
    line.turn()
    line.talk.closed()
    assert not line.talk.signed_in
    assert not line.talk.acknowledged(ORDERS)
    assert line.talk.next_frame(line.now_ns) is None
    assert line.talk.tick(line.now_ns) == ()
    assert line.talk.heard(Subscribed(ORDERS), line.now_ns) == ()
    line.reopen()
    line.hear(Subscribed(ORDERS))
    line.hear(LoggedIn(), Subscribed(ORDERS))
    assert line.requests == ["login", "subscribe orders:default account:default"]
    assert line.happened == [SignedIn()]
    line.hear(Subscribed(ACCOUNT))
    assert line.happened == [SignedIn(), Acknowledged(ACCOUNT)]


def test_a_connection_is_renewed_before_the_exchange_cuts_it() -> None:
    """After 24 h it would; it is said once, and the talk goes on until the shell is ready."""
    line = Driven(BTC, answers=True)
    line.to(24 * 3600)
    assert line.events == [(0, Acknowledged(BTC)), (23.5 * 3600, Renewal())]
    assert line.sent[-1] == (24 * 3600.0, "ping")
    line.reopen()
    line.to(23.5 * 3600 - 1)
    assert line.happened == [Acknowledged(BTC)]
    short = Driven(BTC, answers=True, life_ns=60 * SECOND_NS)
    short.to(200)
    assert short.events[1:] == [(60, Renewal())]


def test_no_more_than_240_requests_leave_in_an_hour() -> None:
    """A reader who comes and goes may not get the connection closed for all; he waits, and is served then."""
    line = Driven(answers=True)
    for number in range(600):
        topic = Topic("ticker", f"{number}USDT")
        line.talk.want([topic])
        line.to(line.at_s + 1)
        line.talk.unwant([topic])
        line.to(line.at_s + 1)
    line.talk.want([BTC])
    line.to(12_000)
    moments = [at_s for at_s, text in line.sent if text != "ping"]
    assert len(moments) > 240
    assert min(after - before for before, after in zip(moments, moments[240:], strict=False)) >= 3600
    assert line.talk.acknowledged(BTC)
    assert line.talk.topics == (BTC,)


class Exchange:
    """The other side of a connection: what it has subscribed, and what it says, or does not."""

    def __init__(self, dice: st.DataObject) -> None:
        self.dice = dice
        self.on: set[str] = set()

    def answer(self, line: Driven, text: str, *, calm: bool) -> None:
        """Do what is asked; acknowledge it, or not, or say that it is too much."""
        op, *names = text.split()
        how = "yes" if calm else self.dice.draw(st.sampled_from(["yes", "yes", "silent", "some", "busy", "odd"]))
        for number, name in enumerate(names):
            channel, _, inst_id = name.partition(":")
            topic = Topic(channel, inst_id)
            if how == "busy":
                line.hear(refusal(self.dice.draw(st.sampled_from([None, topic])), "30006"))
                return
            if how == "odd":
                line.hear(refusal(None, "99999"))
                return
            (self.on.add if op == "subscribe" else self.on.discard)(name)
            if how == "yes" or (how == "some" and number % 2):
                line.hear(Subscribed(topic) if op == "subscribe" else Unsubscribed(topic))


@settings(max_examples=150, deadline=None, database=None)
@given(st.data())
def test_once_the_exchange_answers_all_that_is_wanted_comes_and_nothing_else(data: st.DataObject) -> None:
    """Whatever was lost, refused for a while, wanted and not wanted before: no topic hangs, none is forgotten."""
    line, exchange = Driven(), Exchange(data)
    names = [Topic("ticker", f"{name}USDT") for name in "ABCDE"]
    wanted: set[Topic] = set()
    answered = 0

    def turn(*, calm: bool) -> None:
        nonlocal answered
        line.turn()
        while answered < len(line.sent):
            answered += 1
            if line.sent[answered - 1][1] == "ping":
                line.hear(Pong())
            else:
                exchange.answer(line, line.sent[answered - 1][1], calm=calm)

    for _ in range(data.draw(st.integers(1, 15))):
        topic = data.draw(st.sampled_from(names))
        if data.draw(st.booleans()):
            line.talk.want([topic])
            wanted.add(topic)
        else:
            line.talk.unwant([topic])
            wanted.discard(topic)
        turn(calm=False)
        for _ in range(data.draw(st.integers(0, 3))):
            line.now_ns = max(line.now_ns, line.talk.due_ns)
            turn(calm=False)
    end_ns = line.now_ns + 300 * SECOND_NS
    while line.now_ns < end_ns:
        line.now_ns = max(line.now_ns, line.talk.due_ns)
        turn(calm=True)
    assert line.alive
    lost = {event.topic for event in line.happened if isinstance(event, SubscriptionLost)}
    assert set(line.talk.topics) | lost >= wanted
    assert set(line.talk.topics) <= wanted
    for topic in line.talk.topics:
        assert line.talk.acknowledged(topic)
    # What was given up, on either side of the wish, may stand as the exchange left it.
    given_up = lost | {event.topic for event in line.happened if isinstance(event, Left)}
    on = {Topic(*name.split(":")) for name in exchange.on}
    assert set(line.talk.topics) <= on
    assert on - set(line.talk.topics) <= given_up
