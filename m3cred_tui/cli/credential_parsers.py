"""The parsers of the commands that are about credentials."""

import argparse

from m3cred_tui.cli.usage import (
    Add,
    account_id,
    add_json,
    columns,
    columns_and_statuses,
    credential,
    credential_name,
    flag,
    pending,
    statuses,
)
from m3cred_tui.model.credential import DESTINATIONS, ENTITY_TYPES

_DESTINATIONS = [one.code.lower() for one in DESTINATIONS]
_ONE_CREDENTIAL = "its name, its ID or the end of it, or its account's ID"
_CREDENTIALS = "a name, an ID or the end of one, or an account's ID"
_BEGIN = "print the URL and exit; continue with --complete or m3cred resume"
_COMPLETE = "finish what --begin began, with the address as a line of standard input"


def _list(add: Add) -> None:
    command = add(
        "list",
        help="list the credentials",
        description="List the credentials: the pending ones, then the newest first. On a "
        "terminal, columns that do not fit are left out; in a pipe none is.",
        epilog=columns_and_statuses,
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
    flag(shown, "--quiet", "show nothing but Credential IDs")
    add_json(shown)
    flag(command, "--no-header", "leave out the heading")


def _show(add: Add) -> None:
    command = add(
        "show",
        help="show credentials, each with its integration fields",
        description="Show a credential without its secrets, whether its sealed part opens and "
        "agrees, and its integration fields, what an Integration Configuration in m3ter needs. "
        "Status 1 if one of several cannot be shown.",
    )
    command.add_argument("names", nargs="+", type=credential, metavar="NAME", help=_CREDENTIALS)
    flag(
        command,
        "--integration",
        "only the integration fields, as JSON in the names of m3ter's API",
    )
    flag(command, "--reveal", "show the tokens, too, if standard output is a terminal")
    flag(command, "--reveal-to-pipe", "show the tokens, too, wherever standard output goes")
    add_json(command)


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
    flag(command, "--begin", _BEGIN)
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
        type=pending,
        metavar="NAME",
        help="or its ID, or the end of that; by default the only pending one",
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
    flag(command, "--yes", "agree to the account that was approved, but not to replace another")
    command.add_argument(
        "--expect-account",
        type=account_id,
        metavar="acct_…",
        help="agree without being asked, but only to this account",
    )
    flag(command, "--no-browser", "open no browser; the URL is printed anyway")
    flag(command, "--json", "for machines: objects, one a line")
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
    command.add_argument(
        "name", nargs="?", type=credential, metavar="NAME", help=_ONE_CREDENTIAL
    )
    command.add_argument("--complete", metavar="ID", help=_COMPLETE)
    flag(command, "--begin", _BEGIN)
    _add_consent(command)


def _rename(add: Add) -> None:
    command = add(
        "rename",
        help="give a credential another name",
        description="Give a credential another name. Its ID stays: every Integration "
        "Configuration that uses it goes on working.",
    )
    command.add_argument("name", type=credential, metavar="NAME", help=_ONE_CREDENTIAL)
    command.add_argument(
        "new_name", type=credential_name, metavar="NEW-NAME", help="its new name"
    )
    add_json(command)


def _check(add: Add) -> None:
    command = add(
        "check",
        help="ask Stripe whether credentials can be used",
        description="Ask Stripe about each credential, several at once. Status 0 if all of "
        "them are ok, 1 if one is not; m3cred list shows the results, too.",
    )
    command.add_argument("names", nargs="*", type=credential, metavar="NAME", help=_CREDENTIALS)
    flag(command, "--all", "every credential except the pending ones")
    shown = command.add_mutually_exclusive_group()
    flag(shown, "--quiet", "show only those that are not ok, for a timer; see docs/timer.md")
    add_json(shown)


def _exec(add: Add) -> None:
    command = add(
        "exec",
        help="run a command with a credential's key in its environment",
        usage="m3cred exec [-h] [--platform-key] NAME -- COMMAND [ARGUMENT ...]",
        description="Run a command with a key in its environment, and nowhere else: "
        "STRIPE_API_KEY is the credential's own access token, which acts on its account "
        "whatever the command does. STRIPE_ACCOUNT, and {account} in the arguments, are the "
        "account's ID. The command replaces m3cred, so signals and the exit status are its "
        "own; m3cred's variables (M3CRED_…) are not passed on, nor, with a team's store, "
        "BAO_TOKEN, VAULT_TOKEN and their CLIENT_KEY_BYTES.",
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
    command.add_argument("name", type=credential, metavar="NAME", help=_ONE_CREDENTIAL)
    command.add_argument(
        "command_line", nargs=argparse.REMAINDER, metavar="COMMAND", help="after --"
    )


def _delete(add: Add) -> None:
    command = add(
        "delete",
        help="delete credentials, and disconnect them at Stripe if wanted",
        description="Delete credentials from this computer; their tokens cannot be restored. "
        "The Stripe accounts stay connected to m3ter, unless --disconnect is given. One "
        "question names all of them; nothing is deleted if a NAME is unknown. Status 1 if one "
        "could not be deleted.",
    )
    command.add_argument("names", nargs="+", type=credential, metavar="NAME", help=_CREDENTIALS)
    flag(command, "--yes", "do not ask")
    flag(
        command,
        "--disconnect",
        "first disconnect the account at Stripe, for all its credentials",
    )
    add_json(command)


OF_CREDENTIALS = {
    "list": _list,
    "show": _show,
    "create": _create,
    "resume": _resume,
    "reauthorize": _reauthorize,
    "rename": _rename,
    "check": _check,
    "exec": _exec,
    "delete": _delete,
}
"""What adds each of them: it takes what adds a command."""
