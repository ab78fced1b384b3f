"""The program `bitget-async`: `demo`, `cancel`, `sim`. See docs/quickstart.md."""

from __future__ import annotations

from bitget_async.cli.program import main

__all__ = ["main"]
