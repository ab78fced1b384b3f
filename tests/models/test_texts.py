"""Texts of the exchange: known ones in any case, unknown ones kept, and no unknown one is ever a yes."""

from __future__ import annotations

import inspect
import json
from typing import Any

import msgspec
import pytest

from bitget_async.models import OrderStatus, Result, SubOrderStatus, TriggerStatus, YesNo, texts
from bitget_async.models.texts import Text

KINDS = [kind for _, kind in inspect.getmembers(texts, inspect.isclass) if issubclass(kind, Text) and kind is not Text]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def read(kind: Any, text: object) -> Any:
    """That JSON as a text of that kind, as the wire reads it."""
    return msgspec.json.decode(json.dumps(text), type=kind, strict=False)


@each_kind
def test_known_texts_are_members_in_any_case(kind: Any) -> None:
    """`AMOUNT`, `Buy`, `Successful`: the exchange spells as it likes."""
    for member in kind:
        if member is kind.UNKNOWN:
            continue
        for text in (member.value, member.value.upper(), member.value.capitalize()):
            assert read(kind, text) is member
            assert kind(text) is member


@each_kind
@pytest.mark.parametrize("text", ["", "something new", "UNKNOWN", "已取消", "yes ", "0.0"])
def test_unknown_texts_are_unknown_and_kept(kind: Any, text: str) -> None:
    """What the exchange invents tomorrow is neither of today's, and can be read."""
    told = read(kind, text)
    assert isinstance(told, kind)
    assert (told.name, told.value) == ("UNKNOWN", text)
    assert not any(told is member for member in kind if member is not kind.UNKNOWN)
    assert not getattr(told, "final", False)
    assert not getattr(told, "open", False)


@pytest.mark.parametrize(
    ("text", "status", "final", "open_"),
    [
        ("live", TriggerStatus.LIVE, False, True),
        ("not_trigger", TriggerStatus.LIVE, False, True),
        ("executing", TriggerStatus.EXECUTING, False, True),
        ("executed", TriggerStatus.EXECUTED, True, False),
        ("fail_execute", TriggerStatus.FAIL_EXECUTE, True, False),
        ("cancelled", TriggerStatus.CANCELLED, True, False),
        ("Canceled", TriggerStatus.CANCELLED, True, False),
    ],
)
def test_trigger_orders_are_open_or_final(text: str, status: TriggerStatus, final: bool, open_: bool) -> None:
    """The example of the page shows `not_trigger` where its list says `live`."""
    told = read(TriggerStatus, text)
    assert told is status
    assert (told.final, told.open) == (final, open_)


def test_orders_that_can_still_trade_are_open() -> None:
    """Not the opposite of final: a status that we do not know is neither."""
    assert [status.name for status in OrderStatus if status.open] == ["LIVE", "PARTIALLY_FILLED"]


def test_both_spellings_of_cancelled() -> None:
    """Sub-orders as well."""
    assert read(SubOrderStatus, "canceled") is read(SubOrderStatus, "cancelled") is SubOrderStatus.CANCELLED


@pytest.mark.parametrize(
    ("kind", "text", "yes"),
    [
        (Result, "success", True),
        (Result, "failure", False),
        (Result, "partial", False),
        (Result, "", False),
        (YesNo, "yes", True),
        (YesNo, "on", True),
        (YesNo, "TRUE", True),
        (YesNo, "1", True),
        (YesNo, "no", False),
        (YesNo, "off", False),
        (YesNo, "false", False),
        (YesNo, "0", False),
        (YesNo, "perhaps", False),
    ],
)
def test_a_word_is_true_only_if_it_says_yes(kind: Any, text: str, yes: bool) -> None:
    """`if ack.success:` must not pass on the text "failure", as it would with a plain str."""
    assert bool(read(kind, text)) is yes
