"""Threads whose result is awaited in an event loop."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def in_thread(
    call: Callable[[], T], *, name: str, holds_loop: bool = False
) -> asyncio.Future[T]:
    """Begin ``call`` in a thread of its own, and return the wait for its result.

    Cancelling the wait does not end the call, nor does closing the loop; its result is then
    ignored. Unlike asyncio's own threads, this one does not hold up the end of the process,
    unless it ``holds_loop``: then ``asyncio.run`` waits for a call that nobody waits for any
    more.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if outcome.done():
            return  # nobody waits any more
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

    thread = threading.Thread(target=run, name=name, daemon=not holds_loop)
    if holds_loop:
        outcome.add_done_callback(partial(_hold_loop, thread))
    thread.start()
    return outcome


def _hold_loop(thread: threading.Thread, outcome: asyncio.Future[Any]) -> None:
    if outcome.cancelled():
        outcome.get_loop().run_in_executor(None, thread.join)


def running(name: str) -> list[threading.Thread]:
    """Return the threads of this name that have not ended."""
    return [thread for thread in threading.enumerate() if thread.name == name]
