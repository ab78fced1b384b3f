"""
Fail when a file holds what looks like a secret and is not one of the made-up ones in .ci/secrets.baseline.

`python .ci/secrets.py` looks; `python .ci/secrets.py --write` takes what stands there now for made up: look at each
line before that. The baseline holds hashes, so that moving a line changes nothing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parent.parent
BASELINE = Path(__file__).parent / "secrets.baseline"
LOOKED_AT = ("bitget_async", "tests", "benchmarks", "docs", ".ci", "README.md", "Makefile", "pyproject.toml")
# Recordings of public answers: thousands of ids.
LEFT_OUT = ("tests/fixtures/", ".ci/secrets.baseline")
DETECTORS = (
    *("Base64HighEntropyString", "BasicAuthDetector", "HexHighEntropyString", "JwtTokenDetector", "KeywordDetector"),
    *("AWSKeyDetector", "GitHubTokenDetector", "PrivateKeyDetector"),
)
FILTERS = (
    *("allowlist.is_line_allowlisted", "heuristic.is_indirect_reference", "heuristic.is_likely_id_string"),
    *("heuristic.is_not_alphanumeric_string", "heuristic.is_potential_uuid", "heuristic.is_sequential_string"),
    *("heuristic.is_templated_secret", "heuristic.is_prefixed_with_dollar_sign"),
)


def files() -> list[str]:
    """What is looked at, relative to the root."""
    found = []
    for name in LOOKED_AT:
        path = ROOT / name
        found += [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    names = sorted(each.relative_to(ROOT).as_posix() for each in found)
    made = ("/.", "/__pycache__/")
    return [name for name in names if not name.startswith(LEFT_OUT) and not any(part in name for part in made)]


def look() -> dict[str, dict[str, str]]:
    """File -> hash of what looks like a secret -> what it looks like and where."""
    settings = {
        "plugins_used": [{"name": name} for name in DETECTORS],
        "filters_used": [{"path": f"detect_secrets.filters.{name}"} for name in FILTERS],
    }
    found: dict[str, dict[str, str]] = {}
    with transient_settings(settings):
        secrets = SecretsCollection(root=str(ROOT))
        for name in files():
            secrets.scan_file(name)
        for name, secret in secrets:
            found.setdefault(name, {})[secret.secret_hash] = f"{secret.type}, line {secret.line_number}"
    return found


def main() -> int:
    """Compare."""
    found = look()
    if "--write" in sys.argv[1:]:
        kept = {name: sorted(hashes) for name, hashes in sorted(found.items())}
        BASELINE.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        return 0
    known = json.loads(BASELINE.read_text(encoding="utf-8"))
    new = [
        f"{name}: {what}"
        for name, hashes in found.items()
        for value, what in hashes.items()
        if value not in known.get(name, ())
    ]
    for line in new:
        print(f"looks like a secret: {line}", file=sys.stderr)
    return int(bool(new))


if __name__ == "__main__":
    sys.exit(main())
