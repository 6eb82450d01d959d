"""``m3cred delete``: remove credentials from this computer, and disconnect them at Stripe."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Sequence

from m3cred_tui.cli.ending import DONE, FAILED
from m3cred_tui.cli.log import logging_to
from m3cred_tui.cli.output.json import error_fields, put_json
from m3cred_tui.cli.output.prompts import can_ask, says_yes
from m3cred_tui.cli.output.streams import complain, put
from m3cred_tui.cli.selecting import Opened, all_selected, intact, opened, title_of
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
    rows = all_selected(here.store, chosen.names, as_json=chosen.json)
    return _disconnect(chosen, here, rows) if chosen.disconnect else _delete(chosen, here, rows)


def _delete(chosen: Namespace, here: Opened, rows: Sequence[Row]) -> int:
    lost = [f"{_what_is_lost(row)} {_stays(row)}".rstrip() for row in rows]
    _confirm(chosen, _question("Delete", rows, lost))
    status = DONE
    with logging_to(here.places.log):
        for row in rows:
            try:
                here.store.delete(row.id)
            except Problem as problem:
                if len(rows) == 1:
                    raise
                told = f"{title_of(row)} was not deleted: {problem}"
                done = Disconnected(told=told, problem=problem)
            else:
                told = f"{title_of(row)} was deleted from this computer. {_stays(row)}"
                done = Disconnected(deleted=True, told=told.rstrip())
            status |= _tell(chosen, row, done)
    return status


def _disconnect(chosen: Namespace, here: Opened, rows: Sequence[Row]) -> int:
    credentials = [intact(row) for row in rows]
    for one in credentials:
        if one.account is None:
            raise StillPending(one.id)
    with upkeep_of(chosen, here) as upkeep:
        lost = [
            f"{_what_is_lost(one)} m3ter loses its access to the account."
            f"{_others_lose(upkeep.also_affected(one.id), credentials)}"
            for one in credentials
        ]
        accounts = dict.fromkeys(one.account.id for one in credentials if one.account)
        _confirm(
            chosen,
            _question(f"Disconnect {', '.join(accounts)} at Stripe, and delete", rows, lost),
        )
        status = DONE
        for one in credentials:
            done = asyncio.run(upkeep.disconnect(one.id))
            if len(rows) > 1:
                done = done._replace(told=f"{title_of(one)}: {done.told}")
            status |= _tell(chosen, one, done)
    return status


def _question(doing: str, rows: Sequence[Row], lost: Sequence[str]) -> str:
    """Return the one question, which names them all, and says once what is lost alike."""
    if len(rows) == 1:
        return f"{doing} {_described(rows[0])}?\n{lost[0]}"
    named = "".join(f"  {_described(row)}\n" for row in rows)
    return f"{doing} {len(rows):,} credentials?\n{named}" + "\n".join(dict.fromkeys(lost))


def _stays(row: Row) -> str:
    account = getattr(row, "account", None)
    return f"{account.id} stays connected at Stripe." if account else ""


def _confirm(chosen: Namespace, question: str) -> None:
    """Ask whether to go ahead; raises :class:`DeletionNotConfirmed`."""
    if chosen.yes:
        return
    if not can_ask():
        raise DeletionNotConfirmed("there is no terminal to ask on; --yes confirms it")
    if not asyncio.run(says_yes(f"{question}\nContinue?")):
        raise DeletionNotConfirmed("you did not agree")


def _tell(chosen: Namespace, row: Row, done: Disconnected) -> int:
    """Report what became of one, at once; return the exit status that it makes."""
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
        complain(done.told)
    elif not chosen.json:
        put(done.told, sys.stdout)
    sys.stdout.flush()
    return FAILED if done.problem else DONE


def _described(row: Row) -> str:
    if not isinstance(row, Credential):
        return f"{title_of(row)}, which is damaged"
    account = row.account
    of = (
        f"{account.name or account.id}, {account.mode.upper()}"
        if account
        else "not approved yet"
    )
    return f"{title_of(row)} ({row.id}; {row.destination.label}: {of})"


def _what_is_lost(row: Row) -> str:
    if getattr(row, "account", True) is None:
        if getattr(row, "status", None) is Status.UNKNOWN:
            return "Stripe may have connected an account for it, which then stays connected."
        return "An approval that Stripe gives for it after that counts for nothing."
    return "Its tokens are lost: only a new approval brings them back."


def _others_lose(affected: Sequence[Credential], chosen: Sequence[Credential]) -> str:
    others = [one for one in affected if one not in chosen]
    if not others:
        return ""
    named = ", ".join(f"“{one.name}”" for one in others[:_MOST_NAMED])
    rest = len(others) - _MOST_NAMED
    more = f" and {rest:,} more" if rest > 0 else ""
    return f" So do, of the same account: {named}{more}."
