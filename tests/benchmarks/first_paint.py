"""From the start of the process to the first row's name on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.table import Line, median_ratio, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.programs import Program, Programs

COUNTS = {0: 1.2, 50: 1.2, 10_000: 1.2, 100_000: 1.5}
"""How many credentials, and the aim: so many times the bare app."""


class Paint(NamedTuple):
    """The seconds until a program had painted, and of processor time that it has used."""

    elapsed: float
    processor: float


def first_paint(programs: Programs, rounds: int) -> Iterator[Line]:
    """Start each in turn, round after round, the bare app in each round too."""
    ours = [programs.credentials(count) for count in COUNTS]
    bare, *painted = paints([programs.bare(), *ours], rounds)
    for (count, aim), one in zip(COUNTS.items(), painted, strict=True):
        yield paint_line(f"first paint, {count:,} credentials", aim, one, bare)


def paints(competitors: Sequence[Program], rounds: int) -> list[list[Paint]]:
    """Return the paints of each; who begins a round takes turns."""
    for program in competitors:  # bytecode is written, files come into the system's cache
        _paint(program)
    found: list[list[Paint]] = [[] for _ in competitors]
    for number in range(rounds):
        for turn in range(len(competitors)):
            which = (number + turn) % len(competitors)
            found[which].append(_paint(competitors[which]))
    return found


def _paint(program: Program) -> Paint:
    with program.start() as terminal:
        elapsed = terminal.until(program.painted) - terminal.started
        return Paint(elapsed, terminal.kill())


def paint_line(
    what: str,
    aim: float,
    ours: Sequence[Paint],
    yardstick: Sequence[Paint],
    called: str = "bare app",
) -> Line:
    """Return the line for one of them."""
    elapsed = [paint.elapsed for paint in ours], [paint.elapsed for paint in yardstick]
    processor = [paint.processor for paint in ours], [paint.processor for paint in yardstick]
    ratio = median_ratio(*elapsed)
    return Line(
        f"{what} (processor time)",
        f"{milliseconds(elapsed[0])} ({milliseconds(processor[0])})",
        f"{called} {milliseconds(elapsed[1])} ({milliseconds(processor[1])})",
        f"{ratio:.2f} ({median_ratio(*processor):.2f})",
        f"{aim}",
        ratio <= aim,
    )
