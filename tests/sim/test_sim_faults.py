"""The script of misbehaviour: which request meets which fault, and what then happens on the wire and in truth."""

from __future__ import annotations

import pytest

from bitget_async.sim import Request, faults

CANCEL = "cancel-symbol-order"


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize(
    ("make", "kind", "status"),
    [
        (faults.drop, "close", None),
        (faults.reset, "reset", None),
        (faults.hang, "hang", None),
        (lambda executed: faults.page(502, executed=executed), "send", 502),
        (lambda executed: faults.page(403, executed=executed), "send", 403),
        (lambda executed: faults.raw(b"", executed=executed), "send", 200),
        (lambda executed: faults.raw(b"{", executed=executed), "send", 200),
        (lambda executed: faults.envelope("45001", executed=executed), "send", 400),
        (lambda executed: faults.envelope("40010", status=200, executed=executed), "send", 200),
        (lambda executed: faults.redirect("http://127.0.0.2/", executed=executed), "send", 307),
    ],
)
def test_answer_and_execution_are_independent(sim, make, kind, status, executed):
    """Whatever goes out, truth says whether it was executed."""
    exchange, ask, _ = sim(sweep_delay_s=0.0)
    exchange.rest("BTCUSDT", 2)
    exchange.faults.add(CANCEL, make(executed=executed))
    answer = ask.cancel()
    assert answer.kind == kind
    assert len(exchange.truth.executions) == executed
    assert len(ask.open()) == (0 if executed else 2)
    (copy,) = exchange.truth.copies(CANCEL)
    assert copy.status == status
    assert copy.result == ("00000" if executed else None)
    assert (copy.processed_ns is not None) is executed
    assert copy.fault is not None
    assert ask.cancel().code == "00000"


def test_pages_are_no_json(sim):
    """An HTML page by its content type and its body; a redirect by its header; an envelope by all four fields."""
    exchange, ask, _ = sim()
    exchange.faults.add(CANCEL, faults.page(429, executed=False))
    exchange.faults.add(CANCEL, faults.redirect("http://127.0.0.2/x"))
    exchange.faults.add(CANCEL, faults.envelope("40725"))
    page = ask.cancel()
    assert page.headers["Content-Type"] == "text/html"
    assert page.body.startswith(b"<html>")
    assert ask.cancel().headers["Location"] == "http://127.0.0.2/x"
    envelope = ask.cancel()
    assert (envelope.code, envelope.data) == ("40725", None)
    assert b'"requestTime":' in envelope.body
    assert exchange.truth.answers_429 == 1


@pytest.mark.parametrize(("keep", "sent"), [(0, 0), (5, 5), (0.5, None), (10_000, 10_000)])
def test_truncated_answers_keep_their_announced_length(sim, keep, sent):
    """Executed, the whole body announced, a part of it sent."""
    exchange, ask, _ = sim()
    exchange.faults.add(CANCEL, faults.truncated(keep))
    request_body = b'{"symbol":"BTCUSDT"}'
    reply = ask.run(exchange.gateway.handle(request(ask, request_body)))
    assert reply.cut_at == (len(reply.body) // 2 if sent is None else sent)
    assert exchange.truth.wire[0].result == "00000"


def request(ask, body):
    """A signed cancel, not yet handed in."""
    path = f"/api/v2/spot/trade/{CANCEL}"
    return Request(method="POST", path=path, body=body, headers=ask.sign("POST", path, body))


def test_delays_before_and_after(sim):
    """29 s before the processing: still accepted. 31 s: refused by its timestamp. After it: only the answer waits."""
    exchange, ask, clock = sim(sweep_delay_s=0.0)
    exchange.rest("BTCUSDT", 1)
    for fault, code, waited_s in (
        (faults.delayed(after_s=7.0), "00000", 7),
        (faults.delayed(before_s=29.0), "00000", 29),
        (faults.delayed(before_s=31.0), "40008", 31),
    ):
        exchange.faults.add(CANCEL, fault)
        start_ns = clock.now_ns
        assert ask.cancel().code == code
        assert round((clock.now_ns - start_ns) / 1e9) == waited_s
        copy = exchange.truth.wire[-1]
        assert copy.processed_ns - copy.received_ns == (0 if waited_s == 7 else waited_s * 10**9)
    assert len(exchange.truth.executions) == 2


def test_wrong_echo_names_another_symbol(sim):
    """And cancels the right one."""
    exchange, ask, _ = sim(sweep_delay_s=0.0)
    exchange.rest("BTCUSDT", 1)
    exchange.faults.add(CANCEL, faults.wrong_echo("BGBUSDT"))
    assert ask.cancel().data == {"symbol": "BGBUSDT"}
    assert exchange.truth.executions[0].symbol == "BTCUSDT"


def test_script_counts_times_after_and_predicates(sim):
    """The third and fourth fitting request, of those that fit."""
    exchange, ask, _ = sim(quotas={CANCEL: 99})
    entry = exchange.faults.add(
        CANCEL, faults.envelope("45001"), times=2, after=2, where=lambda copy: b"ETHUSDT" in copy.body
    )
    codes = [ask.cancel(symbol).code for symbol in ["ETHUSDT", "BTCUSDT"] * 5]
    assert codes == ["00000"] * 4 + ["45001", "00000"] * 2 + ["00000"] * 2
    assert entry.hits == 2


def test_script_by_chance_is_seeded(sim):
    """A probability of one half hits about half, and the same half for the same seed."""
    runs = []
    for seed in (1, 1, 2):
        exchange, ask, _ = sim(seed=seed, quotas={"time": 999})
        exchange.faults.add(None, faults.envelope("45001"), times=None, probability=0.5)
        runs.append([ask.get("/api/v2/public/time").code for _ in range(200)])
    assert runs[0] == runs[1] != runs[2]
    assert 70 < runs[0].count("45001") < 130


def test_script_can_be_cleared(sim):
    """One endpoint or all."""
    exchange, ask, _ = sim()
    exchange.faults.add(CANCEL, faults.envelope("45001"), times=None)
    exchange.faults.add("unfilled-orders", faults.envelope("45001"), times=None)
    exchange.faults.clear(CANCEL)
    assert (ask.cancel().code, ask.get("unfilled-orders").code) == ("00000", "45001")
    exchange.faults.clear()
    assert ask.get("unfilled-orders").code == "00000"


def test_combined_faults_do_both(sim):
    """Late, and unanswered: the right-hand fault wins where both speak, and both must let it be executed."""
    exchange, ask, _ = sim(sweep_delay_s=0.0)
    exchange.rest("BTCUSDT", 1)
    exchange.faults.add(CANCEL, faults.executed_late(25.0) | faults.drop(executed=True))
    assert ask.cancel().kind == "close"
    ask.pass_s(24.9)
    assert len(ask.open()) == 1
    ask.pass_s(0.1)
    assert ask.open() == ()
    both = faults.drop(executed=False) | faults.page(502, executed=True)
    assert not both.executed
    assert both.answer == faults.page(502, executed=True).answer


def test_a_fault_without_execution_and_answer_closes(sim):
    """There is nothing to send."""
    exchange, ask, _ = sim()
    exchange.faults.add(CANCEL, faults.Fault(name="lost", executed=False))
    assert ask.cancel().kind == "close"
