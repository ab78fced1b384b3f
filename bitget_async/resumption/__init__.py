"""
Calls that outlive their process: described as plain data, written down while they run, and taken up again from both.

`states` is the form of the data, `describing` makes it of a course, `restoring` makes a course of it, and `recorder`
keeps it in a journal.
"""

from __future__ import annotations

from bitget_async.resumption.describing import Home, describe
from bitget_async.resumption.recorder import Recorder
from bitget_async.resumption.restoring import Now, fold, read, restore, was_sent

__all__ = ["Home", "Now", "Recorder", "describe", "fold", "read", "restore", "was_sent"]
