"""The parser of the command line, and of each command that is not about credentials."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from m3cred_tui import VERSION
from m3cred_tui.cli.credential_parsers import OF_CREDENTIALS
from m3cred_tui.cli.usage import (
    Add,
    Parser,
    add_json,
    demo_redirect_uri,
    flag,
    names_of_settings,
    number,
    ports,
    setting,
)
from m3cred_tui.model.credential import ACCESS_TOKEN_LIFETIME

_HOUR = round(ACCESS_TOKEN_LIFETIME.total_seconds())
SHARED = frozenset({"--demo", "--passphrase-fd"})
"""Options that are taken before and after a command."""


def parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of the whole command line.

    If these words of it begin with a command, it knows only that one, which takes a tenth of
    the time.
    """
    whole = Parser(
        prog="m3cred",
        allow_abbrev=False,
        description="Create m3ter Integration Credentials for Stripe in the terminal.",
        epilog="Without a command, m3cred opens full screen on the Credentials page.",
    )
    whole.add_argument("--version", action="version", version=f"m3cred {VERSION}")
    _add_shared(whole)
    flag(whole, "--no-mouse", "leave the mouse to the terminal, for its own selection")
    commands = whole.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    add = partial(commands.add_parser, allow_abbrev=False)
    named = next((word for word in words if word != "--demo"), "")
    for name in [named] if named in _COMMANDS else _COMMANDS:
        _COMMANDS[name](add if name in _NOT_SHARING else partial(add, parents=[_shared()]))
    return whole


def _shared() -> argparse.ArgumentParser:
    """Return the options of m3cred that are taken after its commands, too."""
    shared = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    _add_shared(shared.add_argument_group("options that commands share"))
    return shared


def _verbs(command: argparse.ArgumentParser) -> Add:
    """Return what adds a command of a command."""
    verbs = command.add_subparsers(dest="verb", title="commands", metavar="COMMAND")
    return partial(verbs.add_parser, parents=[_shared()])


def _add_shared(to: argparse._ActionsContainer) -> None:
    flag(to, "--demo", "use the built-in demo Stripe, and a data directory of its own")
    _add_descriptor(to, "--passphrase-fd", "passphrase of the identity")


def _config(add: Add) -> None:
    command = add(
        "config",
        help="show or change the settings of each destination",
        description="Show what is set for each destination, and where each value comes from: "
        "the environment, the settings file, or m3cred itself. No secret is shown.",
        epilog=names_of_settings,
    )
    add_json(command)
    add_verb = _verbs(command)
    add_verb("path", help="show where the settings file is")
    change = add_verb(
        "set",
        help="set a value, such as stripe_test.client_id",
        description="Set a value in the settings file. The secret key itself is asked for on "
        "the terminal, or read as a line from standard input, and sealed.",
    )
    change.add_argument(
        "name", type=setting, metavar="NAME", help="such as stripe_test.client_id"
    )
    change.add_argument("values", metavar="VALUE", nargs="*", help="none for secret_key")
    unset = add_verb("unset", help="remove a value")
    unset.add_argument("name", type=setting, metavar="NAME", help="such as stripe_test.ports")
    check = add_verb(
        "check",
        help="try the settings, and report what is wrong",
        description="Get each secret key, from its command if there is one, and check every "
        "value. Stripe is not contacted.",
    )
    add_json(check)


def _identity(add: Add) -> None:
    command = add(
        "identity",
        help="show, protect or move the identity that opens the sealed parts",
        description="The identity opens the sealed parts of the credentials. Without a "
        "command, m3cred shows where it is, its public key, and whether it is under a "
        "passphrase.",
    )
    verbs = _verbs(command)

    def add_verb(verb: str, does: str, file: str = "", *, takes_new: bool = False) -> None:
        added = verbs(verb, help=does, description=f"{does.capitalize()}.")
        if file:
            added.add_argument("file", metavar="FILE", help=file)
        if takes_new:
            _add_descriptor(added, "--new-passphrase-fd", "new passphrase")

    add_verb("show", "show where it is, its public key, and whether it is under a passphrase")
    add_verb("protect", "put it under a passphrase, or under another one", takes_new=True)
    add_verb("unprotect", "put it back in clear")
    add_verb(
        "export",
        "write a copy for another machine, under a passphrase of its own",
        "a new file for the copy; - is standard output",
        takes_new=True,
    )
    add_verb(
        "import",
        "import the copy of another machine, which keeps its passphrase",
        "the copy; - is standard input",
    )


