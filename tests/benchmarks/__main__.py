"""Run the benchmarks and print one table: ``python -m tests.benchmarks``."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.callback import callback
from tests.benchmarks.command_line import command_line
from tests.benchmarks.cursor_key import cursor_key
from tests.benchmarks.first_paint import first_paint
from tests.benchmarks.line import line
from tests.benchmarks.listing import listing
from tests.benchmarks.memory import memory
from tests.benchmarks.programs import Programs
from tests.benchmarks.quiet import quiet
from tests.benchmarks.store import store
from tests.benchmarks.table import heading
from tests.benchmarks.team import team

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.benchmarks.table import Line

_GROUPS = (
    *("first-paint", "cursor-key", "listing", "memory", "quiet"),
    *("line", "callback", "command-line", "store", "team"),
)
_HOW = """\
Medians; m3cred and its yardstick take turns in the same run, and the ratio is the median of
the rounds' ratios. Real processes on a pty of 80x24, bytecode and files in the system's cache.
{rounds} rounds; Python {python}, Textual {textual}, {cores} cores, load {load:.1f}.
"""


def main() -> None:
    """Measure what was asked for, and print each line as soon as it is there."""
    asked = _parser().parse_args()
    sys.stdout.write(_how(asked.rounds))
    sys.stdout.write(f"\n{heading()}\n")
    with tempfile.TemporaryDirectory(prefix="m3cred-benchmarks-") as passing:
        programs = Programs(asked.m3cred, (asked.data or Path(passing)).absolute())
        programs.root.mkdir(parents=True, exist_ok=True)
        groups = _groups(programs, asked.rounds, asked.seconds)
        for name in asked.groups or _GROUPS:
            for row in groups[name]():
                sys.stdout.write(f"{row.markdown()}\n")
                sys.stdout.flush()


def _groups(
    programs: Programs, rounds: int, seconds: float
) -> Mapping[str, Callable[[], Iterator[Line]]]:
    return {
        "first-paint": partial(first_paint, programs, rounds),
        "cursor-key": partial(cursor_key, programs, rounds),
        "quiet": partial(quiet, programs, seconds),
        "line": partial(line, programs, seconds),
        "callback": partial(callback, programs, rounds),
        "memory": partial(memory, programs),
        "command-line": partial(command_line, programs, rounds),
        "listing": partial(listing, programs, rounds),
        "store": partial(store, programs, rounds),
        "team": partial(team, programs, rounds),
    }


def _how(rounds: int) -> str:
    return _HOW.format(
        rounds=rounds,
        python=platform.python_version(),
        textual=version("textual"),
        cores=os.cpu_count(),
        load=os.getloadavg()[0],
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(_GROUPS)}")
    parser.add_argument("--rounds", type=int, default=15, help="times that each is measured")
    parser.add_argument("--seconds", type=float, default=60, help="to idle and to wait")
    parser.add_argument(
        "--data", type=Path, help="where to keep the credentials for the next run"
    )
    parser.add_argument(
        "--m3cred",
        type=Path,
        default=Path(sys.executable).with_name("m3cred"),
        help="the installed command to measure; its Python runs the yardsticks",
    )
    return parser


if __name__ == "__main__":
    main()
