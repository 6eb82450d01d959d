"""How fast Stripe is asked for many accounts, as it answers or does not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from m3cred_tui.stripe.problems import (
    ReplyLost,
    StripeProblem,
    StripeRefused,
    StripeUnreachable,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")
_NO_ANSWER = StripeUnreachable, ReplyLost

_TOO_MANY = 429
_PAUSES = 1.0, 2.0, 4.0, 8.0, 15.0
"""Seconds before each further try of what Stripe had too many of."""
_MOST_UNANSWERED = 16
"""Calls in a row; with so many, the next ones would only make the user wait, too."""


class Pace:
    """Paces the calls of one check to one Stripe; only for reading, which may be repeated."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Take what waits for some seconds."""
        self._sleep = sleep
        self._until = 0.0
        self._unanswered: list[StripeUnreachable | ReplyLost] = []

    async def ask(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer; raises ``StripeProblem``.

        What got no answer is asked for once more. While Stripe has too many requests, all
        wait; when it has not answered many in a row, the others are not sent.
        """
        pauses = iter(_PAUSES)
        is_again = False
        while True:
            await self._turn()
            try:
                answer = await ask()
            except _NO_ANSWER as problem:
                self._unanswered.append(problem)
                if is_again:
                    raise
                is_again = True
            except StripeProblem as problem:
                self._unanswered.clear()
                pause = next(pauses, None) if _is_too_many(problem) else None
                if pause is None:
                    raise
                self._until = max(self._until, asyncio.get_running_loop().time() + pause)
            else:
                self._unanswered.clear()
                return answer

    async def _turn(self) -> None:
        if len(self._unanswered) >= _MOST_UNANSWERED:
            last = self._unanswered[-1]
            raise type(last)(last.call, last.host, last.reason)
        wait = self._until - asyncio.get_running_loop().time()
        if wait > 0:
            await self._sleep(wait)


def _is_too_many(problem: StripeProblem) -> bool:
    return isinstance(problem, StripeRefused) and problem.status == _TOO_MANY
