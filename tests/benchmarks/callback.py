"""From Stripe's redirect reaching the callback server to the screen that follows it."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.table import Line, milliseconds
from tests.benchmarks.terminal import NeverShownError
from tests.benchmarks.to_stripe import approved, at_stage_4, redirected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.programs import Programs

_AIM = 0.05
_ACCOUNT = "acct_"
_MOST_ROUNDS = 12  # each goes through the whole wizard


def callback(programs: Programs, rounds: int) -> Iterator[Line]:
    """Approve, then send the redirect and watch the terminal; a new app each round."""
    follows, shows = [], []
    for _ in range(min(rounds, _MOST_ROUNDS)):
        with at_stage_4(programs) as (terminal, url):
            redirect = approved(url)
            # Right after the countdown's update nothing but the redirect changes the screen.
            terminal.burst(patience=1.2)
            sent, connection = redirected(redirect)
            with connection:
                first = terminal.burst(patience=5, gap=0.0)
                if first is None:
                    raise NeverShownError("what follows a callback", b"")
                follows.append(first.first - sent)
                shows.append(terminal.until(_ACCOUNT) - sent)
    yield Line(
        "callback to the first change on the screen (slowest)",
        f"{milliseconds(follows)} ({1000 * max(follows):.0f} ms)",
        aim="50 ms",
        met=median(follows) <= _AIM,
    )
    yield Line(
        "callback to the account that was approved, two calls to the demo Stripe (slowest)",
        f"{milliseconds(shows)} ({1000 * max(shows):.0f} ms)",
    )
