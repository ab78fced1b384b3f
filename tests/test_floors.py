"""
The floor plan of the package: imports go down, never sideways unless listed.

A room is a module or a folder right below `bitget_async`; in `stream` each module is a room. Imports inside
functions and under TYPE_CHECKING count. A module that stands in no room fails: give it a floor first.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "bitget_async"
ROOT = Path(__file__).parent.parent / PACKAGE

F0 = {"errors", "clock", "models", "codes", "events"}
PURE_STREAM = {"stream.protocol", "stream.rows", "stream.events", "stream.asking", "stream.talk", "stream.book"}
F1 = {"tally", "credentials", "endpoints", "wire", "evidence", "inquiry", "journal", "limits", "rules"} | PURE_STREAM
F2 = {"transport"}
F3 = {"session", "stream.connection"}
SHELLS = (
    "login",
    "conversation",
    "state",
    "listening",
    "line",
    "pool",
    "subscription",
    "order_desk",
    "live_book",
    "road",
)
STREAM_SHELLS = {f"stream.{each}" for each in SHELLS}
FRONT_DOOR = ""


@dataclass(frozen=True)
class Room:
    """Own modules and foreign packages that a room may import; the standard library is open to all but for asyncio."""

    own: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    asyncio: bool = True


def room(own: set[str], foreign: str = "", *, asyncio: bool = True) -> Room:
    """Short form for the plan below."""
    return Room(frozenset(own), frozenset(foreign.split()), asyncio)


F4 = {"course", "resumption", "reading", "hearing", "watcher", "handle", "resumer", "commands", "cancellation", "desk"}
F4 |= {"telling", "tracking", "tracker", "stopping", "halt", "stop"}
BELOW_CLIENT = F0 | F1 | F2 | F3 | F4 | STREAM_SHELLS | {"tasks", "stream.streams", "pages", "families", "verbs"}
PLAN: dict[str, Room] = {
    # F0. `errors` may name `models` for type checkers only, see TYPES_ONLY.
    "errors": room(set(), asyncio=False),
    "clock": room(set()),
    "codes": room({"errors"}, "msgspec", asyncio=False),
    "models": room({"errors", "clock"}, "msgspec", asyncio=False),
    # Its reader waits; who tells something has no need of asyncio.
    "events": room({"errors"}, "msgspec"),
    # Beside F0, and only for rooms that may have asyncio: the owner of every task.
    "tasks": room(set()),
    # And the one way to a Redis server, for those who share one.
    "redis_server": room({"errors", "tasks"}, "redis"),
    "sockets": room(F0 | {"tasks"}),
    # F1
    "credentials": room(F0, "cryptography", asyncio=False),
    "endpoints": room(F0, "msgspec", asyncio=False),
    "wire": room(F0 | {"endpoints"}, "msgspec orjson", asyncio=False),
    "evidence": room(F0, "msgspec", asyncio=False),
    "inquiry": room(F0 | {"evidence"}, "msgspec", asyncio=False),
    "rules": room(F0, "msgspec", asyncio=False),
    "journal": room(F0, "msgspec orjson", asyncio=False),
    "tally": room(F0 | {"endpoints"}, asyncio=False),
    "limits": room(F0 | {"endpoints", "redis_server", "tasks"}, "aiolimiter redis"),
    "stream.protocol": room(F0 | {"credentials"}, "msgspec orjson", asyncio=False),
    "stream.rows": room(F0 | {"stream.protocol"}, "msgspec", asyncio=False),
    "stream.events": room(F0 | {"stream.protocol"}, "msgspec", asyncio=False),
    "stream.asking": room({"stream.protocol", "stream.events"}, "msgspec", asyncio=False),
    "stream.talk": room({"stream.protocol", "stream.events", "stream.asking"}, asyncio=False),
    "stream.book": room(F0, "sortedcontainers", asyncio=False),
    # F2. yarl is aiohttp's own type for an address.
    "transport": room(F0 | {"wire", "tasks"}, "aiohttp yarl"),
    # F3
    "session": room(F0 | F1 | F2 | {"tasks"}),
    "stream.connection": room(F0 | F1 | F2 | {"tasks"}, "aiohttp yarl"),
    "stream.state": room(set()),
    "stream.listening": room({"models"}),
    "stream.login": room(F0 | PURE_STREAM | {"credentials", "endpoints"}),
    "stream.conversation": room(F0 | PURE_STREAM | {"tasks"}, "aiolimiter"),
    "stream.line": room(F0 | PURE_STREAM | {"tasks", "stream.state", "stream.conversation"}, "aiolimiter"),
    "stream.pool": room(F0 | PURE_STREAM | {"stream.state"}),
    "stream.subscription": room(F0 | PURE_STREAM | {"stream.state"}),
    "stream.order_desk": room(
        F0 | PURE_STREAM | {"stream.state", "stream.listening", "stream.pool", "stream.subscription"}
    ),
    "stream.road": room(F0 | PURE_STREAM | {"endpoints", "wire", "tally"}, "orjson"),
    "stream.live_book": room(F0 | PURE_STREAM | {"stream.state", "tasks"}),
    "stream.streams": room(F0 | F1 | STREAM_SHELLS | {"stream.connection", "tasks"}, "aiolimiter"),
    "stream": room(set()),
    "pages": room(F0 | {"endpoints"}, "msgspec", asyncio=False),
    # F4: the session is a Protocol that they declare themselves; each imports the ones above it here.
    "course": room(F0 | {"evidence", "endpoints"}, "msgspec"),
    "telling": room(F0 | {"evidence", "course"}, "msgspec", asyncio=False),
    "resumption": room(F0 | {"evidence", "journal", "course"}, "msgspec", asyncio=False),
    "reading": room(F0 | {"evidence", "inquiry", "endpoints"}),
    "hearing": room(F0 | {"evidence", "course"}, asyncio=False),
    "watcher": room(
        F0 | {"evidence", "inquiry", "endpoints", "tasks"} | {"course", "telling", "resumption", "reading", "hearing"}
    ),
    "handle": room(F0 | {"evidence", "course", "resumption", "watcher"}, "msgspec"),
    "resumer": room(F0 | {"endpoints", "journal", "resumption", "watcher", "handle"}),
    "commands": room(F0 | {"evidence", "endpoints", "tasks", "course", "reading", "watcher"}, "msgspec"),
    "cancellation": room(
        F0 | {"evidence", "endpoints", "tasks", "course", "reading", "watcher", "handle", "commands"}, "msgspec"
    ),
    "desk": room(F0 | {"evidence", "endpoints", "course", "watcher", "handle", "commands"}),
    "tracking": room(F0 | {"evidence", "inquiry"}, "msgspec", asyncio=False),
    "tracker": room(F0 | {"evidence", "inquiry", "endpoints", "tasks", "reading", "tracking", "stream.state"}),
    "guard": room(F0 | {"journal"}, "orjson", asyncio=False),
    "pulse": room(F0 | {"guard", "redis_server", "tasks", "sockets"}),
    "heartbeat": room(F0 | {"guard", "pulse", "redis_server", "tasks"}),
    "stopping": room(F0 | {"evidence"}, "msgspec", asyncio=False),
    "halt": room(F0 | {"evidence", "course", "handle", "stopping"}, "msgspec"),
    "stop": room(F0 | F4 | {"evidence", "endpoints", "tasks", "limits"}),
    "verbs": room(BELOW_CLIENT - {"families"}, "msgspec"),
    "families": room(F0 | F4 | {"evidence", "endpoints", "pages", "rules"}),
    "overview": room(BELOW_CLIENT - {"families"}),
    # F5
    "exposure": room({"errors", "clock", "models", "sockets"}, "msgspec orjson"),
    "client": room(BELOW_CLIENT | {"overview", "heartbeat", "exposure", "redis_server"}, "orjson uvloop"),
    # Beside the client: it is told what happens, and asks nothing but how things are.
    "telemetry": room(F0, "opentelemetry"),
    "guardian": room(F0 | {"guard", "pulse", "tasks", "client"}),
    FRONT_DOOR: room(BELOW_CLIENT | {"client", "heartbeat", "exposure"}, asyncio=False),
    # F6: only what a user of the package has, and the simulator.
    "cli": room(
        {FRONT_DOOR, "client", "sim", "endpoints", "guard", "pulse", "guardian", "exposure", "redis_server"} | F0,
        "rich",
    ),
    "__main__": room({"cli"}),
    # The witness shares nothing with the client but the clock; RSA signatures cannot be checked without the library.
    "sim": room({"clock"}, "aiohttp cryptography orjson"),
}
TYPES_ONLY = {("errors", "models")}
AIOHTTP = {"transport.py", "stream/connection.py", "sim/server.py"}


@dataclass(frozen=True)
class Import:
    """One imported module, where it stands, and whether only type checkers see it."""

    module: str
    line: int
    types_only: bool


def modules() -> list[Path]:
    """Every module of the package, relative to it."""
    return sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def room_of(dotted: str) -> str | None:
    """The room of a module named below the package (`""` is the front door), or `None` if it stands in none."""
    parts = dotted.split(".")
    if parts[0] == "stream" and len(parts) > 1:
        parts = [".".join(parts[:2])]
    return parts[0] if parts[0] in PLAN else None


def dotted_name(path: Path) -> str:
    """`limits/local.py` -> `limits.local`, `endpoints/__init__.py` -> `endpoints`, `__init__.py` -> ``."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, path: Path) -> Iterator[Import]:
    """Every import of that source, absolute; `from bitget_async import x` gives the module x where there is one."""
    tree = ast.parse(source)
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    here = (PACKAGE, *path.parent.parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, id(node) in guarded)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: len(here) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                own = module.startswith(PACKAGE) and room_of(inner.removeprefix(f"{PACKAGE}.")) is not None
                deeper = own and (module == PACKAGE or module == f"{PACKAGE}.stream")
                yield Import(inner if deeper else module, node.lineno, id(node) in guarded)


