"""``m3cred doctor``: check everything that m3cred needs, and say what to fix."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from m3cred_tui.cli.diagnosis import Finding, State, findings_of
from m3cred_tui.cli.ending import DONE, FAILED
from m3cred_tui.cli.output.json import put_json
from m3cred_tui.cli.output.streams import coloured
from m3cred_tui.cli.selecting import opened

_MARKS = {State.OK: ("ok", 32), State.NOTE: ("note", 33), State.MEND: ("fix", 31)}


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    here = opened(demo=chosen.demo)
    if chosen.passphrase_fd is not None:
        here.unlock(chosen.passphrase_fd)
    findings = [*findings_of(here, demo=chosen.demo, offline=chosen.offline)]
    all_well = all(one.state is not State.MEND for one in findings)
    if chosen.json:
        put_json({"ok": all_well, "findings": [one._asdict() for one in findings]})
    else:
        _write(findings)
    return DONE if all_well else FAILED


def _write(findings: Sequence[Finding]) -> None:
    wide = max(len(one.area) for one in findings)
    for area, state, told in findings:
        mark, colour = _MARKS[state]
        shown = coloured(f"{mark:4}", colour, sys.stdout)
        sys.stdout.write(f"{shown}  {area:{wide}}  {told}\n")
