"""The register of planted bugs: each with the rows of the failure model that guard against it, and what catches it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

Plant = Callable[[], contextlib.AbstractContextManager[Any]]
BUGS: dict[str, Bug] = {}


@dataclass(frozen=True, slots=True)
class Bug:
    """
    A bug that such clients have, planted into ours.

    Attributes:
        plant: a context manager that patches the running package and takes the patch back.
        caught_by: name of the scenario that must fail with it, and passes without it.
        rows: of the failure model.
    """

    plant: Plant
    caught_by: str
    rows: tuple[int, ...]


def plant(caught_by: str, *rows: int) -> Callable[[Callable[[], Iterator[None]]], Callable[[], Iterator[None]]]:
    """Register a bug under its name."""

    def register(bug: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
        assert bug.__name__ not in BUGS
        BUGS[bug.__name__] = Bug(contextlib.contextmanager(bug), caught_by, rows)
        return bug

    return register


def patched(owner: Any, name: str, made: Any) -> contextlib.AbstractContextManager[Any]:
    """Another attribute for a while."""
    return mock.patch.object(owner, name, made)
