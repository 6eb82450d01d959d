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
        if run_command := getattr(chosen, "run", None):  # as the command's own file has it
            return int(run_command(chosen))
        if chosen.command == "demo-stripe":
            from m3cred_tui.cli.demo_stripe import run

            return run(chosen.port)
        if chosen.command == "identity":
            from m3cred_tui.cli.identity import run as run_identity
            from m3cred_tui.cli.process import close_to_others

            close_to_others()
            return run_identity(chosen)
        return _open_app(
            demo=chosen.demo,
            passphrase_fd=chosen.passphrase_fd,
            mouse=not chosen.no_mouse,
        )
    except KeyboardInterrupt:
        return _INTERRUPTED


def _open_app(*, demo: bool, passphrase_fd: int | None = None, mouse: bool = True) -> int:
    from m3cred_tui.cli.app import open_app

    return open_app(demo=demo, passphrase_fd=passphrase_fd, mouse=mouse)


def _parser() -> argparse.ArgumentParser:
    import argparse

    from m3cred_tui.cli import config

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
    parser.add_argument(
        "--no-mouse",
        action="store_true",
        help="leave the mouse to the terminal, for its own selection",
    )
    parser.add_argument(
        "--passphrase-fd",
        type=_descriptor,
        metavar="N",
        help="read the passphrase of the identity from file descriptor N, one line",
    )
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    _add_identity(commands)
    config.add_to(commands)
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


def _add_identity(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    identity = commands.add_parser(
        "identity",
        help="show the identity that opens what is sealed, protect it, move it",
        description="The identity opens the sealed parts of the credentials. Without a "
        "command, m3cred shows where it is, its public key, and whether it is under a "
        "passphrase.",
    )
    verbs = identity.add_subparsers(dest="verb", title="commands", metavar="COMMAND")
    for verb, does in _IDENTITY_VERBS.items():
        parser = verbs.add_parser(verb, help=does, description=f"{does.capitalize()}.")
        if verb in {"export", "import"}:
            parser.add_argument("file", metavar="FILE", help=_FILES[verb])
        if verb in {"protect", "export"}:
            parser.add_argument(
                "--new-passphrase-fd",
                type=_descriptor,
                metavar="N",
                help="read the new passphrase from file descriptor N, one line",
            )


_IDENTITY_VERBS = {
    "show": "show where it is, its public key, and whether it is under a passphrase",
    "protect": "put it under a passphrase, or under another one",
    "unprotect": "put it back in clear",
    "export": "write a copy for another machine, under a passphrase of its own",
    "import": "take the copy of another machine, under the passphrase that it has",
}
_FILES = {
    "export": "a new file for the copy; - is standard output",
    "import": "the copy; - is standard input",
}


def _port(text: str) -> int:
    if not _is_number(text) or int(text) > 65535:  # noqa: PLR2004  the largest port
        raise _not_a(text, "a port from 0 to 65535")
    return int(text)


def _descriptor(text: str) -> int:
    if not _is_number(text):
        raise _not_a(text, "a file descriptor")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len("65535")


def _not_a(text: str, wanted: str) -> argparse.ArgumentTypeError:
    import argparse

    return argparse.ArgumentTypeError(f"{text[:40]!a} is not {wanted}")
