"""Which modules are mutated, and which tests must notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The part of `wire` that says what an answer proves; the rest makes records, and has other tests.
CLASSIFYING = (
    "decode",
    "_glanced",
    "_error",
    "_redirected",
    "_unreadable",
    "_whole",
    "_bare",
    "_loose",
    "_text",
    "_integer",
    "_plausible",
    "_code_twice",
)


@dataclass(frozen=True, slots=True)
class Room:
    """
    A room.

    Attributes:
        modules: dotted name of each module, and the functions to mutate (none: all of it).
        tests: paths below the root.
    """

    modules: dict[str, tuple[str, ...]]
    tests: tuple[str, ...]


ROOMS = {
    "evidence": Room(
        {f"bitget_async.evidence.{name}": () for name in ("facts", "sweep", "named", "target")}, ("tests/evidence",)
    ),
    "inquiry": Room(
        {
            f"bitget_async.inquiry.{name}": ()
            for name in ("reads", "breaker", "looks", "named_looks", "pace", "planner")
        },
        ("tests/inquiry",),
    ),
    "tracking": Room(
        {f"bitget_async.tracking.{name}": () for name in ("ledger", "rounds", "state")}, ("tests/tracking",)
    ),
    "stopping": Room(
        {f"bitget_async.stopping.{name}": () for name in ("checks", "planner", "report", "rests", "scope", "state")},
        ("tests/stopping",),
    ),
    "guard": Room(
        {f"bitget_async.guard.{name}": () for name in ("memory", "watchdog", "words")},
        tuple(f"tests/guard/test_{name}.py" for name in ("memory", "watchdog", "words")),
    ),
    "bucket": Room({"bitget_async.limits.bucket": ()}, ("tests/limits/test_bucket.py", "tests/limits/test_outlook.py")),
    "classifier": Room(
        {"bitget_async.codes": (), "bitget_async.wire": CLASSIFYING},
        ("tests/test_codes.py", "tests/test_wire.py", "tests/models/test_glances.py"),
    ),
}


def path_of(module: str) -> Path:
    """The file of a module."""
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")
