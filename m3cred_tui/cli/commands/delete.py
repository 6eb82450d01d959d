"""``m3cred delete``: remove a credential from this computer, and disconnect it at Stripe."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Sequence

from m3cred_tui.cli.ending import DONE, FAILED
from m3cred_tui.cli.log import logging_to
from m3cred_tui.cli.output.json import error_fields, put_json
from m3cred_tui.cli.output.prompts import can_ask, says_yes
from m3cred_tui.cli.selecting import Opened, intact, opened, selected, title_of
from m3cred_tui.cli.wiring import upkeep_of
from m3cred_tui.listing.columns import Row
from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.model.problem import Problem
from m3cred_tui.upkeep.disconnecting import Disconnected
from m3cred_tui.upkeep.problems import StillPending

_MOST_NAMED = 5


class DeletionNotConfirmed(Problem, code="DeletionNotConfirmed"):
    """Nobody confirmed the deletion; nothing was deleted."""

    text = "Nothing was deleted, because {reason}."
    reason: str


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    here = opened(demo=chosen.demo)
    row = selected(here.store, chosen.name)
    if chosen.disconnect:
        return _disconnect(chosen, here, row)
    account = getattr(row, "account", None)
    stays = f"{account.id} stays connected at Stripe." if account else ""
    _confirm(chosen, f"Delete {_described(row)}?\n{_what_is_lost(row)} {stays}".rstrip())
    with logging_to(here.places.log):
        here.store.delete(row.id)
    told = f"{title_of(row)} was deleted from this computer. {stays}".rstrip()
    _tell(chosen, row, Disconnected(disconnected_at_stripe=False, deleted=True, told=told))
    return DONE


def _disconnect(chosen: Namespace, here: Opened, row: Row) -> int:
    row = intact(row)
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
    """Ask whether to go ahead; raises :class:`DeletionNotConfirmed`."""
    if chosen.yes:
        return
    if not can_ask():
        raise DeletionNotConfirmed("there is no terminal to ask on; --yes confirms it")
    if not asyncio.run(says_yes(f"{question}\nContinue?")):
        raise DeletionNotConfirmed("you did not agree")


def _tell(chosen: Namespace, row: Row, done: Disconnected) -> None:
    if chosen.json:
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
    if not isinstance(row, Credential):
        return f"{title_of(row)}, which is damaged"
    account = row.account
    of = f"{account.name or account.id}, {account.mode}" if account else "not approved yet"
    return f"{title_of(row)} ({row.id}; {row.destination.label}: {of})"


def _what_is_lost(row: Row) -> str:
    if getattr(row, "account", True) is None:
        if getattr(row, "status", None) is Status.UNKNOWN:
            return "Stripe may have connected an account for it, which then stays connected."
        return "An approval that Stripe gives for it after that counts for nothing."
    return "Its tokens are lost: only a new approval brings them back."


def _others_lose(others: Sequence[Credential]) -> str:
    if not others:
        return ""
    named = ", ".join(f"“{one.name}”" for one in others[:_MOST_NAMED])
    rest = len(others) - _MOST_NAMED
    more = f" and {rest:,} more" if rest > 0 else ""
    return f" So do, of the same account: {named}{more}."
