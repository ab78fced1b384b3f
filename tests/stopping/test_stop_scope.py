"""The arguments of a stop: nothing that is given wrongly may widen it, or keep more or less than was meant."""

from __future__ import annotations

from typing import Any

import pytest

from bitget_async import Order, UsageError
from bitget_async.evidence import Book
from bitget_async.stopping import Scope, scope_of


def made(**given: Any) -> Scope:
    """The scope of a call with these arguments."""
    usual: dict[str, Any] = {
        "symbols": None,
        "include": ("normal",),
        "keep": None,
        "exclude_client_oids": (),
        "late": "report",
    }
    return scope_of(**{**usual, **given})


def test_nothing_given_means_all_normal_orders() -> None:
    """The plain call."""
    assert made() == Scope()
    assert made().symbols is None
    assert made().books == (Book.NORMAL,)
    assert not made().sweep_late


def test_all_that_is_given_is_meant() -> None:
    """Any collection, also one that can be read only once; lists in the order in which they are read."""
    scope = made(
        symbols=iter(["BTCUSDT"]), include={"trigger", "normal", "tpsl"}, keep=["a"], exclude_client_oids={"b"}
    )
    assert scope.symbols == frozenset({"BTCUSDT"})
    assert scope.books == (Book.NORMAL, Book.TPSL, Book.PLAN)
    assert scope.kept_oids == {"a", "b"}
    assert scope.keep is None
    assert made(late="sweep").sweep_late


def test_function_and_ids_keep_together() -> None:
    """Either is enough."""
    scope = made(keep=lambda order: order.symbol == "X", exclude_client_oids=["b"])
    assert scope.keeps(Order(order_id="1", symbol="X"))
    assert scope.keeps(Order(order_id="1", client_oid="b"))
    assert not scope.keeps(Order(order_id="1", client_oid="c"))


async def always(order: Order) -> bool:
    """No answer, but a promise of one."""
    return False


@pytest.mark.parametrize(
    "wrong",
    [
        {"symbols": "BTCUSDT"},
        {"symbols": b"BTCUSDT"},
        {"symbols": []},
        {"symbols": [""]},
        {"symbols": 5},
        {"symbols": [["BTCUSDT"]]},
        {"include": ()},
        {"include": ("margin",)},
        {"include": ("normal", "margin")},
        {"include": "normal"},
        {"late": "ignore"},
        {"late": None},
        {"keep": "hedge"},
        {"keep": [7]},
        {"keep": 7},
        {"keep": always},
        {"exclude_client_oids": "hedge"},
        {"exclude_client_oids": None},
        {"exclude_client_oids": [""]},
    ],
    ids=lambda wrong: ",".join(
        f"{name}-{each if not callable(each) else 'a coroutine function'}" for name, each in wrong.items()
    ),
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    """A text is no list of its letters, and what an async function returns is true whatever it would say."""
    (name,) = wrong
    with pytest.raises(UsageError, match=f"cancel_all_orders: {name} "):
        _ = made(**wrong)
