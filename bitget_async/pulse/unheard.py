"""The one failure of a way to the guard."""

from __future__ import annotations

__all__ = ["Unheard"]


class Unheard(Exception):  # noqa: N818 - it says what happened, and no user gets it
    """A beat was not answered; the text says why, without a password."""
