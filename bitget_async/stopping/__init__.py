"""
Stopping everything, as far as it is pure: which command goes when, what is known of whom, and what that comes to.
"""

from bitget_async.stopping.planner import Quota, Quotas, Resting, Stoppable, bound_ns, plan
from bitget_async.stopping.state import Scope, Stopping

__all__ = ["Quota", "Quotas", "Resting", "Scope", "Stoppable", "Stopping", "bound_ns", "plan"]
