"""``m3cred relay-page``: write the page that leads Stripe's HTTPS redirect to the terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from m3cred_tui.config.settings import Settings

_DONE, _FAILED = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file, and what may stand in its way."""
    parser.description = (
        "Write a static page to be put on a web server of yours, where the redirect URI points "
        "to: it shows the address to paste, and a link that leads on to this terminal. See "
        "docs/live-mode.md."
    )
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="write it here, readable for everybody; without FILE, to standard output",
    )
    parser.add_argument(
        "--ports",
        type=_ports,
        metavar="N,N",
        help="ports that it may lead on to; without it, the usual ones and all that are set",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace FILE if it is there already"
    )


def run(chosen: argparse.Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    from m3cred_tui.callback.relay_page import relay_page
    from m3cred_tui.cli.public_file import write_public
    from m3cred_tui.config.settings import settings_from
    from m3cred_tui.model.problem import Problem
    from m3cred_tui.model.text import clean

    try:
        ports = chosen.ports or _ports_set(settings_from(os.environ))
        page = relay_page(ports)
        if chosen.file is None:
            sys.stdout.write(page)
            return _DONE
        write_public(chosen.file, page.encode(), replace=chosen.force)
    except Problem as problem:
        sys.stderr.write(f"m3cred: {problem}\n")
        return _FAILED
    shown = clean(str(chosen.file), most=4096)
    named = ", ".join(map(str, ports))
    sys.stdout.write(
        f"{shown} leads on to port {named}. Put it where your redirect URI points to.\n"
    )
    return _DONE


def _ports_set(settings: Settings) -> tuple[int, ...]:
    """Return every port that m3cred may listen on, one page being enough for all of them.

    Raises ``Problem`` where the ports that are set cannot be known.
    """
    from m3cred_tui.model.authorization import CALLBACK_PORTS
    from m3cred_tui.model.credential import DESTINATIONS

    ports = list(CALLBACK_PORTS)
    for destination in DESTINATIONS:
        entry = settings.setup(destination).ports
        if entry.problem:
            raise entry.problem
        ports += entry.value or ()
    return tuple(dict.fromkeys(ports))


def _ports(text: str) -> tuple[int, ...]:
    import argparse

    from m3cred_tui.config.entered import ports
    from m3cred_tui.model.credential import STRIPE
    from m3cred_tui.model.problem import Problem

    try:
        return ports(text, STRIPE)  # they are the same for each destination
    except Problem as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
