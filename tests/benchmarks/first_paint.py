"""From the start of the process to the first row's name on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.table import Line, median_ratio, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.programs import Program, Programs

COUNTS = {0: 1.2, 50: 1.2, 10_000: 1.2, 100_000: 1.5}
"""How many credentials, and the aim: so many times the bare app."""


class _Paint(NamedTuple):
    elapsed: float
    processor: float


def first_paint(programs: Programs, rounds: int) -> Iterator[Line]:
    """Start each in turn, round after round, the bare app in each round too."""
    competitors = [programs.bare(), *(programs.credentials(count) for count in COUNTS)]
    for program in competitors:  # bytecode is written, files come into the system's cache
        _paint(program)
    paints: list[list[_Paint]] = [[] for _ in competitors]
    for number in range(rounds):
        for turn in range(len(competitors)):
            which = (number + turn) % len(competitors)
            paints[which].append(_paint(competitors[which]))
    bare, *ours = paints
    for (count, aim), painted in zip(COUNTS.items(), ours, strict=True):
        yield _line(count, aim, painted, bare)


def _paint(program: Program) -> _Paint:
    with program.start() as terminal:
        elapsed = terminal.until(program.painted) - terminal.started
        return _Paint(elapsed, terminal.kill())


def _line(count: int, aim: float, ours: Sequence[_Paint], bare: Sequence[_Paint]) -> Line:
    elapsed = [paint.elapsed for paint in ours], [paint.elapsed for paint in bare]
    processor = [paint.processor for paint in ours], [paint.processor for paint in bare]
    ratio = median_ratio(*elapsed)
    return Line(
        f"first paint, {count:,} credentials (processor time)",
        f"{milliseconds(elapsed[0])} ({milliseconds(processor[0])})",
        f"bare app {milliseconds(elapsed[1])} ({milliseconds(processor[1])})",
        f"{ratio:.2f} ({median_ratio(*processor):.2f})",
        f"{aim}",
        ratio <= aim,
    )
