"""``m3cred create``: an Integration Credential without the app."""

from argparse import Namespace

from m3cred_tui.cli.creation.session import begin, create, in_session, resume
from m3cred_tui.cli.ending import misused
from m3cred_tui.model.credential import DESTINATIONS, ENTITY_TYPES, Draft

_DESTINATIONS = {one.code.lower(): one for one in DESTINATIONS}
_ENTITY_TYPES = {one.code: one for one in ENTITY_TYPES}
_OF_AN_ADDRESS = ("://", "code=", "state=")


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    if status := wrong_usage(chosen, chosen.complete):
        return status
    if chosen.begin and (other := against_begin(chosen)):
        return misused(f"--begin does not go with {other}.")
    if chosen.complete:
        return in_session(chosen, lambda session: resume(session, chosen.complete, None))
    destination = _DESTINATIONS.get(chosen.destination)
    draft = Draft(chosen.name, _ENTITY_TYPES[chosen.entity_type], destination)
    if chosen.begin:
        return in_session(chosen, lambda session: begin(session, draft))
    return in_session(chosen, lambda session: create(session, draft))


def wrong_usage(chosen: Namespace, *words: str | None) -> int | None:
    """Report surplus words and addresses, and return the exit status for that."""
    given = [word for word in (*words, *chosen.surplus) if word]
    if any(part in word for word in given for part in _OF_AN_ADDRESS):
        return misused(
            "an address is not taken from the command line, which other users and the shell's "
            f"history can see: m3cred {chosen.command} asks for it, or reads it from standard "
            "input."
        )
    if chosen.surplus:
        return misused(f"there is one word too many: m3cred {chosen.command} --help")
    return None


def against_begin(chosen: Namespace) -> str:
    """Return the option that makes no sense with ``--begin``, if there is one."""
    agreed = chosen.yes or chosen.expect_account
    against = {
        "--complete": chosen.complete,
        "--demo, whose Stripe ends with the command (see m3cred demo-stripe)": chosen.demo,
        "--yes or --expect-account, which --complete takes": agreed,
    }
    return next((what for what, is_chosen in against.items() if is_chosen), "")
