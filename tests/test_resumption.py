"""Descriptions of calls: what is taken back in, what is refused, and what a crash leaves of them."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitget_async import UsageError
from bitget_async.clock import VirtualClock
from bitget_async.course import NamedCourse, SweepCourse
from bitget_async.evidence import Certainty
from bitget_async.journal import Kind
from bitget_async.resumption import Home, Now, describe, fold, read, restore, was_sent
from bitget_async.sim import Settings, SimulatedExchange
from tests.conftest import CALM, run_virtual
from tests.lives import START_MS, client_at, kinds

KINDS = kinds()
SALT = "0123456789abcdef"
NOW = Now(10**15, (START_MS + 60_000, START_MS + 60_100))
every_kind = pytest.mark.parametrize("kind", KINDS)


@cache
def written() -> dict[str, tuple[Home, dict[str, Any], list[tuple[Kind, dict[str, Any]]]]]:
    """For every kind of call, all records of a real one, and where it belongs."""

    async def one(name: str) -> Any:
        options: Any = CALM
        async with SimulatedExchange(5, clock=VirtualClock(START_MS), settings=Settings(**options)) as exchange:
            folder = Path(tempfile.mkdtemp())
            async with client_at(exchange, 0, 7, journal=folder / "journal") as client:
                _ = [await client.market.server_time() for _ in range(2)]
                file: Any = client._open().journal
                begin, note = file.begin, file.note
                intents: list[dict[str, Any]] = []
                notes: list[tuple[Kind, dict[str, Any]]] = []

                def begun(data: Any) -> int:
                    intents.append(json.loads(json.dumps(data)))
                    return int(begin(data))

                def noted(number: int, kind: Kind, data: Any = None) -> bool:
                    notes.append((kind, json.loads(json.dumps(data))))
                    return bool(note(number, kind, data))

                file.begin, file.note = begun, noted
                _ = await (await KINDS[name].make(exchange, client))
                return client._home, intents[0], [each for each in notes if each[0] is not Kind.DONE]

    return {name: run_virtual(lambda name=name: one(name), debug=False) for name in KINDS}  # type: ignore[misc]


def commands(course: Any) -> list[Any]:
    """The commands of a course."""
    return [course.sweep] if isinstance(course, SweepCourse) else list(course.named.commands)


@every_kind
@pytest.mark.failure(53)
def test_every_beginning_of_the_records_gives_the_exact_certainty_or_maybe(kind: str) -> None:
    """Property 17: never "not sent" once a SENDING stands, never an answer that was not written."""
    home, intent, notes = written()[kind]
    total = len(intent["commands"])
    for cut in range(len(notes) + 1):
        some = notes[:cut]
        state, whole = fold(intent, some, home)
        assert whole
        sending = {data["command"] for what, data in some if what is Kind.SENDING}
        answered = {data["command"]: data["became"]["certainty"] for what, data in some if what is Kind.ANSWER}
        assert was_sent(state) is bool(sending)
        for number, command in enumerate(commands(restore(state, NOW, whole=True))):
            if number in answered:
                assert command.certainty.value == answered[number]
            elif number in sending:
                assert command.certainty is Certainty.MAYBE
            else:
                assert command.certainty is Certainty.REFUSED
    assert len(answered) == total


@every_kind
@pytest.mark.failure(53, 54)
@given(data=st.data())
def test_whatever_records_are_lost_nothing_that_was_sent_counts_as_not_sent(kind: str, data: st.DataObject) -> None:
    """A damaged journal says where something is missing (GAP); then what does not stand there proves nothing."""
    home, intent, notes = written()[kind]
    kept = data.draw(st.lists(st.booleans(), min_size=len(notes), max_size=len(notes)))
    left: list[tuple[Kind, dict[str, Any]]] = []
    for keep, note in zip(kept, notes, strict=True):
        left.append(note if keep else (Kind.GAP, {}))
    state, whole = fold(intent, left, home)
    assert whole is all(kept)
    for number, command in enumerate(commands(restore(state, NOW, whole=whole))):
        answer = next((d for k, d in left if k is Kind.ANSWER and d["command"] == number), None)
        if answer is not None:
            assert command.certainty.value == answer["became"]["certainty"]
        elif not whole:
            assert command.certainty is Certainty.MAYBE


@every_kind
def test_a_description_survives_json_and_comes_back_the_same(kind: str) -> None:
    """What is described, read, restored and described again tells the same of commands and orders."""
    home, intent, notes = written()[kind]
    state, _ = fold(intent, notes, home)
    course = restore(state, NOW, whole=True)
    again = json.loads(json.dumps(describe(course, home, START_MS)))
    back = restore(read(again, home), NOW, whole=True)
    more = json.loads(json.dumps(describe(back, home, START_MS)))
    assert more == again
    for name in ("command", "book", "symbol", "kind", "attempts", "commands", "acknowledged_at_ms"):
        first = json.loads(json.dumps(describe(course, home, 0)))[name]
        assert again[name] == first
    assert all(each["order_id"] for each in again["orders"])
    assert isinstance(course, SweepCourse) is (again["kind"] == "sweep")
    if isinstance(course, NamedCourse):
        assert isinstance(back, NamedCourse)
        assert [each.wanted for each in back.named.targets] == [each.wanted for each in course.named.targets]


@pytest.mark.parametrize(
    ("told", "low_ms", "expected"),
    [
        # Signed between 10.000 and 10.040 by the exchange's clock; it is 70.000 at least now: 59.960 s ago or more.
        ({"signed_ms": START_MS + 10_020, "sign_bounds_ms": [START_MS + 10_000, START_MS + 10_040]}, 70_000, 59_960),
        # The clock was not known: the exchange takes timestamps that are 30 s off.
        ({"signed_ms": START_MS + 10_020, "sign_bounds_ms": None}, 70_000, 29_980),
    ],
)
def test_a_command_counts_as_signed_at_the_latest_moment_that_it_can_have_been(
    told: dict[str, Any], low_ms: int, expected: int
) -> None:
    """Whoever takes it for earlier takes a read for a deciding one too early."""
    home, intent, _ = written()["sweep"]
    intent = copy.deepcopy(intent)
    intent["commands"][0] |= told
    now = Now(10**15, (START_MS + low_ms, START_MS + low_ms + 5_000))
    (sweep,) = commands(restore(fold(intent, [], home)[0], now, whole=True))
    assert sweep.signed_ns == 10**15 - expected * 1_000_000
    bounds = told["sign_bounds_ms"] or [START_MS + 10_020 - 30_000, START_MS + 10_020 + 30_000]
    assert list(sweep.sign_bounds) == bounds
    # From before the machine was started: moments below 0 would look like "seen" to evidence.
    (sweep,) = commands(restore(fold(intent, [], home)[0], Now(5, now.bounds_ms), whole=True))
    assert sweep.signed_ns == 0


def test_ids_of_the_callers_own_are_not_looked_for_when_the_moment_is_hardly_known() -> None:
    """An order of half a minute before could have had the same client id; one that the client made up, nobody has."""
    home, intent, _ = written()["place"]
    for own, bounds in ((False, None), (True, (START_MS - 30_000, START_MS + 30_000))):
        changed = copy.deepcopy(intent)
        changed["commands"][0] |= {"signed_ms": START_MS, "sign_bounds_ms": None}
        changed["orders"][0]["own_oid"] = own
        (command,) = commands(restore(read(changed, home), NOW, whole=True))
        assert command.sign_bounds == bounds


# -- what is refused -------------------------------------------------------------------------------------------------


def broken(**changes: Any) -> dict[str, Any]:
    """A description with fields changed."""
    _, intent, _ = written()["sweep"]
    return {**copy.deepcopy(intent), **changes}


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (None, "dict"),
        ([], "dict"),
        ({}, "version"),
        (broken(version=1), "version"),
        (broken(version=True), "version"),
        (broken(version=2.0), "version"),
        (broken(origin="https://api.example.com"), "origin"),
        (broken(account=SALT + ":" + "0" * 32), "account"),
        (broken(account="me"), "account"),
        (broken(surprise=1), "surprise"),
        (broken(symbol=""), "symbol"),
        (broken(book="tpsl"), "book"),
        (broken(commands=[]), "commands"),
        (broken(attempts=-1), "attempts"),
        (broken(kind="placement"), "options"),
        (broken(kind="else"), "kind"),
        (broken(orders=[{"order_id": "12x"}]), "orders"),
        (broken(commands=[{"certainty": "acked", "signed_ms": 5, "sign_bounds_ms": [9, 1]}]), "sign_bounds_ms"),
        (broken(commands=[{"certainty": "sure"}]), "certainty"),
    ],
)
def test_what_is_no_description_is_refused_by_name(data: Any, names: str) -> None:
    """`UsageError` says which field; nothing is guessed."""
    home, _, _ = written()["sweep"]
    with pytest.raises(UsageError, match=names):
        _ = read(data, home)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("replace", lambda data: data["orders"].reverse()),
        ("replace", lambda data: data["orders"].pop()),
        ("place", lambda data: data["orders"][0].update(want="final")),
        ("place", lambda data: data["orders"][0].update(command=1)),
        ("two commands", lambda data: [order.update(command=0) for order in data["orders"]]),
        ("modify", lambda data: data["orders"][0].update(wanted=None)),
        ("modify", lambda data: data["orders"].append(data["orders"][0])),
        ("sweep", lambda data: data["commands"].append(data["commands"][0])),
        ("place", lambda data: data["orders"][0].update(symbol="btcusdt")),
        ("place", lambda data: data["options"].update(confirm_within_s=0.0)),
        ("place", lambda data: data["options"].update(confirm_within_s=float("nan"))),
        ("place", lambda data: data["options"].update(staleness_s=float("nan"))),
        ("place", lambda data: data["options"].update(execution_grace_s=float("inf"))),
    ],
)
def test_what_does_not_belong_together_is_refused(kind: str, change: Any) -> None:
    """Each field can be meant, and together they cannot."""
    home, intent, _ = written()[kind]
    data = copy.deepcopy(intent)
    assert read(data, home)
    change(data)
    with pytest.raises(UsageError):
        _ = read(data, home)


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=5)
    | st.sampled_from(["acked", "maybe", "final", "sweep", "placement", 2, "9" * 41, START_MS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def spoil(value: Any, data: st.DataObject) -> Any:
    """Put junk somewhere inside, or take something away."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 3)):
        key = data.draw(st.sampled_from(sorted(value)))
        action = data.draw(st.integers(0, 5))
        if action == 0:
            return {k: v for k, v in value.items() if k != key}
        if action == 1:
            return {**value, data.draw(st.text(max_size=8)): data.draw(junk)}
        return {**value, key: spoil(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 3)):
        place = data.draw(st.integers(0, len(value) - 1))
        return [*value[:place], spoil(value[place], data), *value[place + 1 :]]
    return data.draw(junk)


