"""Arguments in, exit code out. No error of the package ends in a traceback."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version

from bitget_async import BitgetError
from bitget_async.cli.cancel import cancel
from bitget_async.cli.demo import demo
from bitget_async.cli.exits import Exit, exit_of, sentence
from bitget_async.cli.guard import REDIS_URL, guard
from bitget_async.cli.scenario import MOST_SYMBOLS
from bitget_async.cli.serve import serve
from bitget_async.cli.top import top
from bitget_async.exposure import LEAST_EVERY_S, MOST_EVERY_S
from bitget_async.redis_server import SealedUrl, sealed

__all__ = ["main"]

CODES = """exit codes:
  0  proven: every order is final, or none was open
  1  demo: a claim does not agree with the simulator's truth
  2  usage: nothing was sent
  3  still open: orders are open, and the command can have no more effect
  4  unknown: not proven in time; orders may be open or filled
  5  refused: the exchange said no and executed nothing
  6  not sent: nothing left this machine, or you said no
  130  interrupted: what was sent stays sent
Of several symbols the worst counts, in the order 4, 3, 5, 6, 0."""

GUARD_CODES = """exit codes:
  0  ended by SIGINT, SIGTERM or --once; no stop was left undone
  2  usage: it has not guarded
  4  ended while a stop was not proven: start it again, it goes on"""

ABOUT = "Cancel every open order of a symbol on Bitget spot, and prove what became of each one."
ENVIRONMENT = (
    "The key is read from BITGET_API_KEY, BITGET_API_SECRET and BITGET_API_PASSPHRASE; a trade-only key is enough."
)


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the program.

    Args:
        argv: arguments without the program's name; `sys.argv` by default.

    Returns:
        The exit code, see `exits`. Wrong arguments and `--help` leave by `SystemExit`, as argparse does.
    """
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        code: Exit = args.run(args)
    except BitgetError as error:
        print(f"bitget-async: {sentence(error)}", file=sys.stderr)
        return exit_of(error)
    except KeyboardInterrupt:
        # Once a command may be on its way, `cancel` answers Ctrl-C itself.
        print("bitget-async: interrupted; no command was sent to an exchange.", file=sys.stderr)
        return Exit.INTERRUPTED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bitget-async",
        description=ABOUT,
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bitget-async {_version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_cancel(commands)
    _add_guard(commands)
    _add_top(commands)
    _add_sim(commands)
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "demo",
        help="watch it work against a simulated exchange; no key needed",
        description="Cancel the orders of many symbols on a simulated exchange on this machine, which answers first, "
        "acts later, loses an answer and misses an order; then compare every claim with what really happened.",
    )
    parser.add_argument("--seed", type=int, default=1, help="decides every draw of the exchange (default %(default)s)")
    parser.add_argument(
        "--symbols",
        type=_number(1, MOST_SYMBOLS),
        default=12,
        metavar="N",
        help=f"how many symbols, 1 to {MOST_SYMBOLS} (default %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    parser.add_argument(
        "--expose", metavar="SOCKET", help="show the client at that Unix socket, for `bitget-async top SOCKET`"
    )
    parser.set_defaults(run=demo)


