"""The table of the sweep, in the summary of every run of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Outcome = Literal["old", "new", "unknown"]
"""The state that a run reported, or any state if it was killed."""

SWEPT = "swept"
SWEPT_TEAM = "swept, a team's store"
FAULTS = "SIGKILL", "ENOSPC", "EIO", "EROFS", "EACCES", "short write"
TEAM_FAULTS = "refused", "cut", "half", "held", "500", "503", "429", "nonsense", "gone", "kill"
_OUTCOMES: tuple[Outcome, ...] = "old", "new", "unknown"
_TITLES = {
    FAULTS: "the store with a fault at each system call: old/new/unknown, never torn, as told",
    TEAM_FAULTS: "a team's store with a fault at each request: old/new/unknown, as told",
}


def cells(
    counts: Mapping[tuple[str, Outcome], int], faults: Sequence[str] = FAULTS
) -> list[list[int]]:
    """Return for each fault how many runs ended in each outcome."""
    return [[counts.get((fault, one), 0) for one in _OUTCOMES] for fault in faults]


def lines(
    rows: Sequence[tuple[str, int, list[list[int]]]], faults: tuple[str, ...] = FAULTS
) -> Iterator[str]:
    """Yield the lines of the table: a row is an operation, its calls and its cells."""
    if not rows:
        return
    yield _TITLES[faults]
    yield _line("", "calls", *faults)
    for operation, calls, counts in sorted(rows):
        yield _line(operation, str(calls), *map(_cell, counts))
    calls = sum(row[1] for row in rows)
    totals = [[sum(row[2][f][o] for row in rows) for o in range(3)] for f in range(len(faults))]
    yield _line("in all", str(calls), *map(_cell, totals))
    yield f"{sum(map(sum, totals)):,} fault points"


def _cell(counts: Sequence[int]) -> str:
    return "/".join(map(str, counts)) if any(counts) else "-"


def _line(name: str, calls: str, *cells_of_it: str) -> str:
    return f"{name:<20}{calls:>6}" + "".join(f"{cell:>14}" for cell in cells_of_it)
