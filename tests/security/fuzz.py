"""
The long fuzz of the parsers, led by coverage: `python -m tests.security.fuzz --minutes 10`. Needs the extra `fuzz`.

Every target of `parsers` is fed by atheris in a process of its own for an equal share of the time. An exception outside
our tree ends its process and stands in the figures; the input is printed. What is left goes to docs/measured/fuzz.json.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["main"]

FIGURES = Path(__file__).parents[2] / "docs" / "measured" / "fuzz.json"
LONGEST = 65_536
# Memory is measured of one input in so many: tracing it takes several times as long as the parsing.
ONE_IN = 200
RUNS_AT_A_TIME = 1000
# Where coverage leads nowhere, for the JSON parser is not Python, the words of the exchange do.
WORDS = [
    *("00000", "40034", "45001", "code", "msg", "data", "requestTime", "orderId", "size", "cTime", "feeDetail", "null"),
    *(
        "NaN",
        "1e999999999",
        "[[[[",
        "{},",
        "[],",
        "null,",
        "true",
        "successList",
        "failureList",
        "event",
        "arg",
        "channel",
        "instId",
        "\\xF5\\xFA\\xF7\\xFF",
    ),
]


def main() -> int:
    """Run every target, or with `--target` one of them in this process."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target")
    args = parser.parse_args()
    if args.target:
        one(args.target, args.minutes * 60, args.seed)
        return 0
    return whole(args.minutes, args.seed)


def whole(minutes: float, seed: int) -> int:
    """All targets, one after the other."""
    from tests.security.parsers import TARGETS

    figures: dict[str, Any] = {}
    for name in TARGETS:
        share = minutes / len(TARGETS)
        command = [sys.executable, "-m", "tests.security.fuzz", "--target", name, "--minutes", str(share)]
        done = subprocess.run([*command, "--seed", str(seed)], capture_output=True, text=True, check=False)
        lines = [line for line in done.stdout.splitlines() if line.startswith('{"executions"')]
        figures[name] = json.loads(lines[-1]) if lines else {"executions": 0}
        figures[name]["exceptions"] = int(done.returncode != 0)
        print(name, figures[name], flush=True)
        if done.returncode:
            print(done.stdout[-4000:], done.stderr[-8000:], file=sys.stderr)
    version = ".".join(platform.python_version_tuple()[:2])
    told = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "command": f"python -m tests.security.fuzz --minutes {minutes:g} --seed {seed}",
        "seed": seed,
        "machine": f"2 cores, {platform.python_implementation()} {version}",
        "executions": sum(each["executions"] for each in figures.values()),
        "exceptions_outside_the_tree": sum(each["exceptions"] for each in figures.values()),
        "slowest_input_ms": max(each.get("slowest_ms", 0) for each in figures.values()),
        "peak_mb": max(each.get("peak_mb", 0) for each in figures.values()),
        "targets": figures,
    }
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return int(told["exceptions_outside_the_tree"] > 0)


def seeds() -> Iterator[bytes]:
    """Where to start: an answer of every row, fitting or not, and the shapes that cost most."""
    from bitget_async.endpoints import CATALOGUE
    from tests.security.hostile import HOSTILE, HOSTILE_FRAMES

    for number in range(len(CATALOGUE)):
        for data in (
            b"[]",
            b"{}",
            b'[{"orderId":"1","symbol":"BTCUSDT","size":"1","cTime":"1750000000000"}]',
            b'[["1","2"]]',
        ):
            body = b'{"code":"00000","msg":"success","requestTime":1750000000000,"data":%s}' % data
            yield number.to_bytes(2, "big") + b"\0" + body
    for make in HOSTILE.values():
        yield b"\0\1\0" + make(CATALOGUE[0])[:2000]
    for channel in ("orders", "books"):
        for shape in HOSTILE_FRAMES.values():
            yield shape(channel, 2000)
    for data in (
        b'[{"instId":"BTCUSDT","orderId":"1","newSize":"1","cTime":"1750000000000","feeDetail":[{"fee":"1"}]}]',
        b'[{"asks":[["2","1"]],"bids":[["1","0"]],"checksum":0,"seq":2,"pseq":1,"ts":"1750000000000"}]',
        b'[["1750000000000","1","4","0.5","3","100","200","201"]]',
    ):
        for number in range(10):
            yield bytes([number]) + data
    yield b'{"event":"login","code":0}'
    yield b'{"event":"error","code":30001,"msg":"instType:sp,channel:ticker,instId:X does not exist"}'
    yield b'{"event":"trade","arg":[{"id":"1","params":{"orderId":"1"}}],"code":0}'
    yield b"https://api.bitget.com:443"
    yield b"key\x1fsecret\x1fpassphrase"
    yield b'{"api_key":"key","secret":"secret","passphrase":"pass"}'
    yield b'{"entry":7,"kind":"intent","data":{"symbol":"BTCUSDT"}}'


def one(name: str, seconds: float, seed: int) -> None:
    """One target until its time is up; the last line of the output has its figures."""
    import atheris

    with atheris.instrument_imports(include=["bitget_async"]):
        from tests.security.parsers import TARGETS, feed
    target = TARGETS[name]
    counts = {"executions": 0, "slowest_ms": 0.0, "peak_mb": 0.0}

    def run(data: bytes) -> None:
        counts["executions"] += 1
        if counts["executions"] % ONE_IN == 0:
            tracemalloc.start()
            feed(target, data)
            counts["peak_mb"] = max(counts["peak_mb"], round(tracemalloc.get_traced_memory()[1] / 1e6, 3))
            tracemalloc.stop()
        else:
            before = time.thread_time_ns()
            feed(target, data)
            took_ms = (time.thread_time_ns() - before) / 1e6
            if took_ms > counts["slowest_ms"]:
                # A page fault or a garbage collection is not the input's: once more, and the lesser counts.
                before = time.thread_time_ns()
                feed(target, data)
                again_ms = (time.thread_time_ns() - before) / 1e6
                counts["slowest_ms"] = max(counts["slowest_ms"], round(min(took_ms, again_ms), 3))
        if counts["executions"] % RUNS_AT_A_TIME == 0:
            print(json.dumps(counts), flush=True)

    options = [f"-max_total_time={max(int(seconds), 1)}", f"-max_len={LONGEST}", f"-seed={seed}", "-len_control=20"]
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        for number, data in enumerate(seeds()):
            Path(corpus, str(number)).write_bytes(data)
        words = Path(folder, "words")
        words.write_text("".join(f'"{word}"\n' for word in WORDS), encoding="ascii")
        atheris.Setup([sys.argv[0], *options, f"-dict={words}", f"-artifact_prefix={folder}/", str(corpus)], run)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
