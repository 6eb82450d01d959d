"""The arguments that ``m3cred create`` and ``m3cred resume`` share."""

from __future__ import annotations

import argparse
import re

from m3cred_tui.cli.ending import misused
from m3cred_tui.model.name import name_problem, tidy_name

_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{1,64}")
_OF_AN_ADDRESS = ("://", "code=", "state=")


def add_consent(parser: argparse.ArgumentParser) -> None:
    """Add what is agreed to beforehand, and how to talk."""
    parser.add_argument(
        "--yes", action="store_true", help="create it for whichever account was approved"
    )
    parser.add_argument(
        "--expect-account",
        type=_account_id,
        metavar="acct_…",
        help="create it for this account without asking, and for no other one",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="open no browser; the URL is printed anyway"
    )
    parser.add_argument("--json", action="store_true", help="for machines: objects, one a line")
    # So that what does not belong there is not repeated by argparse.
    parser.add_argument("surplus", nargs="*", help=argparse.SUPPRESS)


def name(text: str) -> str:
    """Return a name that a credential can have."""
    if problem := name_problem(text, ()):
        raise argparse.ArgumentTypeError(problem)
    return tidy_name(text)


def wrong_usage(chosen: argparse.Namespace, *words: str | None) -> int | None:
    """Tell what should not have been given, and return the exit status for that."""
    given = [word for word in (*words, *chosen.surplus) if word]
    if any(part in word for word in given for part in _OF_AN_ADDRESS):
        return misused(
            "an address is not taken from the command line, which other users and the shell's "
            f"history can see: m3cred {chosen.command} asks for it, or reads it from standard "
            "input."
        )
    if chosen.surplus:
        return misused(f"there is a word too many: m3cred {chosen.command} --help")
    return None


def _account_id(text: str) -> str:
    if not _ACCOUNT.fullmatch(text):
        raise argparse.ArgumentTypeError("an account ID is acct_ and letters and digits")
    return text
