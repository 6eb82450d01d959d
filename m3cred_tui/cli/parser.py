"""The parser of the command line: every command with its arguments."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from m3cred_tui import VERSION
from m3cred_tui.cli.usage import (
    Parser,
    account_id,
    columns,
    credential_name,
    demo_redirect_uri,
    number,
    ports,
    statuses,
)
from m3cred_tui.model.credential import ACCESS_TOKEN_LIFETIME, DESTINATIONS, ENTITY_TYPES

Add = Callable[..., argparse.ArgumentParser]
"""Adds a command; takes its name and the arguments of ``ArgumentParser``."""

_HOUR = round(ACCESS_TOKEN_LIFETIME.total_seconds())
_DESTINATIONS = [one.code.lower() for one in DESTINATIONS]
SHARED = frozenset({"--demo", "--passphrase-fd"})
"""Options that are taken before and after a command."""

_ONE_CREDENTIAL = "its name, its ID or the end of it, or its account's ID"
_BEGIN = "print the URL and exit; continue with --complete or m3cred resume"
_COMPLETE = "finish what --begin began, with the address as a line of standard input"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = Parser(
        prog="m3cred",
        allow_abbrev=False,
        description="Create m3ter Integration Credentials for Stripe in the terminal.",
        epilog="Without a command, m3cred opens full screen on the Credentials page.",
    )
    whole.add_argument("--version", action="version", version=f"m3cred {VERSION}")
    _add_shared(whole)
    _flag(whole, "--no-mouse", "leave the mouse to the terminal, for its own selection")
    commands = whole.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    add = partial(commands.add_parser, allow_abbrev=False)
    add_sharing = partial(add, parents=[_shared()])
    for_credentials = (_list, _show, _create, _resume, _reauthorize, _rename)
    for declare in (*for_credentials, _check, _exec, _delete, _config, _identity, _store):
        declare(add_sharing)
    _relay_page(add)
    _doctor(add_sharing)
    _completion(add)
    _demo_stripe(add)
    return whole


def _shared() -> argparse.ArgumentParser:
    """Return the options of m3cred that are taken after its commands, too."""
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    _add_shared(shared.add_argument_group("options that commands share"))
    return shared


def _verbs(command: argparse.ArgumentParser) -> Add:
    """Return what adds a command of a command."""
    verbs = command.add_subparsers(dest="verb", title="commands", metavar="COMMAND")
    return partial(verbs.add_parser, parents=[_shared()])


def _add_shared(to: argparse._ActionsContainer) -> None:
    _flag(to, "--demo", "use the built-in demo Stripe, and a data directory of its own")
    _add_descriptor(to, "--passphrase-fd", "passphrase of the identity")


def _list(add: Add) -> None:
    command = add(
        "list",
        help="list the credentials",
        description="List the credentials: the pending ones, then the newest first. On a "
        "terminal, columns that do not fit are left out; in a pipe none is.",
        epilog="Columns are name, entity_type, destination, mode, account, account_id, status, "
        "check, created, created_by, expires and id. Statuses are pending, unknown, "
        "authenticated, expiring, expired and, by the last check, revoked, wrong_key, "
        "no_permission, unreachable, failed, not_set_up and damaged.",
    )
    command.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="list only those that contain every WORD; case and accents do not matter",
    )
    command.add_argument(
        "--status",
        type=statuses,
        default=[],
        metavar="STATUS,…",
        help="list only those with one of these statuses",
    )
    command.add_argument(
        "--destination",
        choices=_DESTINATIONS,
        help="list only those of this destination",
    )
    shown = command.add_mutually_exclusive_group()
    shown.add_argument(
        "--columns",
        type=columns,
        default=[],
        metavar="COLUMN,…",
        help="show these columns, in this order, each in full",
    )
    _flag(shown, "--quiet", "show nothing but Credential IDs")
    _add_json(shown)
    _flag(command, "--no-header", "leave out the heading")


def _show(add: Add) -> None:
    command = add(
        "show",
        help="show one credential, and how it goes into an Integration Configuration",
        description="Show a credential without its secrets, whether its sealed part opens and "
        "agrees, and the fields that it fills in a m3ter Integration Configuration.",
    )
    command.add_argument("name", metavar="NAME", help=_ONE_CREDENTIAL)
    _flag(
        command,
        "--integration",
        "only what goes into an Integration Configuration, as JSON in the API's names",
    )
    _flag(command, "--reveal", "show the tokens, too, if standard output is a terminal")
    _flag(command, "--reveal-to-pipe", "show the tokens, too, wherever standard output goes")
    _add_json(command)


def _create(add: Add) -> None:
    command = add(
        "create",
        help="create an Integration Credential without the app",
        description="Create an Integration Credential: print the URL at which the owner of the "
        "Stripe account approves access, wait for the browser to come back or for the address "
        "that it ends on, as a line of standard input, show the account, and ask.",
    )
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--name", type=credential_name, metavar="NAME", help="of the new credential"
    )
    what.add_argument("--complete", metavar="ID", help=_COMPLETE)
    command.add_argument(
        "--entity-type",
        choices=[one.code for one in ENTITY_TYPES],
        default=ENTITY_TYPES[0].code,
        help=f"what m3ter sends with it; {ENTITY_TYPES[0].code} by default",
    )
    command.add_argument(
        "--destination",
        choices=_DESTINATIONS,
        help="where m3ter sends it; by default the only one that is set up",
    )
    _flag(command, "--begin", _BEGIN)
    _add_consent(command)


def _resume(add: Add) -> None:
    command = add(
        "resume",
        help="resume a pending credential",
        description="Resume a credential that waits for Stripe, at the same URL and port, or "
        "one that Stripe has approved and that is not created yet.",
    )
    command.add_argument(
        "pending",
        nargs="?",
        metavar="ID",
        help="its ID or the end of it, or its name; by default the only pending one",
    )
    command.add_argument(
        "--name", type=credential_name, metavar="NAME", help="create it under this name"
    )
    command.add_argument(
        "--sealed",
        metavar="FILE",
        help="keep an approval that m3cred could only write out, sealed, and resume it",
    )
    _add_consent(command)


def _add_consent(command: argparse.ArgumentParser) -> None:
    """Add what ``create``, ``resume`` and ``reauthorize`` share."""
    _flag(
        command, "--yes", "agree to the account that was approved, but not to replace another"
    )
    command.add_argument(
        "--expect-account",
        type=account_id,
        metavar="acct_…",
        help="agree without being asked, but only to this account",
    )
    _flag(command, "--no-browser", "open no browser; the URL is printed anyway")
    _flag(command, "--json", "for machines: objects, one a line")
    # Argparse would print a surplus word, which may be an address with a code in it.
    command.add_argument("surplus", nargs="*", help=argparse.SUPPRESS)


def _reauthorize(add: Add) -> None:
    command = add(
        "reauthorize",
        help="authorize a credential again, under the same ID",
        description="Authorize a credential again that was revoked or is about to end. Its ID, "
        "name and destination stay, so every Integration Configuration that uses it goes on "
        "working. The old tokens stay until the new account is confirmed; another Stripe "
        "account than before is confirmed on its own, or named with --expect-account.",
    )
    command.add_argument("name", nargs="?", metavar="NAME", help=_ONE_CREDENTIAL)
    command.add_argument("--complete", metavar="ID", help=_COMPLETE)
    _flag(command, "--begin", _BEGIN)
    _add_consent(command)


def _rename(add: Add) -> None:
    command = add(
        "rename",
        help="give a credential another name",
        description="Give a credential another name. Its ID stays: every Integration "
        "Configuration that uses it goes on working.",
    )
    command.add_argument("name", metavar="NAME", help=_ONE_CREDENTIAL)
    command.add_argument(
        "new_name", type=credential_name, metavar="NEW-NAME", help="its new name"
    )
    _add_json(command)


def _check(add: Add) -> None:
    command = add(
        "check",
        help="ask Stripe whether credentials can be used",
        description="Ask Stripe about each credential, several at once. Status 0 if all of "
        "them are ok, 1 if one is not; m3cred list shows the results, too.",
    )
    command.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a name, an ID or the end of one, or an account's ID",
    )
    _flag(command, "--all", "every credential except the pending ones")
    shown = command.add_mutually_exclusive_group()
    _flag(shown, "--quiet", "show only those that are not ok, for a timer; see docs/timer.md")
    _add_json(shown)


def _exec(add: Add) -> None:
    command = add(
        "exec",
        help="run a command with a credential's key in its environment",
        usage="m3cred exec [-h] [--platform-key] NAME -- COMMAND [ARGUMENT ...]",
        description="Run a command with a key in its environment, and nowhere else: "
        "STRIPE_API_KEY is the credential's own access token, which acts on its account "
        "whatever the command does. STRIPE_ACCOUNT, and {account} in the arguments, are the "
        "account's ID. The command replaces m3cred, so signals and the exit status are its "
        "own; m3cred's variables (M3CRED_…) are not passed on.",
        epilog="Example: m3cred exec NAME -- stripe customers list. Status 127 if the command "
        "is not found, 126 if it cannot be run, 1 if there is no key for it.",
    )
    command.add_argument(
        "--platform-key",
        action="store_true",
        help="pass the platform's secret key instead, which acts on the platform's own account "
        "in every request that does not name the credential's, as in: m3cred exec "
        "--platform-key NAME -- stripe customers list --stripe-account {account}",
    )
    command.add_argument("name", metavar="NAME", help=_ONE_CREDENTIAL)
    command.add_argument(
        "command_line", nargs=argparse.REMAINDER, metavar="COMMAND", help="after --"
    )


def _delete(add: Add) -> None:
    command = add(
        "delete",
        help="delete a credential, and disconnect it at Stripe if wanted",
        description="Delete a credential from this computer; its tokens cannot be restored. "
        "The Stripe account stays connected to m3ter, unless --disconnect is given.",
    )
    command.add_argument("name", metavar="NAME", help=_ONE_CREDENTIAL)
    _flag(command, "--yes", "do not ask")
    _flag(
        command,
        "--disconnect",
        "first disconnect the account at Stripe, for all its credentials",
    )
    _add_json(command)


def _config(add: Add) -> None:
    command = add(
        "config",
        help="show or change the settings of each destination",
        description="Show what is set for each destination, and where each value comes from: "
        "the environment, the settings file, or m3cred itself. No secret is shown.",
        epilog="Names are client_id, secret_key, secret_key_command, secret_key_file, "
        "redirect_uri, ports, oauth, channel, engine, address, mount, path, namespace and "
        "ca_file, after stripe. or stripe_test. or store.",
    )
    _flag(command, "--json", "for machines")
    add_verb = _verbs(command)
    add_verb("path", help="show where the settings file is")
    change = add_verb(
        "set",
        help="set a value, such as stripe_test.client_id",
        description="Set a value in the settings file. The secret key itself is asked for on "
        "the terminal, or read as a line from standard input, and sealed.",
    )
    change.add_argument("name", metavar="NAME", help="such as stripe_test.client_id")
    change.add_argument("values", metavar="VALUE", nargs="*", help="none for secret_key")
    unset = add_verb("unset", help="remove a value")
    unset.add_argument("name", metavar="NAME", help="such as stripe_test.ports")
    check = add_verb(
        "check",
        help="try the settings, and report what is wrong",
        description="Get each secret key, from its command if there is one, and check every "
        "value. Stripe is not contacted.",
    )
    _flag(check, "--json", "for machines")


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
    _add_json(command)
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
    _flag(move, "--dry-run", "say what would be moved, and change nothing")
    _add_json(move)


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
    _flag(command, "--force", "replace FILE if it exists")


def _doctor(add: Add) -> None:
    command = add(
        "doctor",
        help="check everything that m3cred needs, and say what to fix",
        description="Check the settings, directories, permissions, identity, ports, browser, "
        "clipboard, terminal, whether Stripe can be reached, and what was left unfinished. "
        "Each is ok, or the output says what to do. Nothing is changed, and no key is sent. "
        "Status 1 if something has to be fixed.",
    )
    _flag(command, "--offline", "do not contact Stripe")
    _add_json(command)


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
    _flag(
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
    _flag(
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


def _add_json(command: argparse._ActionsContainer) -> None:
    _flag(command, "--json", "for machines; see docs/json.md")


def _add_descriptor(command: argparse._ActionsContainer, name: str, what: str) -> None:
    text = f"read the {what} from file descriptor N, one line"
    descriptor = number("a file descriptor", 0, 99_999)
    command.add_argument(name, type=descriptor, metavar="N", help=text)


def _flag(command: argparse._ActionsContainer, name: str, text: str) -> None:
    command.add_argument(name, action="store_true", help=text)
