"""
The dead man's switch without its hands: heartbeats and moments in, decisions out, and what a restart must not forget.

`words` is what bot and guard say to each other, `watchdog` decides, `memory` is the file of the guard. See
docs/guard.md; the shell around it is `guardian`.
"""

from __future__ import annotations

from bitget_async.guard.memory import Memory
from bitget_async.guard.watchdog import Decision, Rules, Watchdog
from bitget_async.guard.words import Answer, Beat, Word

__all__ = ["Answer", "Beat", "Decision", "Memory", "Rules", "Watchdog", "Word"]