def _store(add: Add) -> None:
    command = add(
        "store",
        help="show where credentials are kept, or move them",
        description="Show where credentials are kept: on this machine, or for a team on "
        "OpenBao or HashiCorp Vault.",
        epilog="Explained in docs/team.md.",
    )
    add_json(command)
    verbs = _verbs(command)
    printed = verbs(
        "policy",
        help="print the policy that a role needs",
        description="Print the policy that a role needs, for the configured mount and path.",
    )
    printed.add_argument(
        "role",
        choices=("reader", "admin"),
        help="reader lists credentials; admin also creates, uses, renews and deletes them",
    )
    move = verbs(
        "move",
        help="move all created credentials to the other store",
        description="Move all created credentials: each is written there, read back, compared "
        "and then removed here. It can be interrupted, and run again.",
    )
    move.add_argument("--to", choices=("openbao", "directory"), help="where to")
    flag(move, "--dry-run", "say what would be moved, and change nothing")
    add_json(move)


def _relay_page(add: Add) -> None:
    command = add(
        "relay-page",
        help="write the page that takes Stripe's HTTPS redirect to the terminal",
        description="Write a static page for your own web server, where the redirect URI "
        "points: it shows the address to paste, and a link to this terminal. "
        "See docs/live-mode.md.",
    )
    command.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="write it here, readable by everybody; without FILE, to standard output",
    )
    command.add_argument(
        "--ports",
        type=ports,
        metavar="N,N",
        help="ports that its link may lead to; by default the usual ones and those set",
    )
    flag(command, "--force", "replace FILE if it exists")


def _doctor(add: Add) -> None:
    command = add(
        "doctor",
        help="check everything that m3cred needs, and say what to fix",
        description="Check the settings, directories, permissions, identity, ports, browser, "
        "clipboard, terminal, whether Stripe can be reached, and what was left unfinished. "
        "Each is ok, or the output says what to do. Nothing is changed, and no key is sent. "
        "Status 1 if something has to be fixed.",
    )
    flag(command, "--offline", "do not contact Stripe")
    add_json(command)


def _log(add: Add) -> None:
    command = add(
        "log",
        help="show what happened",
        description="Show the log, which has no secret in it: what was created, checked, "
        "refreshed and deleted, and what failed, in UTC.",
    )
    flag(command, "--follow", "keep printing new lines until Ctrl+C")


def _completion(add: Add) -> None:
    command = add(
        "completion",
        help="print the completion script for bash, zsh or fish",
        description="Print the script that completes commands, options, names and IDs of "
        "credentials, and names of settings. Its first lines say where to put it.",
    )
    command.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")
    # For the scripts: reads words from standard input, each followed by a null character.
    command.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)


def _demo_stripe(add: Add) -> None:
    command = add(
        "demo-stripe",
        help="run only the demo Stripe, in the foreground",
        description="Run only the demo Stripe, in the foreground. The first line on standard "
        "output is a JSON object with its addresses, client ids and keys.",
    )
    flag(
        command,
        "--env",
        "print them as lines to paste into another shell, whose m3cred then uses this Stripe",
    )
    command.add_argument(
        "--port",
        type=number("a port from 0 to 65535", 0, 65_535),
        default=0,
        metavar="N",
        help="port on 127.0.0.1; 0 takes any free one",
    )
    command.add_argument(
        "--redirect-uri",
        action="append",
        default=[],
        type=demo_redirect_uri,
        dest="redirect_uris",
        metavar="URI",
        help="register this redirect URI in addition to m3cred's own; may be repeated",
    )
    flag(
        command,
        "--require-https",
        "in live mode, redirect only to HTTPS addresses, as Stripe does",
    )
    command.add_argument(
        "--token-seconds",
        type=number("a number of seconds", 1, 999_999),
        default=_HOUR,
        metavar="N",
        help=f"how long an access token of Stripe Apps lasts; {_HOUR} as at Stripe",
    )


def _add_descriptor(command: argparse._ActionsContainer, name: str, what: str) -> None:
    text = f"read the {what} from file descriptor N, one line"
    descriptor = number("a file descriptor", 0, 99_999)
    command.add_argument(name, type=descriptor, metavar="N", help=text)


_COMMANDS = {
    **OF_CREDENTIALS,
    "config": _config,
    "identity": _identity,
    "store": _store,
    "relay-page": _relay_page,
    "doctor": _doctor,
    "log": _log,
    "completion": _completion,
    "demo-stripe": _demo_stripe,
}
"""What adds each of them, in the order of the help."""
_NOT_SHARING = frozenset({"relay-page", "completion", "demo-stripe"})
"""These do not take what is shared."""
