"""What is in the packages: built as a release is, then looked into."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist, and the wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """The one wheel."""
    (path,) = built.glob("*.whl")
    return path


def names_in(wheel: Path) -> list[str]:
    """File names as `python -m zipfile` lists them."""
    command = [sys.executable, "-m", "zipfile", "-l", str(wheel)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in listing.splitlines()[1:]]


def test_wheel_holds_the_package_and_its_metadata_only(wheel: Path) -> None:
    """No tests, no benchmarks, no stray file of a working copy."""
    assert wheel.name == f"bitget_async-{PROJECT['version']}-py3-none-any.whl"
    assert {name.split("/")[0] for name in names_in(wheel)} == {
        "bitget_async",
        f"bitget_async-{PROJECT['version']}.dist-info",
    }


def test_wheel_from_the_sdist_holds_every_module_of_the_tree(wheel: Path) -> None:
    """Nothing is lost on the way over the sdist, `py.typed` included."""
    tree = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "bitget_async").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "bitget_async/py.typed" in tree
    assert {name for name in names_in(wheel) if name.startswith("bitget_async/")} == tree


def test_metadata_says_what_the_project_says(wheel: Path) -> None:
    """Name, Python version, licence, requirements, extras, and the command."""
    with zipfile.ZipFile(wheel) as archive:
        info = f"bitget_async-{PROJECT['version']}.dist-info"
        metadata = archive.read(f"{info}/METADATA").decode()
        assert "bitget-async = bitget_async.cli:main" in archive.read(f"{info}/entry_points.txt").decode()
        assert f"{info}/licenses/LICENSE" in archive.namelist()
    for line in ("Name: bitget-async", "Requires-Python: >=3.11", "License-Expression: MIT", "Typing :: Typed"):
        assert line in metadata
    needed = re.findall(r"^Requires-Dist: ([A-Za-z0-9-]+)[^;\n]*$", metadata, re.MULTILINE)
    assert sorted(needed) == ["aiohttp", "aiolimiter", "msgspec", "orjson", "sortedcontainers"]
    extras = re.findall(r"^Provides-Extra: (.+)$", metadata, re.MULTILINE)
    assert set(extras) == {"cli", "redis", "uvloop", "otel", "rsa", "dev", "fuzz", "peers", "bench"}


def test_sdist_holds_what_is_needed_to_check_it(built: Path) -> None:
    """Sources, tests and the Makefile, under one folder; nothing of a virtual environment or a cache."""
    (path,) = built.glob("*.tar.gz")
    top = f"bitget_async-{PROJECT['version']}/"
    with tarfile.open(path) as archive:
        names = archive.getnames()
    assert all(name.startswith(top) for name in names)
    inside = {name.removeprefix(top) for name in names}
    assert {"LICENSE", "Makefile", "README.md", "pyproject.toml", ".ci/run", "tests/test_packaging.py"} <= inside
    assert [name for name in inside if re.search(r"\.venv|__pycache__|\.cache|\.pyc$|\.env$|\.pem$", name)] == []


def test_no_registry_is_named_anywhere() -> None:
    """The machine's own pip configuration decides where packages come from."""
    words = ("index" + "-url", "trusted" + "-host", "pypi" + ".org", "python" + "hosted")
    for name in ("Makefile", "pyproject.toml", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert [word for word in words if word in text] == []


def test_the_package_imports_no_extra() -> None:
    """Who only trades pays for neither a terminal nor telemetry, and needs neither."""
    code = (
        "import sys, bitget_async, bitget_async.telemetry, bitget_async.cli; "
        "print([name for name in ('rich', 'opentelemetry', 'redis', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_extras_hold_what_the_rooms_of_that_name_import() -> None:
    """The API only: which SDK and exporter there is, is for the program to say."""
    extras = PROJECT["optional-dependencies"]
    assert extras["otel"] == ["opentelemetry-api>=1.30,<2"]
    assert [each.split(">")[0] for each in extras["cli"]] == ["rich"]
