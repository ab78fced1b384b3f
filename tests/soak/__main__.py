"""`python -m tests.soak`: the long runs, and one history again."""

from __future__ import annotations

import argparse
import sys

from tests.soak import cancels, seeds
from tests.soak.story import play


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments say; 0 if every promise was kept."""
    given = _parser().parse_args(arguments)
    if given.run == "cancels":
        return cancels.many(given.count, given.seed)
    seed = seeds.base_seed() if given.seed is None else given.seed
    if given.digest:
        print("\n".join(seeds.digests(range(seed, seed + (given.count or 1)))))
        return 0
    if given.count is not None:
        return seeds.many(seed, given.count)
    played = play(seed, debug=given.verbose)
    if given.verbose:
        print("\n".join(played.log))
    print(played)
    return int(bool(played.failure))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Long runs in virtual time.")
    runs = parser.add_subparsers(dest="run", required=True)
    many = runs.add_parser("seeds", help="histories that a seed decides")
    many.add_argument("--count", type=int, help="so many histories; without it one, the seed's")
    many.add_argument("--seed", type=int, help="the first one; by default SOAK_SEED, or made of the date")
    many.add_argument("--verbose", action="store_true", help="show all that happened")
    many.add_argument("--digest", action="store_true", help="show the sha256 of each history, and nothing else")
    soak = runs.add_parser("cancels", help="the same few clients for days")
    soak.add_argument("--count", type=int, default=1_000_000, help="so many cancels")
    soak.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