@given(kind=st.sampled_from(sorted(KINDS)), data=st.data())
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_but_usage_error_comes_of_any_data(kind: str, data: st.DataObject) -> None:
    """Whatever somebody's file holds; and what passes can be restored and described."""
    home, intent, notes = written()[kind]
    state, _ = fold(intent, notes, home)
    whole: Any = json.loads(json.dumps(describe(restore(state, NOW, whole=True), home, START_MS)))
    for _ in range(data.draw(st.integers(1, 3))):
        whole = spoil(whole, data)
    try:
        taken = read(whole, home)
    except UsageError:
        return
    course = restore(taken, NOW, whole=data.draw(st.booleans()))
    assert describe(course, home, START_MS)


@given(data=st.data(), kind=st.sampled_from(sorted(KINDS)))
def test_a_record_that_cannot_be_read_counts_as_missing(kind: str, data: st.DataObject) -> None:
    """Of a later version, say: what it told is not known, and that is known."""
    home, intent, notes = written()[kind]
    place = data.draw(st.integers(0, len(notes) - 1))
    what, record = notes[place]
    bad = {**record, "surprise": data.draw(junk)}
    state, whole = fold(intent, [*notes[:place], (what, bad), *notes[place + 1 :]], home)
    assert not whole
    assert restore(state, NOW, whole=whole)


