"""
The figures in docs/performance.md and its pictures, from what the benchmarks found.

    python benchmarks/report.py            fill the page and draw the pictures
    python benchmarks/report.py --check    say whether both are what the figures make; draws nothing
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from _page import filled
from _pictures import PICTURES, Figures, digest, drawable, svg

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGE = DOCS / "performance.md"
MEASURED = DOCS / "measured" / "bench"


def figures(measured: Path) -> Figures:
    """What each benchmark found, by its name. That of the stops stands with those of the long test runs."""
    paths = [*measured.parent.glob("time_to_flat.json"), *sorted(measured.glob("*.json"))]
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def write(measured: Path, docs: Path) -> Path:
    """Fill the page and draw the pictures there; returns the page."""
    data, pictures = figures(measured), docs / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    for name in drawable(data):
        (pictures / f"{name}.svg").write_text(svg(name, data), encoding="utf-8")
    written = docs / PAGE.name
    written.write_text(filled(PAGE.read_text(encoding="utf-8"), data), encoding="utf-8")
    return written


def stale(measured: Path, docs: Path) -> list[str]:
    """What is not what the figures make: the page by its text, a picture by the digest of what it shows."""
    data, text = figures(measured), (docs / PAGE.name).read_text(encoding="utf-8")
    found = [] if text == filled(text, data) else [PAGE.name]
    for name in PICTURES:
        path = docs / "pictures" / f"{name}.svg"
        drawn = path.read_text(encoding="utf-8") if path.exists() else ""
        if (name in drawable(data)) != bool(drawn) or (drawn and digest(name, data) not in drawn):
            found.append(path.name)
    return found


def main() -> None:
    """Write, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something is stale")
    args = parser.parse_args()
    if not args.check:
        print(write(MEASURED, DOCS).relative_to(ROOT))
    elif found := stale(MEASURED, DOCS):
        sys.exit(f"not what the figures make: {', '.join(found)}; run `python benchmarks/report.py`")


if __name__ == "__main__":
    main()
