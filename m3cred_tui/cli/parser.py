"""The parser of the command line."""

import argparse
from collections.abc import Sequence
from importlib import import_module

from m3cred_tui import VERSION

_LARGEST_PORT = 65_535


def port_or_any(text: str) -> int:
    """Return a port; 0 stands for any that is free."""
    if not _is_number(text) or int(text) > _LARGEST_PORT:
        raise not_a(text, "a port from 0 to 65535")
    return int(text)


def descriptor(text: str) -> int:
    """Return a file descriptor."""
    if not _is_number(text):
        raise not_a(text, "a file descriptor")
    return int(text)


def not_a(text: str, wanted: str) -> argparse.ArgumentTypeError:
    """Return what argparse tells of an argument that is not what is wanted."""
    return argparse.ArgumentTypeError(f"{text[:40]!a} is not {wanted}")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST_PORT))


COMMANDS = {
    "list": "list the credentials",
    "show": "show one credential, and how it goes into an Integration Configuration",
    "create": "create an Integration Credential without the app",
    "resume": "go on with a credential that is pending",
    "check": "ask Stripe whether credentials can be used",
    "exec": "run a command with a credential's key in its environment",
    "delete": "delete a credential, here or at Stripe, too",
    "config": "show or change the settings of each destination",
    "identity": "show the identity that opens what is sealed, protect it, move it",
    "relay-page": "write the page that leads Stripe's HTTPS redirect to the terminal",
    "doctor": "go through everything that m3cred needs, and say what to mend",
    "completion": "print what completes m3cred's words in bash, zsh or fish",
    "demo-stripe": "run only the demo Stripe, in the foreground",
}
"""What each command does. ``cli/<command>.py`` has ``add_arguments(parser)``, and
``run(chosen)``, which returns the exit status."""


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser that knows the name of every command, and all of those in ``words``."""
    whole = argparse.ArgumentParser(
        prog="m3cred",
        allow_abbrev=False,
        description="Create m3ter Integration Credentials for Stripe in the terminal.",
        epilog="Without a command, m3cred opens full screen on the Credentials page.",
    )
    _add_options(whole)
    commands = whole.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    for name, does in COMMANDS.items():
        added = commands.add_parser(name, help=does, allow_abbrev=False)
        if name in words:  # the others would only cost time to import
            command = import_module(f"m3cred_tui.cli.commands.{name.replace('-', '_')}")
            command.add_arguments(added)
            added.set_defaults(run=command.run)
    return whole


def _add_options(whole: argparse.ArgumentParser) -> None:
    whole.add_argument("--version", action="version", version=f"m3cred {VERSION}")
    whole.add_argument(
        "--demo",
        action="store_true",
        help="use the built-in demo Stripe, and a data directory of its own",
    )
    whole.add_argument(
        "--no-mouse",
        action="store_true",
        help="leave the mouse to the terminal, for its own selection",
    )
    whole.add_argument(
        "--passphrase-fd",
        type=descriptor,
        metavar="N",
        help="read the passphrase of the identity from file descriptor N, one line",
    )
