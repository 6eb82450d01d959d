"""``m3cred delete``: remove a credential from this computer, and disconnect it at Stripe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from m3cred_tui.cli.opening import Opened
    from m3cred_tui.cli.selecting import Row
    from m3cred_tui.model.credential import Credential
    from m3cred_tui.upkeep.disconnecting import Disconnected


_MOST_NAMED = 5


class DeletionNotConfirmed(Problem, code="DeletionNotConfirmed"):
    """Nobody confirmed the deletion; nothing was deleted."""

    text = "Nothing was deleted, as {reason}."
    reason: str


def add_arguments(parser: ArgumentParser) -> None:
    """Add which credential, and how far it goes."""
    from m3cred_tui.cli.ending import add_json

    parser.description = (
        "Delete a credential from this computer; its tokens cannot be had back. The Stripe "
        "account stays connected to m3ter, unless --disconnect ends that, too."
    )
    parser.add_argument("name", metavar="NAME", help="its name, ID, or the beginning of its ID")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--disconnect",
        action="store_true",
        help="disconnect the account at Stripe first, for all of its credentials",
    )
    add_json(parser)


def run(chosen: Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    from m3cred_tui.cli.ending import telling
    from m3cred_tui.system.process import close_to_others

    close_to_others()
    return telling(_delete)(chosen)


def _delete(chosen: Namespace) -> int:
    from m3cred_tui.cli.ending import DONE
    from m3cred_tui.cli.opening import opened
    from m3cred_tui.cli.selecting import selected, title_of
    from m3cred_tui.upkeep.disconnecting import Disconnected

    here = opened(demo=chosen.demo)
    row = selected(here.store, chosen.name)
    if chosen.disconnect:
        return _disconnect(chosen, here, row)
    stays = _what_stays(row)
    _confirm(chosen, f"Delete {_described(row)}?\n{_what_is_lost(row)} {stays}")
    here.store.delete(row.id)
    told = f"{title_of(row)} was deleted from this computer. {stays}".rstrip()
    _tell(chosen, row, Disconnected(disconnected_at_stripe=False, deleted=True, told=told))
    return DONE


def _disconnect(chosen: Namespace, here: Opened, row: Row) -> int:
    import asyncio

    from m3cred_tui.cli.ending import DONE, FAILED
    from m3cred_tui.cli.opening import upkeep_of
    from m3cred_tui.model.credential import Credential
    from m3cred_tui.store.problems import CredentialDamaged
    from m3cred_tui.upkeep.problems import StillPending

    if not isinstance(row, Credential):
        raise CredentialDamaged(row.id, row.reason)
    if row.account is None:
        raise StillPending(row.id)
    with upkeep_of(chosen, here) as upkeep:
        others = _others_lose(upkeep.also_affected(row.id))
        _confirm(
            chosen,
            f"Disconnect {row.account.id} at Stripe, and delete {_described(row)}?\n"
            f"{_what_is_lost(row)} m3ter loses its access to the account.{others}",
        )
        done = asyncio.run(upkeep.disconnect(row.id))
    _tell(chosen, row, done)
    return FAILED if done.problem else DONE


def _confirm(chosen: Namespace, question: str) -> None:
    """Return if it is meant; raises :class:`DeletionNotConfirmed`."""
    if chosen.yes:
        return
    if not sys.stdin or not sys.stdin.isatty():
        raise DeletionNotConfirmed(
            "there is no terminal to ask on; --yes says that it is meant"
        )
    sys.stderr.write(f"{question}\nType yes to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise DeletionNotConfirmed("yes was not what was typed")


def _tell(chosen: Namespace, row: Row, done: Disconnected) -> None:
    from m3cred_tui.cli.output.json import put_json

    if chosen.json:
        from m3cred_tui.cli.output.json import error_fields

        put_json(
            {
                "id": row.id,
                "deleted": done.deleted,
                "disconnectedAtStripe": done.disconnected_at_stripe,
                "told": done.told,
                "error": error_fields(done.problem) if done.problem else None,
            }
        )
    if done.problem:
        sys.stderr.write(f"m3cred: {done.told}\n")
    elif not chosen.json:
        sys.stdout.write(f"{done.told}\n")


def _described(row: Row) -> str:
    from m3cred_tui.cli.selecting import title_of
    from m3cred_tui.model.credential import Credential

    if not isinstance(row, Credential):
        return f"{title_of(row)}, which is damaged"
    account = row.account
    of = (
        "not approved yet"
        if account is None
        else f"{account.name or account.id}, {account.mode}"
    )
    return f"{title_of(row)} ({row.id}; {row.destination.label}: {of})"


def _what_is_lost(row: Row) -> str:
    if getattr(row, "account", True) is None:
        return "An approval that Stripe gives for it after that counts for nothing."
    return "Its tokens are lost: nothing brings them back but a new approval."


def _what_stays(row: Row) -> str:
    account = getattr(row, "account", None)
    return f"{account.id} stays connected at Stripe." if account else ""


def _others_lose(others: Sequence[Credential]) -> str:
    if not others:
        return ""
    named = [f"“{one.name}”" for one in others[:_MOST_NAMED]]
    more = f" and {len(others) - len(named):,} more" if len(others) > len(named) else ""
    return f" So do, of the same account: {', '.join(named)}{more}."
