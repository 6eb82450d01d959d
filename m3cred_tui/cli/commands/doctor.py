"""``m3cred doctor``: go through everything that m3cred needs, and say what to mend."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterator, Sequence

    from m3cred_tui.cli.diagnosis.finding import Finding
    from m3cred_tui.cli.opening import Opened


_COLOURS = {"ok": 32, "note": 33, "mend": 31}


def add_arguments(parser: ArgumentParser) -> None:
    """Add how far it looks."""
    from m3cred_tui.cli.ending import add_json

    parser.description = (
        "Go through the settings, directories, permissions, identity, ports, browser, "
        "clipboard, terminal, Stripe's reachability, and what was not finished: each is ok, or "
        "it is said what to do. Nothing is changed, and no key is sent. Status 1 if something "
        "is to be mended."
    )
    parser.add_argument("--offline", action="store_true", help="do not ask Stripe")
    add_json(parser)


def run(chosen: Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    from m3cred_tui.cli.ending import telling
    from m3cred_tui.system.process import close_to_others

    close_to_others()
    return telling(_examine)(chosen)


def _examine(chosen: Namespace) -> int:
    from m3cred_tui.cli.ending import DONE, FAILED
    from m3cred_tui.cli.opening import opened
    from m3cred_tui.cli.output.json import put_json

    here = opened(demo=chosen.demo)
    if chosen.passphrase_fd is not None:
        here.unlock(chosen)
    findings = [*_findings(chosen, here)]
    all_well = all(one.state != "mend" for one in findings)
    if chosen.json:
        put_json({"ok": all_well, "findings": [one._asdict() for one in findings]})
    else:
        _write(findings)
    return DONE if all_well else FAILED


def _findings(chosen: Namespace, here: Opened) -> Iterator[Finding]:
    from m3cred_tui.cli.diagnosis.finding import mend
    from m3cred_tui.cli.diagnosis.local import (
        browser,
        clipboard,
        configuration,
        credentials,
        directories,
        identity,
        leftovers,
        terminal,
    )
    from m3cred_tui.cli.diagnosis.network import ports, reach
    from m3cred_tui.config.settings import Settings
    from m3cred_tui.model.problem import Problem

    settings = Settings(here.places, demo=chosen.demo, environ=os.environ)
    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "settings": lambda: configuration(settings, here.identity),
        "directories": lambda: directories(here),
        "identity": lambda: identity(here),
        "credentials": lambda: credentials(here),
        "ports": lambda: ports(settings),
        "browser": browser,
        "clipboard": clipboard,
        "terminal": terminal,
        "Stripe": lambda: reach(settings, offline=chosen.offline),
        "left over": lambda: leftovers(here),
    }
    for area, look in looks.items():
        try:
            yield from look()
        except Problem as problem:  # one that cannot be looked at is no reason to stop
            yield mend(area, problem)


def _write(findings: Sequence[Finding]) -> None:
    from m3cred_tui.cli.output.streams import is_coloured

    coloured = is_coloured(sys.stdout)
    wide = max(len(one.area) for one in findings)
    for area, state, told in findings:
        mark = f"{state.value:4}"
        if coloured:
            mark = f"\x1b[{_COLOURS[state]}m{mark}\x1b[0m"
        sys.stdout.write(f"{mark}  {area:{wide}}  {told}\n")
