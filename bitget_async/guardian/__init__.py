"""The guard as it runs: `shell` listens and acts, `hands` is what it does to the account. See docs/guard.md."""

from __future__ import annotations

from bitget_async.guardian.hands import AccountHands, Hands, Round
from bitget_async.guardian.shell import Guardian

__all__ = ["AccountHands", "Guardian", "Hands", "Round"]
