"""Limits: a token comes back one second after the answer, so no second ever holds more than the quota."""

from __future__ import annotations

from bitget_async.limits.bucket import HOLD_NS
from bitget_async.limits.local import Limits, LocalLimits, Unlimited

__all__ = ["HOLD_NS", "Limits", "LocalLimits", "Unlimited"]
