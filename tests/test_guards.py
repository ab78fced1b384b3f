"""Standing guards: calls that the package does not make, and exports that say what there is."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bitget_async

PACKAGE = "bitget_async"
ROOT = Path(__file__).parent.parent / PACKAGE

# Every task of the package is made in one file, which awaits it; the simulator may have one such file of its own.
TASK_OWNER = "tasks.py"

BANNED = {
    "time.time": "steps with the wall clock: ask the Clock",
    "datetime.datetime.now": "steps with the wall clock: ask the Clock",
    "datetime.datetime.utcnow": "steps with the wall clock: ask the Clock",
    "datetime.datetime.today": "steps with the wall clock: ask the Clock",
    "datetime.date.today": "steps with the wall clock: ask the Clock",
    "asyncio.wait_for": "can lose a result that arrives in the same tick: wait on a shielded future",
}
TASK_MAKERS = {"create_task", "ensure_future"}
# An instance of these is seeded or chosen by the caller; the functions of the module share one hidden state.
RANDOM_CLASSES = {"random.Random", "random.SystemRandom"}

# Read by those who ask for it. All else is read at once: a process that can open no more files could not read then what
# stops everything.
SELDOM = {"__main__", "cli", "exposure", "guard", "guardian", "heartbeat", "pulse", "sim", "sockets", "telemetry"}
SELDOM |= {"endpoints.page", "limits.ledger", "limits.redis", "limits.server", "stream.book", "stream.live_book"}
SELDOM |= {f"stream.{name}" for name in ("asking", "conversation", "events", "line", "talk")}
IMPORTED = """
import json, sys
import bitget_async
loaded = {name: module for name, module in sys.modules.items() if name.startswith("bitget_async.")}
each = {value for module in loaded.values() for value in vars(module).values() if isinstance(value, type)}
made = sorted(kind.__name__ for kind in each if "__dataclass_fields__" in vars(kind))
foreign = [name for name in ("aiolimiter", "sortedcontainers", "argparse") if name in sys.modules]
print(json.dumps({"loaded": sorted(loaded), "dataclasses": made, "foreign": foreign}))
"""


def modules() -> list[Path]:
    """Every module of the package, relative to it."""
    return sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def aliases(tree: ast.AST) -> dict[str, str]:
    """Local name -> dotted origin, for every import of the module."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`now` of `from time import time as now` -> `time.time`; the empty string where there is no plain name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        base = dotted(node.value, names)
        return f"{base}.{node.attr}" if base else f"?.{node.attr}"
    return ""


def is_false(node: ast.expr) -> bool:
    """Whether that stands there as a plain False."""
    return isinstance(node, ast.Constant) and node.value is False


def is_swallowed(handler: ast.ExceptHandler, names: dict[str, str]) -> bool:
    """Whether the handler takes any exception and does nothing."""
    caught = "BaseException" if handler.type is None else dotted(handler.type, names)
    does_nothing = all(
        isinstance(statement, ast.Pass | ast.Continue)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in handler.body
    )
    return caught in ("Exception", "BaseException") and does_nothing


def call_offences(call: ast.Call, names: dict[str, str], *, owns_tasks: bool) -> Iterator[str]:
    """What is banned about one call."""
    name = dotted(call.func, names)
    last = name.rsplit(".", 1)[-1]
    if name in BANNED:
        yield f"{name}: {BANNED[name]}"
    if last in TASK_MAKERS and not owns_tasks:
        yield f"{last}: tasks are made in {TASK_OWNER}, which awaits them"
    if name.startswith("random.") and name not in RANDOM_CLASSES:
        yield f"{name}: take a random.Random from the caller"
    if name == "contextlib.suppress" and {dotted(arg, names) for arg in call.args} & {"Exception", "BaseException"}:
        yield "contextlib.suppress(Exception): hides every defect"
    for keyword in call.keywords:
        if keyword.arg == "allow_redirects" and not is_false(keyword.value):
            yield "allow_redirects: a redirect would carry the key to another host"


def offences(source: str, path: Path) -> list[str]:
    """What that module does against the list, one line each."""
    tree = ast.parse(source)
    names = aliases(tree)
    owns_tasks = path.as_posix() == TASK_OWNER or path.parts[0] == "sim"
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found += [f"{path}:{node.lineno}: {text}" for text in call_offences(node, names, owns_tasks=owns_tasks)]
        elif isinstance(node, ast.ExceptHandler) and is_swallowed(node, names):
            found.append(f"{path}:{node.lineno}: except Exception: pass hides every defect")
        elif isinstance(node, ast.Attribute) and node.attr == "raise_for_status":
            found.append(f"{path}:{node.lineno}: raise_for_status loses the envelope and shows the headers")
        elif isinstance(node, ast.keyword) and node.arg == "raise_for_status" and not is_false(node.value):
            found.append(f"{path}:{node.value.lineno}: raise_for_status loses the envelope and shows the headers")
    return found


def makes_tasks(source: str) -> bool:
    """Whether that module makes tasks of its own."""
    return any(
        isinstance(node, ast.Call) and dotted(node.func, {}).rsplit(".", 1)[-1] in TASK_MAKERS
        for node in ast.walk(ast.parse(source))
    )


