"""
Stops everything: lists what is open, sends what the planner says as its quotas allow, and lists until none is left.

`stopping` decides which command goes when and what all of it comes to; the commands are those of the client, each with
its handle, and the watcher proves them. What is here waits and calls.
"""

from bitget_async.stop.stopper import Stopper

__all__ = ["Stopper"]
