"""Commands that open no app, from their start to their end."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from tests.benchmarks.places import environment, filled
from tests.benchmarks.table import Line, median_ratio, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.programs import Programs

_AIM = 4.0
"""Times an empty Python program."""
_LISTED = 10


def command_line(programs: Programs, rounds: int) -> Iterator[Line]:
    """Run each in turn with an empty Python program.

    Measure a regular install by ``--m3cred``: an editable one has every Python of its
    environment import a finder, which makes the yardstick twice as long.
    """
    m3cred, nothing = str(programs.m3cred), [programs.python, "-c", "pass"]
    rounds = 4 * rounds  # they are short, and a busy machine makes much of a difference
    yield _line([m3cred, "--version"], nothing, environment(filled(programs.root, 0)), rounds)
    listing = environment(filled(programs.root, _LISTED))
    yield _line([m3cred, "list"], nothing, listing, rounds, what=f", {_LISTED} rows", aim=_AIM)


def _line(
    ours: Sequence[str],
    nothing: Sequence[str],
    surroundings: dict[str, str],
    rounds: int,
    *,
    what: str = "",
    aim: float | None = None,
) -> Line:
    _run(ours, surroundings)
    took, nothing_took = [], []
    for _ in range(rounds):
        nothing_took.append(_run(nothing, surroundings))
        took.append(_run(ours, surroundings))
    ratio, least = median_ratio(took, nothing_took), min(took) / min(nothing_took)
    return Line(
        f"m3cred {ours[1]}{what}",
        _both(took),
        f"python -c pass {_both(nothing_took)}",
        f"{ratio:.2f} (of the minima {least:.2f})",
        f"at most {aim:g}" if aim else "",
        ratio <= aim if aim else None,
    )


def _both(took: Sequence[float]) -> str:
    return f"{milliseconds(took)} (minimum {milliseconds([min(took)])})"


def _run(command: Sequence[str], surroundings: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=surroundings, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started
