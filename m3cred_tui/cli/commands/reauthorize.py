"""``m3cred reauthorize``: authorize a credential again, under the same ID."""

from argparse import Namespace

from m3cred_tui.cli.commands.create import against_begin, wrong_usage
from m3cred_tui.cli.creation.session import (
    begin_renewal,
    in_session,
    reauthorize,
    resume,
)
from m3cred_tui.cli.ending import misused


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    if status := wrong_usage(chosen, chosen.name, chosen.complete):
        return status
    if bool(chosen.name) == bool(chosen.complete):
        return misused("name the credential, or say --complete ID.")
    if chosen.begin and (other := against_begin(chosen)):
        return misused(f"--begin does not go with {other}.")
    if chosen.complete:
        return in_session(chosen, lambda session: resume(session, chosen.complete, None))
    if chosen.begin:
        return in_session(chosen, lambda session: begin_renewal(session, chosen.name))
    return in_session(chosen, lambda session: reauthorize(session, chosen.name))