@pytest.mark.parametrize("path", modules(), ids=str)
def test_module_makes_no_banned_call(path: Path) -> None:
    """Each ban has cost somebody an order or a secret; the reason stands beside it."""
    assert offences((ROOT / path).read_text(encoding="utf-8"), path) == []


def test_the_simulator_makes_its_tasks_in_one_file() -> None:
    """It may not share the client's owner, and needs no second one."""
    owners = [path for path in modules() if path.parts[0] == "sim" and makes_tasks((ROOT / path).read_text("utf-8"))]
    assert len(owners) <= 1


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "from time import time as now\nnow()",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime, UTC\ndatetime.now(UTC)",
        "import datetime as dt\ndt.datetime.utcnow()",
        "import asyncio\nasyncio.wait_for(x, 1)",
        "from asyncio import wait_for\nwait_for(x, 1)",
        "import asyncio\nasyncio.create_task(f())",
        "from asyncio import create_task\ncreate_task(f())",
        "loop.create_task(f())",
        "asyncio.get_running_loop().create_task(f())",
        "group.create_task(f())",
        "asyncio.ensure_future(f())",
        "import random\nrandom.random()",
        "from random import uniform\nuniform(0, 1)",
        "response.raise_for_status()",
        "ClientSession(raise_for_status=True)",
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept:\n    '''nothing'''",
        "for x in y:\n    try:\n        f()\n    except BaseException:\n        continue",
        "import contextlib\nwith contextlib.suppress(Exception):\n    f()",
        "session.get(url, allow_redirects=True)",
        "session.get(url, allow_redirects=follow)",
    ],
)
def test_a_banned_call_is_found(source: str) -> None:
    """The guard itself: each offence in the spellings that it can have."""
    assert len(offences(source, Path("session.py"))) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("tasks.py", "import asyncio\nasyncio.create_task(f())"),
        ("sim/server.py", "loop.create_task(f())"),
        ("clock.py", "import time\ntime.monotonic_ns()"),
        ("client.py", "import random\nrandom.Random(1).random()"),
        ("client.py", "self.rng.uniform(0, 1)"),
        ("transport.py", "session.get(url, allow_redirects=False)"),
        ("transport.py", "ClientSession(raise_for_status=False)"),
        ("session.py", "try:\n    f()\nexcept Exception as error:\n    log(error)"),
        ("session.py", "try:\n    f()\nexcept KeyError:\n    pass"),
    ],
)
def test_an_innocent_call_passes(path: str, source: str) -> None:
    """The guard does not cry wolf."""
    assert offences(source, Path(path)) == []


def exports(tree: ast.Module) -> list[str]:
    """The value of `__all__`, or an empty list."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            value: list[str] = ast.literal_eval(node.value)
            return value
    return []


def test_the_front_door_exports_what_it_imports() -> None:
    """`__all__` equals the re-exports, sorted and unique; its only code reads what few programs need when they ask."""
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    listed = exports(tree)
    (seldom,) = (node for node in tree.body if isinstance(node, ast.If))
    (asked,) = seldom.orelse
    assert ast.unparse(seldom.test) == "TYPE_CHECKING"
    assert isinstance(asked, ast.FunctionDef)
    assert asked.name == "__getattr__"
    nodes = [node for node in (*tree.body, *seldom.body) if isinstance(node, ast.ImportFrom)]
    imported = [alias.asname or alias.name for node in nodes for alias in node.names]
    imported = [name for name in imported if name not in ("annotations", "TYPE_CHECKING")]
    assigned = [ast.unparse(node.targets[0]) for node in tree.body if isinstance(node, ast.Assign)]
    assert len(listed) == len(set(listed))
    assert sorted(listed) == sorted(imported + [name for name in assigned if name == "__version__"])
    assert set(assigned) <= {"__all__", "__version__"}
    assert all(
        getattr(bitget_async, name).__name__ == name
        for name in sorted({each for node in seldom.body for each in _names(node)})
    )
    with pytest.raises(AttributeError, match="no attribute 'Heartbeet'"):
        _ = bitget_async.Heartbeet  # type: ignore[attr-defined]
    assert all(isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.Expr | ast.If) for node in tree.body)


def test_an_import_reads_what_every_program_may_need_and_no_more() -> None:
    """Every start pays for it. A dataclass compiles its methods then, which takes ten times what a Struct does."""
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    found = json.loads(done.stdout)
    parts = [path.with_suffix("").parts for path in modules()]
    names = {".".join(each[:-1] if each[-1] == "__init__" else each) for each in parts} - {""}
    left = {name for name in names if f"{PACKAGE}.{name}" not in found["loaded"]}
    assert left == {name for name in names if name in SELDOM or name.partition(".")[0] in SELDOM}
    assert found["dataclasses"] == []
    assert found["foreign"] == []


def _names(node: ast.stmt) -> list[str]:
    assert isinstance(node, ast.ImportFrom)
    return [alias.name for alias in node.names]


@pytest.mark.parametrize("path", modules(), ids=str)
def test_exported_names_are_unique_and_exist(path: Path) -> None:
    """A stale name in any `__all__` breaks `from module import *` and the docs."""
    listed = exports(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    assert len(listed) == len(set(listed))
    if listed:
        parts = (PACKAGE, *path.with_suffix("").parts)
        module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
        assert [name for name in listed if not hasattr(module, name)] == []