def offences(source: str, path: Path) -> list[str]:
    """What that module imports against the plan, one line each."""
    found = []
    name = room_of(dotted_name(path))
    if name is None:
        return [f"{path}: stands in no room of the plan"]
    allowed = PLAN[name]
    for imported in imports(source, path):
        top = imported.module.split(".")[0]
        where = f"{path}:{imported.line}: {name or 'the front door'} imports {imported.module}"
        if top == PACKAGE:
            target = room_of(imported.module.removeprefix(PACKAGE).removeprefix("."))
            if target == name or (imported.types_only and (name, target) in TYPES_ONLY):
                continue
            if target is None or target not in allowed.own:
                found.append(where)
        elif top == "aiohttp":
            if path.as_posix() not in AIOHTTP:
                found.append(where)
        elif top == "asyncio":
            if not allowed.asyncio:
                found.append(where)
        elif top not in sys.stdlib_module_names and top not in allowed.foreign:
            found.append(where)
    return found


@pytest.mark.parametrize("path", modules(), ids=str)
def test_module_imports_only_what_its_floor_may(path: Path) -> None:
    """Down, or sideways where the plan says so."""
    assert offences((ROOT / path).read_text(encoding="utf-8"), path) == []


def test_the_plan_has_no_circle() -> None:
    """A plan with a circle would allow anything; the front door and the types-only exception stay out of it."""
    done: set[str] = set()
    left = {name: set(plan.own) for name, plan in PLAN.items()}
    while left:
        free = {name for name, own in left.items() if own <= done | {name}}
        # Floors may name themselves as a whole (`F0`), and a room of the same floor is below if it does not look back.
        assert free, f"circle among {sorted(left)}"
        done |= free
        left = {name: own for name, own in left.items() if name not in free}


