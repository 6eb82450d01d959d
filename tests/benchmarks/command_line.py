"""``m3cred --version``, which opens no app."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from tests.benchmarks.places import environment, filled
from tests.benchmarks.table import Line, median_ratio, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.programs import Programs


def command_line(programs: Programs, rounds: int) -> Iterator[Line]:
    """Run it and an empty Python program in turn."""
    surroundings = environment(filled(programs.root, 0))
    ours, nothing = [str(programs.m3cred), "--version"], [programs.python, "-c", "pass"]
    took, nothing_took = [], []
    _run(ours, surroundings)
    for _ in range(rounds):
        nothing_took.append(_run(nothing, surroundings))
        took.append(_run(ours, surroundings))
    yield Line(
        "m3cred --version",
        milliseconds(took),
        f"python -c pass {milliseconds(nothing_took)}",
        f"{median_ratio(took, nothing_took):.2f}",
    )


def _run(command: Sequence[str], surroundings: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=surroundings, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started
