"""Threads whose result is awaited in an event loop."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def in_thread(
    call: Callable[[], T], *, name: str, holds_loop: bool = False
) -> asyncio.Future[T]:
    """Run ``call`` in its own thread, and return a future of its result.

    Neither cancelling the future nor closing the loop ends the call; its result is then
    ignored. Unlike asyncio's own threads, this one does not delay the end of the process,
    unless it ``holds_loop``: then ``asyncio.run`` waits even for a call whose future was
    cancelled.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if outcome.done():
            return  # it was cancelled
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)  # type: ignore[arg-type]  # None only with an error

    def run() -> None:
        result, error = None, None
        try:
            result = call()
        except BaseException as raised:  # it is raised where the result is awaited
            error = raised
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, result, error)

    def hold_loop(_outcome: object) -> None:
        if outcome.cancelled():
            loop.run_in_executor(None, thread.join)

    thread = threading.Thread(target=run, name=name, daemon=not holds_loop)
    if holds_loop:
        outcome.add_done_callback(hold_loop)
    thread.start()
    return outcome
