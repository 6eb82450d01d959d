"""What goes over the line while the user does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.table import Line
from tests.benchmarks.to_stripe import at_stage_4

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.programs import Programs

_CREDENTIALS = 50
_SMALL = 200
"""Bytes; a line of text with its colours and its place."""


def quiet(programs: Programs, seconds: float) -> Iterator[Line]:
    """Count the bytes of an app at rest, and of one that waits at stage 4."""
    with programs.credentials(_CREDENTIALS).start_and_settle() as terminal:
        idle = terminal.bursts(seconds)
    sizes = [burst.size for burst in idle]
    yield Line(
        f"idle for {seconds:.0f} s, {_CREDENTIALS} credentials",
        f"{sum(sizes)} bytes in {len(sizes)} updates",
        aim="0",
        met=not sizes,
    )
    with at_stage_4(programs) as (terminal, _url):
        waiting = terminal.bursts(seconds)
    sizes = [burst.size for burst in waiting]
    yield Line(
        f"waiting for Stripe for {seconds:.0f} s (largest update)",
        f"{sum(sizes):,} bytes in {len(sizes)} updates ({max(sizes, default=0)})",
        aim=f"one update a second, each below {_SMALL} bytes",
        met=len(sizes) <= seconds + 1 and max(sizes, default=0) <= _SMALL,
    )
