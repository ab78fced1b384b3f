"""The planner of a stop: who is ended by which command, and when each leaves."""

from __future__ import annotations

import random
from collections import Counter, deque
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitget_async.evidence import Book
from bitget_async.models import StopCommand, StopPlan
from bitget_async.stopping import Quota, Quotas, Stoppable, bound_ns, plan

SECOND = 1_000_000_000
# The catalogue's quotas; a token is back a second after the answer, which takes 40 ms.
HOLD = SECOND + 50_000_000
PER_SECOND = {
    "cancel-symbol-order": 5,
    "batch-cancel-order": 10,
    "cancel-order": 10,
    "batch-cancel-plan-order": 5,
    "cancel-plan-order": 20,
}
CHUNKS, BOOKS_A_CHUNK = 10, 1_000


def quotas(hold_ns: int = HOLD, ready: dict[str, tuple[int, ...]] | None = None) -> Quotas:
    """All tokens free, unless said otherwise."""
    given = ready or {}
    return Quotas(*(Quota(name, given.get(name, (0,) * count), hold_ns) for name, count in PER_SECOND.items()))


def book(symbols: int, orders: int, kind: Book = Book.NORMAL) -> list[Stoppable]:
    """So many orders on so many symbols, the first of each the most exposed."""
    return [
        Stoppable(f"{kind.name}{place * orders + number}", f"X{place}USDT", Decimal(1000 - number), kind)
        for place in range(symbols)
        for number in range(orders)
    ]