@pytest.mark.parametrize(
    ("path", "source", "offence"),
    [
        ("codes.py", "from bitget_async.models import Order", "bitget_async.models"),
        ("codes.py", "import asyncio", "asyncio"),
        ("codes.py", "from asyncio import sleep", "asyncio"),
        ("errors.py", "from bitget_async.models import Order", "bitget_async.models"),
        ("wire.py", "def f():\n    from bitget_async import session", "bitget_async.session"),
        ("wire.py", "if TYPE_CHECKING:\n    from bitget_async.client import BitgetClient", "bitget_async.client"),
        ("wire.py", "from bitget_async import BitgetClient", "bitget_async"),
        ("wire.py", "from . import client", "bitget_async.client"),
        ("wire.py", "import aiohttp", "aiohttp"),
        ("wire.py", "import requests", "requests"),
        ("evidence.py", "import bitget_async.inquiry", "bitget_async.inquiry"),
        ("stream/protocol.py", "from bitget_async.stream import connection", "bitget_async.stream.connection"),
        ("stream/protocol.py", "from .connection import Stream", "bitget_async.stream.connection"),
        ("session.py", "from bitget_async.stream.connection import Stream", "bitget_async.stream.connection"),
        ("session.py", "import aiohttp", "aiohttp"),
        ("cancellation.py", "from bitget_async.session import Session", "bitget_async.session"),
        ("sim/exchange.py", "from aiohttp import web", "aiohttp"),
        ("sim/exchange.py", "from bitget_async.credentials import sign", "bitget_async.credentials"),
        ("sim/exchange.py", "from ..errors import Refused", "bitget_async.errors"),
        ("sim/exchange.py", "import msgspec", "msgspec"),
        ("helpers.py", "", "no room"),
        ("stream/other.py", "", "no room"),
    ],
)
def test_a_forbidden_import_is_found(path: str, source: str, offence: str) -> None:
    """The guard itself: each way to write an import against the plan."""
    assert [offence in line for line in offences(source, Path(path))] == [True]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("errors.py", "if TYPE_CHECKING:\n    from bitget_async.models import CancellationReport"),
        (
            "endpoints/trade.py",
            "from bitget_async.endpoints.row import Endpoint\nfrom bitget_async.models import Order",
        ),
        ("limits/local.py", "import asyncio\nfrom .bucket import Bucket"),
        ("stream/protocol.py", "from bitget_async.credentials import Credentials"),
        ("session.py", "from bitget_async import wire\nimport bitget_async.transport"),
        ("sim/server.py", "from aiohttp import web\nfrom bitget_async.sim.exchange import Exchange"),
        ("cli/demo.py", "from bitget_async import BitgetClient\nfrom bitget_async.sim.server import serve"),
        ("__init__.py", "from bitget_async.client import BitgetClient"),
    ],
)
def test_an_import_of_the_plan_passes(path: str, source: str) -> None:
    """The guard does not cry wolf."""
    assert offences(source, Path(path)) == []
