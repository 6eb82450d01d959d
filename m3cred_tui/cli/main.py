"""The command ``m3cred``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from m3cred_tui import VERSION

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        if not words:  # the usual start; argparse would be felt before the first paint
            return _open_app(demo=False)
        chosen = _parser().parse_args(words)
        if chosen.command == "demo-stripe":
            from m3cred_tui.cli.demo_stripe import run

            return run(chosen.port)
        return _open_app(demo=chosen.demo)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _open_app(*, demo: bool) -> int:
    from m3cred_tui.cli.app import open_app

    return open_app(demo=demo)


def _parser() -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(
        prog="m3cred",
        allow_abbrev=False,
        description="Create m3ter Integration Credentials for Stripe in the terminal.",
        epilog="Without a command, m3cred opens full screen on the Credentials page.",
    )
    parser.add_argument("--version", action="version", version=f"m3cred {VERSION}")
    parser.add_argument(
        "--demo",
        action="store_true",
        help="use the built-in demo Stripe, and a data directory of its own",
    )
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    demo_stripe = commands.add_parser(
        "demo-stripe",
        help="run only the demo Stripe, in the foreground",
        description="Run only the demo Stripe, in the foreground. The first line on standard "
        "output is a JSON object with its addresses, client ids and keys.",
    )
    demo_stripe.add_argument(
        "--port",
        type=_port,
        default=0,
        metavar="N",
        help="port on 127.0.0.1; 0 takes any free one",
    )
    return parser


def _port(text: str) -> int:
    import argparse

    digits = text.isascii() and text.isdigit() and len(text) <= len("65535")
    if not digits or int(text) > 65535:  # noqa: PLR2004  the largest port
        raise argparse.ArgumentTypeError(f"{text[:40]!a} is not a port from 0 to 65535")
    return int(text)