def test_an_account_is_recognised_and_not_shown() -> None:
    """Salted: two descriptions of one account look different, and both belong to it."""
    one, other = Home("o", "12345", "a" * 16), Home("o", "12345", "b" * 16)
    assert one.mark != other.mark
    assert "12345" not in one.mark + other.mark
    assert one.owns(other.mark)
    assert other.owns(one.mark)
    assert not Home("o", "12346").owns(one.mark)
    assert not Home("p", "12345").owns(one.mark)


# -- whole clients ---------------------------------------------------------------------------------------------------


def test_what_settled_with_certainty_is_not_resumed_and_doubt_is_looked_at_anew() -> None:
    """As `recheck()` does it, and for data from anywhere: no request is made for what is refused."""

    async def main() -> None:
        options: Any = CALM
        async with SimulatedExchange(5, clock=VirtualClock(START_MS), settings=Settings(**options)) as exchange:
            async with client_at(exchange, 0, 7) as client:
                pending = await KINDS["sweep"].make(exchange, client)
                doubt = pending.to_dict()
                _ = await pending
                requests = exchange.truth.count()
                refused: list[Any] = [pending.to_dict(), {**doubt, "symbol": 7}, "sweep"]
                for data in refused:
                    with pytest.raises(UsageError):
                        _ = await client.resume(data)
                assert exchange.truth.count() == requests
                closed = await KINDS["cancel"].make(exchange, client)
            report = await closed.settled()
            assert report.reason == "client_closed"
            async with client_at(exchange, 0, 8) as client:
                again = await client.resume(closed.to_dict())
                assert (await again).proven
                assert exchange.truth.count("cancel-order") == 1

    run_virtual(main)


