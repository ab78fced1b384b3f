"""A simulated Bitget V2 spot exchange: the witness that the client is tested against. See docs/simulator.md."""

from bitget_async.sim import faults as faults
from bitget_async.sim.accounts import Account as Account
from bitget_async.sim.accounts import SimulatedKey as SimulatedKey
from bitget_async.sim.call import Reply as Reply
from bitget_async.sim.call import Request as Request
from bitget_async.sim.exchange import SimulatedExchange as SimulatedExchange
from bitget_async.sim.faults import Fault as Fault
from bitget_async.sim.faults import FaultScript as FaultScript
from bitget_async.sim.market import COINS as COINS
from bitget_async.sim.market import SYMBOLS as SYMBOLS
from bitget_async.sim.orders import Fill as Fill
from bitget_async.sim.orders import Order as Order
from bitget_async.sim.orders import Placement as Placement
from bitget_async.sim.proxy import FaultProxy as FaultProxy
from bitget_async.sim.proxy import LineFault as LineFault
from bitget_async.sim.proxy import Passed as Passed
from bitget_async.sim.routes import ROUTES as ROUTES
from bitget_async.sim.routes import Route as Route
from bitget_async.sim.settings import Settings as Settings
from bitget_async.sim.settings import usual_sweep_delay as usual_sweep_delay
from bitget_async.sim.sockets.hall import Sockets as Sockets
from bitget_async.sim.sockets.records import SocketRecord as SocketRecord
from bitget_async.sim.triggers import TriggerOrder as TriggerOrder
from bitget_async.sim.truth import Truth as Truth
from bitget_async.sim.truth import WireCopy as WireCopy
from bitget_async.sim.venue import Execution as Execution

__all__ = [
    "COINS",
    "ROUTES",
    "SYMBOLS",
    "Account",
    "Execution",
    "Fault",
    "FaultProxy",
    "FaultScript",
    "Fill",
    "LineFault",
    "Order",
    "Passed",
    "Placement",
    "Reply",
    "Request",
    "Route",
    "Settings",
    "SimulatedExchange",
    "SimulatedKey",
    "SocketRecord",
    "Sockets",
    "TriggerOrder",
    "Truth",
    "WireCopy",
    "faults",
    "usual_sweep_delay",
]
