"""The mutants are what they say, and a changed function is really run."""

from __future__ import annotations

import ast
import types

import pytest

from .mutants import Mutant, mutants
from .rooms import ROOMS
from .worker import all_mutants, exchange_code

SOURCE = '''
LIMIT = 3

class Box:
    """A box."""

    @property
    def full(self) -> bool:
        """Whether it is."""
        return self.count >= LIMIT and not self.broken

def least(values):
    for value in values:
        if value < 0:
            return None
    return min(values)
'''


def by_key() -> dict[str, Mutant]:
    """The mutants of that source."""
    return {mutant.key: mutant for mutant in mutants(SOURCE)}


def test_every_small_change_is_one_mutant() -> None:
    """The list for a source in which each kind stands once; docstrings and annotations stay."""
    assert list(by_key()) == [
        "module: 3 -> 4",
        "Box.full: return self.count >= LIMIT and (not self.broken) -> return None",
        "Box.full: self.count >= LIMIT and (not self.broken) -> self.count >= LIMIT or not self.broken",
        "Box.full: self.count >= LIMIT -> self.count > LIMIT",
        "Box.full: not self.broken -> self.broken",
        "least: if value < 0 -> if not value < 0",
        "least: value < 0 -> value <= 0",
        "least: 0 -> 1",
        "least: return min(values) -> return None",
        "least: min(values) -> max(values)",
    ]


def test_the_changed_code_runs_in_properties_and_functions() -> None:
    """The running function itself gets it, so that everybody who has a reference calls the mutant."""
    module = types.ModuleType("boxes")
    module.__file__ = "boxes.py"
    exec(compile(SOURCE, "boxes.py", "exec"), vars(module))  # noqa: S102 - the source above
    box, least = vars(module)["Box"](), vars(module)["least"]
    box.count, box.broken = 3, False
    assert box.full
    assert least([2, 1]) == 1
    assert exchange_code(module, by_key()["Box.full: self.count >= LIMIT -> self.count > LIMIT"])
    assert exchange_code(module, by_key()["least: min(values) -> max(values)"])
    assert not box.full
    assert least([2, 1]) == 2


def test_what_only_a_type_checker_reads_is_not_changed() -> None:
    """Nothing runs differently by the name of a type; what is said beside it is changed as ever."""
    source = 'Row = TypeVar("Row", bound="Order")\ndef last(rows):\n    return cast("Row", rows[-1])\n'
    assert [mutant.key for mutant in mutants(source)] == [
        "last: return cast('Row', rows[-1]) -> return None",
        "last: -1 -> 1",
        "last: 1 -> 2",
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_the_mutants_of_a_room_compile_and_have_names_of_their_own(room: str) -> None:
    """A key names one mutant: a reason to survive must not cover another."""
    found = all_mutants(room)
    keys = [mutant.key for _, mutant in found]
    assert len(keys) == len(set(keys))
    for _, mutant in found[::40]:
        compile(ast.unparse(mutant.tree), "mutant", "exec")