def _add_cancel(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "cancel",
        help="cancel every open order of symbols, and prove it",
        description="Cancel every open normal spot order of the account on each SYMBOL, whoever placed it, and wait "
        f"until the fate of each one is proven.\nIt cannot be undone. {ENVIRONMENT}",
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("symbols", nargs="+", metavar="SYMBOL", help="exchange spelling, such as BTCUSDT")
    parser.add_argument("--ensure", action="store_true", help="cancel by id what is still open 2 s after the answer")
    parser.add_argument("--dry-run", action="store_true", help="list what is open, and send no command")
    parser.add_argument("--yes", action="store_true", help="do not ask; also skips the listing before the question")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of progress")
    parser.add_argument("--base-url", metavar="URL", help="another exchange, such as a simulator on this machine")
    parser.add_argument("--demo-trading", action="store_true", help="demo trading: needs a key made for it")
    parser.add_argument(
        "--confirm-within",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="settle after that long, whatever is known (default 60; still open can be proven after about 42)",
    )
    parser.set_defaults(run=cancel)


def _add_guard(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "guard",
        help="stop the account when the heartbeats of a bot stay away",
        description="Listen for the heartbeats of bots (`client.heartbeat(...)`), and cancel every open normal spot "
        "order of the account, whoever placed it, when they stay away; go on until that is proven. Runs until SIGINT "
        f"or SIGTERM.\nGive it a key of its own. {ENVIRONMENT}\nWhat it cannot do stands in docs/guard.md.",
        epilog=GUARD_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_hearing(parser)
    parser.add_argument("--symbol", action="append", default=[], help="cancel this one at once, before any listing")
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        choices=("tpsl", "trigger"),
        help="these orders too; may be given again",
    )
    parser.add_argument("--armed", action="store_true", help="count silence at once, before the first heartbeat")
    parser.add_argument("--rehearse", action="store_true", help="everything but the commands: say what would be sent")
    parser.add_argument("--once", action="store_true", help="end when the first stop is proven")
    parser.add_argument(
        "--state", metavar="FILE", help="what a restart must know (default: the socket's name + .state)"
    )
    parser.add_argument("--forget", action="store_true", help="neither read nor write a state: a restart knows nothing")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each event")
    parser.add_argument("--base-url", metavar="URL", help="another exchange, such as a simulator on this machine")
    parser.add_argument("--demo-trading", action="store_true", help="demo trading: needs a key made for it")
    parser.set_defaults(run=guard)


def _add_hearing(parser: argparse.ArgumentParser) -> None:
    """Where the guard listens, for whom, and what counts as silence."""
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--socket", type=sealed, metavar="PATH", help="listen there, in a directory that only you can write"
    )
    where.add_argument(
        "--redis",
        nargs="?",
        const="",
        type=SealedUrl,
        metavar="URL",
        help=f"look for heartbeats in a Redis; without a URL it is read from {REDIS_URL}, where one with a password "
        "belongs",
    )
    parser.add_argument(
        "--after", type=_seconds, required=True, metavar="SECONDS", help="fire after that long without a heartbeat"
    )
    parser.add_argument(
        "--name", action="append", default=[], metavar="NAME", help='a bot\'s name; may be given again (default "bot")'
    )
    several = parser.add_mutually_exclusive_group()
    several.add_argument("--any", action="store_true", help="of several bots, fire when one is silent (the default)")
    several.add_argument("--all", action="store_true", help="of several bots, fire when all that are armed are silent")
    parser.add_argument(
        "--if-blind",
        choices=("fire", "wait"),
        default="fire",
        help="when heartbeats cannot be seen, for Redis is away: fire after --blind-after, or wait (default fire)",
    )
    parser.add_argument(
        "--blind-after", type=_seconds, default=60.0, metavar="SECONDS", help="see --if-blind (default %(default)g)"
    )


def _add_top(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "top",
        help="watch a running client: tokens, pending handles, streams, errors",
        description="Watch a client that shows itself at a Unix socket (`await client.expose(SOCKET)`), until Ctrl-C. "
        "Where standard output is no terminal, print one frame. Nothing can be changed from here.",
    )
    parser.add_argument("socket", metavar="SOCKET", help="where the client shows itself")
    parser.add_argument(
        "--every",
        type=_every,
        default=0.5,
        metavar="SECONDS",
        help=f"{LEAST_EVERY_S:g} to {MOST_EVERY_S:g} (default %(default)g)",
    )
    parser.add_argument("--once", action="store_true", help="print one frame, and end")
    parser.add_argument("--json", action="store_true", help="print snapshots as JSON, one a line")
    parser.set_defaults(run=top)


def _add_sim(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "sim",
        help="serve a simulated exchange on this machine",
        description="Serve the simulated exchange until SIGINT or SIGTERM. Prints one JSON line with base_url, "
        "api_key, secret and passphrase: a made-up key, which no other exchange knows.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default %(default)s)")
    parser.add_argument(
        "--port", type=_number(0, 65535), default=0, help="0, the default, takes a free one", metavar="PORT"
    )
    parser.add_argument("--seed", type=int, default=1, help="decides every draw (default %(default)s)")
    parser.add_argument(
        "--rest",
        type=_resting,
        action="append",
        default=[],
        metavar="SYMBOL=N",
        help="open N orders of the account on a symbol at the start; may be given again",
    )
    parser.set_defaults(run=serve)


def _number(low: int, high: int) -> Callable[[str], int]:
    """An argument that is an integer from `low` to `high`."""

    def number(text: str) -> int:
        value = int(text) if text.isascii() and text.isdigit() else low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be a number from {low} to {high}, not {text!r}")
        return value

    return number


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0 and up to a day, not {text!r}")
    return value


def _every(text: str) -> float:
    value = _seconds(text)
    if not LEAST_EVERY_S <= value <= MOST_EVERY_S:
        raise argparse.ArgumentTypeError(f"must be {LEAST_EVERY_S:g} to {MOST_EVERY_S:g} seconds, not {text!r}")
    return value


def _resting(text: str) -> tuple[str, int]:
    symbol, _, count = text.partition("=")
    return symbol, _number(0, 100_000)(count)


def _version() -> str:
    try:
        return version("bitget-async")
    except PackageNotFoundError:
        return "(not installed)"
