"""What a long list costs: filter and order, key by key, and reading it in the background."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks import input_app
from tests.benchmarks.places import environment, filled
from tests.benchmarks.programs import Program
from tests.benchmarks.table import Line, median_ratio, milliseconds
from tests.benchmarks.terminal import NeverShownError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.programs import Programs
    from tests.benchmarks.terminal import Terminal

COUNTS = 10_000, 100_000
_FRAME = 0.016
_DELETE = "\x7f"
# Every row, then none, then all again; several words; a few rows; a piece of an ID.
_TYPED = (
    "acme ltd stripe" + 6 * _DELETE + "zz" + 11 * _DELETE + "07 4" + 4 * _DELETE + "019da5d3"
)
_STEP = 5_000  # rows, after which the app tells its progress
_MOST_ROUNDS = 5
_BREATH = 0.05


class _Answer(NamedTuple):
    shown: float
    done: float


def listing(programs: Programs, rounds: int) -> Iterator[Line]:
    """Type a filter, sort by each column, and time the reading of all."""
    rounds = min(rounds, _MOST_ROUNDS)
    yield from _filter(programs, rounds)
    yield from _sort(programs, rounds)
    for count in COUNTS:
        yield _read(programs, count, rounds)


def _filter(programs: Programs, rounds: int) -> Iterator[Line]:
    """Press each key in each app in turn, all of them running and at rest."""
    home = filled(programs.root, 0)
    bare = Program([programs.python, input_app.__file__], environment(home), input_app.PAINTED)
    competitors = [bare, *(programs.credentials(count) for count in COUNTS)]
    answers: list[list[_Answer]] = [[] for _ in competitors]
    with ExitStack() as running:
        terminals = [running.enter_context(one.start_and_settle()) for one in competitors]
        for terminal in terminals[1:]:
            _answer(terminal, "/")
        for _ in range(rounds):
            for key in _TYPED:
                for terminal, answered in zip(terminals, answers, strict=True):
                    answered.append(_answer(terminal, key))
    yardstick, *ours = answers
    for count, answered in zip(COUNTS, ours, strict=True):
        yield _key_line(f"key in the filter, {count:,} credentials", answered, yardstick)


def _key_line(what: str, ours: Sequence[_Answer], bare: Sequence[_Answer]) -> Line:
    shown = [answer.shown for answer in ours]
    bare_shown = [answer.done for answer in bare]
    slowest = _slowest(shown)
    return Line(
        f"{what}, to the rows found (slowest key; to their number, too)",
        f"{milliseconds(shown)} ({1000 * slowest:.0f} ms; "
        f"{milliseconds([answer.done for answer in ours])})",
        f"Textual's Input alone {milliseconds(bare_shown)}",
        f"{median_ratio(shown, bare_shown):.2f}",
        "16 ms",
        slowest <= _FRAME,
    )


def _slowest(shown: Sequence[float]) -> float:
    """Return the slowest key's median: what disturbs one round is not the key's fault."""
    rounds = [shown[start : start + len(_TYPED)] for start in range(0, len(shown), len(_TYPED))]
    return max(median(keys[at] for keys in rounds) for at in range(len(_TYPED)))


def _sort(programs: Programs, rounds: int) -> Iterator[Line]:
    for count in COUNTS:
        with programs.credentials(count).start_and_settle() as terminal:
            sorts = [_answer(terminal, "s").done for _ in range(6 * rounds)]
        yield Line(
            f"sort {count:,} credentials by the next column (slowest)",
            f"{milliseconds(sorts)} ({1000 * max(sorts):.0f} ms)",
        )


def _read(programs: Programs, count: int, rounds: int) -> Line:
    program = programs.credentials(count)
    took, parsed = [], []
    for _ in range(rounds):
        parsed.append(_parse(programs, count))
        with program.start() as terminal:
            painted = terminal.until(program.painted)
            if count > _STEP:
                terminal.until("reading ")  # of the number, only what changes is sent
            took.append(terminal.until(f"{count:,} credentials") - painted)
    return Line(
        f"first paint to all of {count:,} credentials read",
        milliseconds(took),
        f"reading and parsing the same files {milliseconds(parsed)}",
        f"{median_ratio(took, parsed):.2f}",
    )


def _parse(programs: Programs, count: int) -> float:
    credentials = filled(programs.root, count) / "data" / "m3cred" / "credentials"
    started = time.perf_counter()
    for file in credentials.iterdir():
        json.loads(file.read_bytes())
    return time.perf_counter() - started


def _answer(terminal: Terminal, key: str) -> _Answer:
    """Press a key; return how long its first update took, and the last that it has caused."""
    sent = terminal.send(key.encode())
    shown = terminal.burst(patience=5, gap=0.008)
    if shown is None:
        raise NeverShownError(f"an answer to {key!r}", b"")
    later = terminal.bursts(_BREATH)
    return _Answer(shown.last - sent, (later[-1] if later else shown).last - sent)
