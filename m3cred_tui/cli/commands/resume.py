"""``m3cred resume``: go on with a credential that is pending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.cli.creation.options import add_consent, name, wrong_usage

if TYPE_CHECKING:
    import argparse


# The parser comes by here, so that the rest waits until it is run.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which one, and how it is gone through."""
    parser.description = (
        "Go on with a credential that waits for Stripe, at the same URL and port, or that "
        "Stripe has approved and nobody has created yet."
    )
    parser.add_argument(
        "pending",
        nargs="?",
        metavar="ID",
        help="its ID, the beginning of it, or its name; without it, the only one there is",
    )
    parser.add_argument("--name", type=name, metavar="NAME", help="create it under this name")
    add_consent(parser)


def run(chosen: argparse.Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    if status := wrong_usage(chosen, chosen.pending):
        return status
    # These bring asyncio and the store.
    from m3cred_tui.cli.creation.session import in_session, resume

    return in_session(chosen, lambda session: resume(session, chosen.pending, chosen.name))
