"""The table of the attack, in the summary of every run of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

ATTACKED = "attacked"
"""The property of a test's report that holds what :func:`lines` takes."""
_TITLE = "the receiver of the redirect under attack, while a real login goes on"
_COUNTS = "sent", "hung_up", "late", "accepted"


def lines(tallies: Mapping[str, Mapping[str, Any]], measured: Sequence[str]) -> Iterator[str]:
    """Give the lines of the table: a row for each kind, and what was measured beside it."""
    yield _TITLE
    yield _line("", "sent", "hung up", "too late", "accepted", "answered")
    for kind, tally in tallies.items():
        answers: list[tuple[str, int]] = sorted(tally["answers"].items())
        answered = ", ".join(f"{count:,} x {status}" for status, count in answers)
        yield _line(kind, *_counts([tally]), answered or "-")
    total = sum(sum(tally["answers"].values()) for tally in tallies.values())
    yield _line("in all", *_counts(tallies.values()), f"{total:,}")
    yield from measured


def _counts(tallies: Collection[Mapping[str, Any]]) -> list[str]:
    return [f"{sum(tally[one] for tally in tallies):,}" for one in _COUNTS]


def _line(kind: str, *cells: str) -> str:
    *counts, answered = cells
    return f"{kind:<26}" + "".join(f"{count:>10}" for count in counts) + f"  {answered}"