SCRIPT = """
import asyncio, os, sys, warnings
warnings.simplefilter("always", ResourceWarning)
from bitget_async import BitgetClient, UsageError
from bitget_async.sim import SimulatedExchange, Settings

async def main():
    exchange = SimulatedExchange(1, settings=Settings(sweep_delay_s=5.0))
    await exchange.start()
    global client
    client = BitgetClient(exchange.credentials(), base_url=exchange.base_url)
    exchange.rest("BTCUSDT", 1)
    pending = await client.cancel_symbol_orders("BTCUSDT")
    if sys.argv[1] == "fork":
        child = os.fork()
        if not child:
            try:
                client.unfilled_orders
                client._open()
            except UsageError as error:
                os.write(1, str(error).encode())
            os._exit(0)
        os.waitpid(child, 0)
    if sys.argv[1] == "closed":
        await client.close()

asyncio.run(main())
"""


@pytest.mark.failure(52)
@pytest.mark.parametrize("how", ["left", "closed", "fork"])
def test_an_interpreter_that_ends_names_what_was_left(how: str, tmp_path: Path) -> None:
    """A `ResourceWarning` with the calls; none after `close()`. A child made by fork may not use the client."""
    script = tmp_path / "bot.py"
    script.write_text(SCRIPT)
    root = str(Path(__file__).parent.parent)
    ran = subprocess.run(
        [sys.executable, str(script), how],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=root,
        check=True,
        env={"PYTHONPATH": root},
    )
    warned = (
        "ResourceWarning: a BitgetClient was not closed; nobody knows what became of: cancel-symbol-order of BTCUSDT"
    )
    assert (warned in ran.stderr) is (how != "closed"), ran.stderr
    assert ("before fork()" in ran.stdout) is (how == "fork")
