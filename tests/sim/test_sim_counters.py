"""Limits: sliding seconds per account and endpoint, minutes per address, counted at processing."""

from __future__ import annotations

import pytest

from bitget_async.sim import ROUTES, Request

TIME = Request(method="GET", path="/api/v2/public/time")


def test_sixth_cancel_in_a_second_is_refused(sim):
    """HTTP 429 with code 429, nothing executed, and a place free again one second after the first."""
    exchange, ask, _ = sim(sweep_delay_s=0.0)
    for _ in range(5):
        assert ask.cancel().status == 200
        ask.pass_s(0.1)
    answer = ask.cancel()
    assert (answer.status, answer.code) == (429, "429")
    assert exchange.truth.answers_429 == 1
    ask.pass_s(0.499)
    assert ask.cancel().status == 429
    ask.pass_s(0.001)
    assert ask.cancel().status == 200
    assert ask.cancel().status == 429
    assert len(exchange.truth.executions) == 6


def test_header_tells_what_is_left(sim):
    """Limit minus one on the first call, on errors too, and whatever is advertised instead."""
    exchange, ask, _ = sim()
    header = "X-Mbx-Used-Remain-Limit"
    assert [ask.cancel().headers[header] for _ in range(6)] == ["4", "3", "2", "1", "0", "0"]
    assert ask.get("/api/v2/spot/public/coins", coin="INVALID").headers[header] == "2"
    exchange.settings.advertised_quotas["cancel-symbol-order"] = 20
    ask.pass_s(1)
    assert [ask.cancel().headers[header] for _ in range(2)] == ["19", "18"]


def test_keys_share_an_account_and_accounts_share_nothing(sim):
    """The counter is per user id, not per key; endpoints have counters of their own."""
    exchange, ask, _ = sim()
    second = exchange.add_key()
    other = exchange.credentials(exchange.add_account())
    body = {"symbol": "BTCUSDT"}
    for index in range(6):
        key = second if index % 2 else None
        answer = ask.post("cancel-symbol-order", body, key)
        assert answer.status == (200 if index < 5 else 429)
    assert ask.post("cancel-symbol-order", body, other).status == 200
    assert ask.get("unfilled-orders").status == 200


@pytest.mark.parametrize(("name", "quota"), [("settings", 3), ("unfilled-orders", 1)])
def test_quotas_can_be_changed(sim, name, quota):
    """For tests of a limiter that must learn."""
    _, ask, _ = sim(quotas={name: quota})
    path = next(route.path for route in ROUTES.values() if route.name == name)
    assert [ask.get(path).status == 429 for _ in range(quota + 1)] == [False] * quota + [True]


def test_address_is_banned_beyond_its_minute(sim):
    """All endpoints count, and the ban lasts."""
    exchange, ask, _ = sim(ip_per_minute=10, ip_ban_s=300.0)
    for index in range(10):
        assert ask.send(TIME).status == 200, index
    assert ask.send(TIME).status == 429
    ask.pass_s(299.9)
    assert ask.get("unfilled-orders").status == 429
    elsewhere = Request(method="GET", path="/api/v2/public/time", ip="10.0.0.1")
    assert ask.send(elsewhere).status == 200
    ask.pass_s(0.1)
    assert ask.get("unfilled-orders").status == 200
    assert exchange.truth.answers_429 == 2


def test_counting_happens_at_processing(sim):
    """Six calls sent apart and processed together break the limit; latency decides, not the sender."""
    exchange, ask, clock = sim()
    start_ns = clock.now_ns
    for index in range(6):
        clock.now_ns = start_ns + index * 150_000_000
        exchange.settings.request_latency_s = 2.0 - index * 0.15
        ask_later(exchange, ask)
    clock.now_ns = start_ns + 2_000_000_000
    assert [copy.result for copy in exchange.truth.wire] == ["00000"] * 5 + ["429"]
    assert exchange.truth.worst_second("cancel-symbol-order") == 6
    assert {copy.processed_ns for copy in exchange.truth.wire} == {clock.now_ns}


def ask_later(exchange, ask):
    """Hand a cancel in and walk away before it is processed."""
    path = "/api/v2/spot/trade/cancel-symbol-order"
    body = b'{"symbol":"BTCUSDT"}'
    request = Request(method="POST", path=path, body=body, headers=ask.sign("POST", path, body))
    work = exchange.gateway.handle(request)
    ask.clock.sleep, kept = stuck, ask.clock.sleep
    try:
        work.send(None)
    finally:
        work.close()
        ask.clock.sleep = kept


async def stuck(seconds):
    """A sleep that does not end."""
    await Never()


class Never:
    def __await__(self):
        yield None


def test_processing_goes_on_when_the_caller_is_gone(sim):
    """A request that has arrived is executed although its connection was closed meanwhile."""
    exchange, ask, _ = sim(request_latency_s=0.5, sweep_delay_s=0.1)
    exchange.rest("BTCUSDT", 2)
    ask_later(exchange, ask)
    ask.pass_s(0.59)
    assert len(ask.open()) == 2
    ask.pass_s(0.01)
    assert ask.open() == ()
    (copy,) = exchange.truth.wire
    assert (copy.status, copy.result) == (None, "00000")
    assert copy.processed_ns - copy.received_ns == 500_000_000


def test_worst_second_slides(sim):
    """Calls around a full second count together; per account they count apart."""
    exchange, ask, _ = sim()
    other = exchange.credentials(exchange.add_account())
    ask.pass_s(0.9)
    for key in (None, None, other):
        ask.get("unfilled-orders", key)
    ask.pass_s(0.2)
    ask.get("unfilled-orders")
    truth = exchange.truth
    assert truth.worst_second("unfilled-orders") == truth.worst_second() == 4
    assert truth.worst_second("unfilled-orders", exchange.account.uid) == 3
    ask.pass_s(1.0)
    ask.get("unfilled-orders")
    assert truth.worst_second() == 4
    assert truth.worst_second("assets") == 0
