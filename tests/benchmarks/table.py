"""The table that the benchmarks print."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADINGS = ("What", "m3cred", "yardstick", "ratio", "aim", "")


class Line(NamedTuple):
    """One line of the table; ``met`` is ``None`` where there is no aim."""

    what: str
    value: str
    yardstick: str = ""
    ratio: str = ""
    aim: str = ""
    met: bool | None = None

    def markdown(self) -> str:
        """Return the line as Markdown."""
        verdict = "" if self.met is None else "met" if self.met else "**missed**"
        return _row((self.what, self.value, self.yardstick, self.ratio, self.aim, verdict))


def heading() -> str:
    """Return the first two lines of the table."""
    return _row(_HEADINGS) + "\n" + _row(["---"] * len(_HEADINGS))


def median_ratio(values: Sequence[float], yardsticks: Sequence[float]) -> float:
    """Return the median of the rounds' ratios: what disturbs a round disturbs both sides."""
    return median(
        value / yardstick for value, yardstick in zip(values, yardsticks, strict=True)
    )


def milliseconds(seconds: Sequence[float]) -> str:
    """Return the median, as text."""
    value = 1000 * median(seconds)
    return f"{value:.1f} ms" if value < 20 else f"{value:.0f} ms"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
