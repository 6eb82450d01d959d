"""Trying something that may take long, in a thread that is left alone when nobody waits."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def tried(call: Callable[[], T]) -> T:
    """Return what ``call`` returns, or raise what it raises.

    Unlike asyncio's own threads, this one does not hold up the end of the app.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if outcome.done():
            return  # nobody waits any more
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)  # type: ignore[arg-type]  # None only beside an error

    def run() -> None:
        result, error = None, None
        try:
            result = call()
        except BaseException as raised:  # it is told where it is waited for
            error = raised
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="trial", daemon=True).start()
    return await outcome
