"""``m3cred create``: an Integration Credential without the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.cli.creation.options import add_consent, name, wrong_usage
from m3cred_tui.model.credential import DESTINATIONS, ENTITY_TYPES, Draft

if TYPE_CHECKING:
    import argparse


# The parser comes by here, so that the rest waits until it is run.

_DESTINATIONS = {one.code.lower(): one for one in DESTINATIONS}
_ENTITY_TYPES = {one.code: one for one in ENTITY_TYPES}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the wizard asks for, and how it is gone through."""
    parser.description = (
        "Create an Integration Credential: print the URL at which the owner of the Stripe "
        "account approves access, wait for the browser to come back or for the address that it "
        "ends on, as a line of standard input, show the account, and ask."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--name", type=name, metavar="NAME", help="of the new credential")
    what.add_argument(
        "--complete",
        metavar="ID",
        help="finish what --begin began, with the address as a line of standard input",
    )
    parser.add_argument(
        "--entity-type",
        choices=_ENTITY_TYPES,
        default=ENTITY_TYPES[0].code,
        help=f"what it is for sending; {ENTITY_TYPES[0].code}, if nothing is said",
    )
    parser.add_argument(
        "--destination",
        choices=_DESTINATIONS,
        help="where it sends to; if nothing is said, the only one that is set up",
    )
    parser.add_argument(
        "--begin",
        action="store_true",
        help="print the URL and end; --complete, or m3cred resume, is the way on",
    )
    add_consent(parser)


def run(chosen: argparse.Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    if status := wrong_usage(chosen, chosen.complete):
        return status
    if chosen.begin and (other := _against_begin(chosen)):
        from m3cred_tui.cli.ending import misused

        return misused(f"--begin does not go with {other}.")
    # These bring asyncio and the store.
    from m3cred_tui.cli.creation.session import begin, create, in_session, resume

    if chosen.complete:
        return in_session(
            chosen, lambda session: resume(session, chosen.complete, None, only_by_paste=True)
        )
    destination = _DESTINATIONS.get(chosen.destination)
    draft = Draft(chosen.name, _ENTITY_TYPES[chosen.entity_type], destination)
    if chosen.begin:
        return in_session(chosen, lambda session: begin(session, draft))
    return in_session(chosen, lambda session: create(session, draft))


def _against_begin(chosen: argparse.Namespace) -> str:
    """Return what was chosen that makes no sense with ``--begin``, if anything was."""
    agreed = chosen.yes or chosen.expect_account
    against = {
        "--complete": chosen.complete,
        "--demo, whose Stripe ends with the command": chosen.demo,
        "--yes or --expect-account, which --complete takes": agreed,
    }
    return next((what for what, is_chosen in against.items() if is_chosen), "")
