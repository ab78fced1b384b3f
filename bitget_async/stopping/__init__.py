"""
Stopping everything, as far as it is pure: whom it is for, which command goes when, when to look, what is known of whom,
and what that comes to.
"""

from bitget_async.stopping.checks import Checks, Verdict
from bitget_async.stopping.planner import Quota, Quotas, Resting, Stoppable, bound_ns, plan
from bitget_async.stopping.rests import Rests
from bitget_async.stopping.scope import Scope, scope_of
from bitget_async.stopping.state import Stopping

__all__ = [
    "Checks",
    "Quota",
    "Quotas",
    "Resting",
    "Rests",
    "Scope",
    "Stoppable",
    "Stopping",
    "Verdict",
    "bound_ns",
    "plan",
    "scope_of",
]
