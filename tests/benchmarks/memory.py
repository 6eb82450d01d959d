"""Resident memory of an app that has read everything and is at rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.table import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.programs import Program, Programs

COUNTS = 0, 50, 10_000, 100_000
_MOST = 80
"""MiB, however many credentials there are."""


class _Memory(NamedTuple):
    resident: float
    proportional: float

    def __str__(self) -> str:
        return f"{self.resident:.1f} MiB (PSS {self.proportional:.1f})"


def memory(programs: Programs) -> Iterator[Line]:
    """Look once at each: memory, unlike time, is the same in every run."""
    bare = _at_rest(programs.bare())
    for count in COUNTS:
        ours = _at_rest(programs.credentials(count))
        yield Line(
            f"resident memory, {count:,} credentials",
            str(ours),
            f"bare app {bare}",
            f"{ours.resident / bare.resident:.2f}",
            f"{_MOST} MiB",
            ours.resident <= _MOST,
        )


def _at_rest(program: Program) -> _Memory:
    with program.start_and_settle() as terminal:
        text = Path(f"/proc/{terminal.pid}/smaps_rollup").read_text("ascii")
    kibibytes = {line.split()[0]: line.split()[1] for line in text.splitlines()[1:]}
    return _Memory(int(kibibytes["Rss:"]) / 1024, int(kibibytes["Pss:"]) / 1024)