def random_book(dice: random.Random) -> list[Stoppable]:
    """Few symbols or many, even or uneven, of any kind of order; some exposures are not known."""
    symbols = dice.choice((1, 2, 5, 12, 40))
    most = min(dice.choice((1, 2, 7, 25, 60)), 160 // symbols)
    kinds = dice.choice(([Book.NORMAL], [Book.NORMAL], [Book.NORMAL, Book.TPSL], list(Book)))
    made: list[Stoppable] = []
    for place in range(symbols):
        for _ in range(dice.randint(0, most)):
            exposure = None if dice.random() < 0.05 else Decimal(dice.randint(1, 10_000))
            made.append(Stoppable(str(len(made)), f"X{place}USDT", exposure, dice.choice(kinds)))
    dice.shuffle(made)
    return made


def covered(made: StopPlan, orders: list[Stoppable]) -> Counter[tuple[Book, str]]:
    """How often each order is ended."""
    found: Counter[tuple[Book, str]] = Counter()
    books = {"normal": Book.NORMAL, "tpsl": Book.TPSL, "trigger": Book.PLAN}
    whole = {(books[each.book], each.symbols[0]) for each in made.commands if not each.order_ids}
    for each in orders:
        found[each.book, each.order_id] += (each.book, each.symbol) in whole
    for command in made.commands:
        found.update((books[command.book], each) for each in command.order_ids)
    return found


def worst_second(moments_s: list[float]) -> int:
    """Most of these moments in any sliding second [t, t + 1 s)."""
    window: deque[int] = deque()
    worst = 0
    for moment in sorted(round(each * SECOND) for each in moments_s):
        window.append(moment)
        while window[0] <= moment - SECOND:
            _ = window.popleft()
        worst = max(worst, len(window))
    return worst


def check(made: StopPlan, orders: list[Stoppable], by_id: set[str] | None) -> None:
    """What must be true of every plan."""
    twice = {key: count for key, count in covered(made, orders).items() if count != 1}
    assert not twice, f"not ended exactly once: {twice}"
    for endpoint, per_s in PER_SECOND.items():
        mine = made.of(endpoint)
        assert worst_second([each.leaves_s for each in mine]) <= per_s
        for kind in ("normal", "tpsl", "trigger"):
            assert in_order([each for each in mine if each.book == kind])
    for command in made.commands:
        assert len(command.order_ids) <= 20
        if not command.order_ids:
            assert by_id is not None
            assert command.symbols[0] not in by_id
        assert command.book != "tpsl" or command.endpoint == "cancel-order"


def in_order(commands: list[StopCommand]) -> bool:
    """Whether the largest exposure leaves first, by what each order of a command has on average; `None` is larger."""
    sizes = [None if each.exposure is None else each.exposure / max(len(each.order_ids), 1) for each in commands]
    known = [each for each in sizes if each is not None]
    return sizes[: len(sizes) - len(known)] == [None] * (len(sizes) - len(known)) and known == sorted(known)[::-1]


@pytest.mark.parametrize(
    ("symbols", "orders", "seconds"),
    [(10, 5, 0), (40, 1, 0), (200, 1, 0), (200, 20, 12), (1000, 3, 13), (5, 200, 0), (1, 1, 0), (1000, 1, 4)],
)
def test_last_command_leaves_when_the_quotas_allow(symbols: int, orders: int, seconds: int) -> None:
    """By hand: a second ends 5 symbols, 200 orders by batches and 10 one by one; 4000 / 310 are 13 of them."""
    made = plan(book(symbols, orders), quotas(SECOND))
    assert made.last_leaves_s == seconds
    assert bound_ns(book(symbols, orders), quotas(SECOND)) == seconds * SECOND


def test_bound_is_the_least_by_trying_all() -> None:
    """No split of a few symbols between their own commands and names ends earlier than the formula says."""
    dice = random.Random(11)
    for _ in range(60):
        sizes = [dice.randint(1, 130) for _ in range(dice.randint(1, 9))]
        orders = [Stoppable(f"{at}-{each}", f"X{at}") for at, size in enumerate(sizes) for each in range(size)]
        best = min(_last_s(sizes, chosen) for chosen in range(1 << len(sizes)))
        assert bound_ns(orders, quotas(SECOND)) == best * SECOND


def _last_s(sizes: list[int], chosen: int) -> int:
    """In which second all is gone if these symbols are taken whole and all others named."""
    whole = chosen.bit_count()
    named = sum(size for at, size in enumerate(sizes) if not chosen >> at & 1)
    return max(-(-whole // 5), -(-named // 210), 1) - 1


def test_busy_tokens_are_waited_for() -> None:
    """Whoever has just cancelled by symbol has no token of it left: names go at once, and no symbol waits."""
    ready = {"cancel-symbol-order": (HOLD,) * 5, "batch-cancel-order": (0,) * 9 + (HOLD,)}
    made = plan(book(10, 20), quotas(ready=ready))
    assert made.last_leaves_s == HOLD / 1e9
    assert len([each for each in made.of("batch-cancel-order") if each.leaves_s == 0]) == 9
    assert not made.of("cancel-symbol-order")


def test_symbols_with_the_most_orders_are_taken_whole() -> None:
    """One command for 200 orders saves ten batches; one for a single order saves nothing."""
    orders = [*book(300, 1), *(Stoppable(f"big{each}", f"BIG{each % 5}") for each in range(1000))]
    whole = {each.symbols[0] for each in plan(orders, quotas()).of("cancel-symbol-order")}
    assert {f"BIG{each}" for each in range(5)} <= whole


def test_kept_symbols_are_never_taken_whole() -> None:
    """A symbol with an order to keep is ended by names, and so are all where any may have one."""
    orders = book(4, 3)
    some = plan(orders, quotas(), by_id={"X1USDT"})
    assert {each.symbols[0] for each in some.of("cancel-symbol-order")} == {"X0USDT", "X2USDT", "X3USDT"}
    assert not plan(orders, quotas(), by_id=None).of("cancel-symbol-order")


def test_resting_ids_are_left_out_and_named() -> None:
    """Code 45129: an id that was cancelled less than a second ago is refused, also as one of its symbol's."""
    orders = book(2, 3)
    made = plan(orders, quotas(), resting={"NORMAL0": 400_000_000})
    assert made.resting == ("NORMAL0",)
    ended = covered(made, orders)
    assert ended[Book.NORMAL, "NORMAL0"] == 0
    assert all(count == 1 for (_, name), count in ended.items() if name != "NORMAL0")


def test_nothing_open_is_an_empty_plan() -> None:
    """No orders, no commands."""
    made = plan([], quotas())
    assert made.commands == ()
    assert made.last_leaves_s == made.kept == made.orders == 0
    assert bound_ns([], quotas()) == 0


def test_token_that_is_not_free_yet_lets_nothing_through() -> None:
    """However long it takes: it must not count against the others."""
    quota = Quota("x", (0, 5 * SECOND), SECOND)
    assert [quota.count(each * SECOND) for each in (0, 1, 4, 5, 6)] == [1, 2, 5, 7, 9]


def test_orders_that_only_a_call_of_their_own_ends_take_room_from_names() -> None:
    """12 tpsl orders need two bursts of single calls: 8 of the others may go one by one, and 40 in two batches."""
    given = Quotas(
        *(Quota(name, (0,) * count, SECOND) for name, count in (("s", 1), ("b", 1), ("c", 10), ("t", 1), ("u", 1)))
    )
    tpsl = [Stoppable(f"t{each}", "X9", Decimal(1), Book.TPSL) for each in range(12)]
    made = plan([*book(6, 8), *tpsl], given)
    # 48 are the 40 and the 8; one symbol goes whole at once all the same.
    assert bound_ns([*book(6, 8), *tpsl], given) == SECOND
    assert [each.symbols for each in made.of("s")] == [("X0USDT",)]
    # One order more, and a second symbol has to go whole.
    assert len(plan([*book(7, 8), *tpsl], given).of("s")) == 1
    assert len(plan([*book(8, 8), *tpsl], given).of("s")) == 2
    assert bound_ns([*book(8, 8), *tpsl], given) == SECOND


def test_plan_tells_commands_by_their_time() -> None:
    """Whoever reads it sees what leaves first."""
    made = plan([*book(40, 60), *book(3, 30, Book.TPSL), *book(3, 30, Book.PLAN)], quotas())
    moments = [each.leaves_s for each in made.commands]
    assert moments == sorted(moments)
    assert moments[-1] == made.last_leaves_s > 0


def test_named_orders_leave_by_exposure_whatever_names_them() -> None:
    """A batch and single calls that leave at once take the largest; batches of a second later take the rest."""
    orders = [Stoppable(str(each), "X", Decimal(1000 - each)) for each in range(250)]
    made = plan(orders, quotas(), by_id=None)
    first = {each for command in made.commands if command.leaves_s == 0 for each in command.order_ids}
    assert first == {str(each) for each in range(210)}


def test_order_worth_nothing_goes_last() -> None:
    """And one of which nobody knows what it is worth goes first."""
    orders = [
        Stoppable("nothing", "A", Decimal(0)),
        Stoppable("little", "B", Decimal("0.5")),
        Stoppable("unknown", "C", None),
    ]
    (command,) = plan(orders, quotas(), by_id=None).commands
    assert command.order_ids == ("unknown", "little", "nothing")
    whole = plan(orders, quotas(ready={"batch-cancel-order": (), "cancel-order": ()})).of("cancel-symbol-order")
    assert [each.symbols[0] for each in whole] == ["C", "B", "A"]


def test_symbols_of_a_command_stand_in_alphabetical_order() -> None:
    """For people, and so that two plans of the same book are the same."""
    (command,) = plan(book(20, 1), quotas(), by_id=None).commands
    assert command.symbols == tuple(sorted(command.symbols))
    assert len(command.symbols) == 20


def test_while_more_may_come_orders_are_named_symbol_by_symbol() -> None:
    """The symbols with the largest exposure first: those that are not touched can be taken whole later."""
    few = Quotas(*(Quota(name, (0,) if name == "batch-cancel-order" else ()) for name in PER_SECOND))
    small = [Stoppable(f"b{each}", "B", Decimal(60)) for each in range(15)]
    large = [Stoppable(f"a{each}", "A", Decimal(100)) for each in range(6)]
    growing = plan([*large, *small], few, growth=2).commands
    assert [each.symbols for each in growing] == [("A", "B"), ("A",)]
    assert growing[0].order_ids[:15] == tuple(f"b{each}" for each in sorted(range(15), key=str))
    assert plan([*large, *small], few).commands[0].order_ids[:6] == tuple(f"a{each}" for each in range(6))


@pytest.mark.parametrize(("growth", "whole"), [(1, 1), (2, 2), (3, 2), (4, 3)])
def test_growth_reserves_symbols_for_a_book_so_many_times_larger(growth: int, whole: int) -> None:
    """
    A symbol and 20 names a burst; 4 symbols of 10. 40 names do for 40 orders; twice as many are 20 beside two whole
    symbols, named twice; three and four times as many take three bursts, which name 60.
    """
    given = Quotas(Quota("s", (0,), SECOND), Quota("b", (0,), SECOND), *(Quota(each, ()) for each in "ctu"))
    made = plan(book(4, 10), given, growth=growth)
    assert len(made.of("s")) == whole


def test_plan_tells_itself_in_words_and_in_json() -> None:
    """A dry run is read by people and by programs."""
    made = plan(book(10, 5), quotas(), kept=2)
    assert str(made).splitlines()[0] == "50 orders, 7 commands, the last leaves after 0.00 s"
    assert "kept: 2" in str(made)
    assert made.to_dict()["commands"][0]["exposure"] in ("4990", "4995", "5000", "19980", "20000")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_ten_thousand_random_books(chunk: int, count_cases: object) -> None:
    """Every order exactly once, no quota exceeded in any second, the largest first, and never later than the bound."""
    dice = random.Random(f"books/{chunk}")
    for _ in range(BOOKS_A_CHUNK):
        orders = random_book(dice)
        names = sorted({each.symbol for each in orders})
        by_id = dice.choice((set(), set(), set(names[:1]), None))
        hold = dice.choice((SECOND, HOLD, SECOND + 300_000_000))
        ready = {
            name: tuple(dice.choice((0, 0, hold // 3)) for _ in range(count)) for name, count in PER_SECOND.items()
        }
        given = quotas(hold, ready)
        made = plan(orders, given, by_id=by_id)
        check(made, orders, by_id)
        assert made.last_leaves_s <= bound_ns(orders, given, by_id=by_id) / 1e9
    count_cases(BOOKS_A_CHUNK)  # type: ignore[operator]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    sizes=st.lists(st.integers(0, 45), min_size=1, max_size=25),
    hold_ms=st.integers(1000, 3000),
    data=st.data(),
)
def test_any_book_and_any_state_of_the_buckets(sizes: list[int], hold_ms: int, data: st.DataObject) -> None:
    """The same where hypothesis looks for the worst case."""
    orders = [Stoppable(f"{at}-{each}", f"X{at}") for at, size in enumerate(sizes) for each in range(size)]
    hold = hold_ms * 1_000_000
    ready = {name: tuple(data.draw(st.integers(0, hold)) for _ in range(count)) for name, count in PER_SECOND.items()}
    made = plan(orders, quotas(hold, ready))
    check(made, orders, set())
    assert made.last_leaves_s <= bound_ns(orders, quotas(hold, ready)) / 1e9
