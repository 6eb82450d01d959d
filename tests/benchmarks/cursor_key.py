"""From a cursor key to the last byte of what it changes, and how many bytes that is."""

from __future__ import annotations

import time
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.places import name_of
from tests.benchmarks.table import Line, median_ratio, milliseconds
from tests.benchmarks.terminal import NeverShownError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.programs import Programs
    from tests.benchmarks.terminal import Terminal

COUNTS = 50, 100_000
DOWN, UP = b"\x1b[B", b"\x1b[A"
_IN_SIGHT = 8  # so many times down scrolls nothing, in ten rows and in ours
_BREATH = 0.05
_READING = 3.0  # seconds; shorter than reading them takes


class _Press(NamedTuple):
    elapsed: float
    size: int


def cursor_key(programs: Programs, rounds: int) -> Iterator[Line]:
    """Press down in each app in turn, all of them running and at rest."""
    competitors = [programs.ten_rows(), *(programs.credentials(count) for count in COUNTS)]
    with ExitStack() as running:
        terminals = [running.enter_context(one.start_and_settle()) for one in competitors]
        presses: list[list[_Press]] = [[] for _ in terminals]
        for _ in range(rounds):
            for _ in range(_IN_SIGHT):
                for terminal, pressed in zip(terminals, presses, strict=True):
                    pressed.append(_press(terminal, DOWN))
            for terminal in terminals:
                for _ in range(_IN_SIGHT):
                    _press(terminal, UP)
    table, *ours = presses
    for count, pressed in zip(COUNTS, ours, strict=True):
        yield _line(f"cursor down, {count:,} credentials", pressed, table)
    yield from _while_reading(programs, table)


def _while_reading(programs: Programs, table: Sequence[_Press]) -> Iterator[Line]:
    """Press from the first paint on, while a thread reads what is not on the screen."""
    count = COUNTS[-1]
    program = programs.credentials(count)
    took: list[float] = []
    with program.start() as terminal:
        painted = terminal.until(program.painted)
        terminal.bursts(_BREATH)
        while time.perf_counter() - painted < _READING:
            for key, rows in ((DOWN, range(1, _IN_SIGHT)), (UP, range(_IN_SIGHT - 2, -1, -1))):
                for row in rows:  # other parts of the screen change too: look for the row
                    sent = terminal.send(key)
                    took.append(terminal.until(name_of(count - row)) - sent)
                    terminal.bursts(_BREATH)
    yield Line(
        f"cursor key while {count:,} are read (slowest of {len(took)})",
        f"{milliseconds(took)} ({1000 * max(took):.0f} ms)",
        f"DataTable of ten rows, at rest {milliseconds([press.elapsed for press in table])}",
    )


def _press(terminal: Terminal, key: bytes) -> _Press:
    sent = terminal.send(key)
    burst = terminal.burst(patience=5)
    if burst is None:
        raise NeverShownError("an answer to a cursor key", b"")
    return _Press(burst.last - sent, burst.size)


def _line(what: str, ours: Sequence[_Press], table: Sequence[_Press]) -> Line:
    elapsed = [press.elapsed for press in ours], [press.elapsed for press in table]
    size = median(press.size for press in ours), median(press.size for press in table)
    ratio = median_ratio(*elapsed)
    return Line(
        what,
        f"{milliseconds(elapsed[0])}, {size[0]:.0f} bytes",
        f"DataTable of ten rows {milliseconds(elapsed[1])}, {size[1]:.0f} bytes",
        f"{ratio:.2f}, {size[0] / size[1]:.2f}",
        "1, 1 (3 ms, 314 bytes)",
        ratio <= 1 and size[0] <= size[1],
    )
