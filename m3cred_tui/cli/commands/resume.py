"""``m3cred resume``: resume a pending credential."""

from argparse import Namespace

from m3cred_tui.cli.commands.create import wrong_usage
from m3cred_tui.cli.creation.session import in_session, resume


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    if status := wrong_usage(chosen, chosen.pending):
        return status
    return in_session(chosen, lambda session: resume(session, chosen.pending, chosen.name))
