"""Threads whose result is awaited in an event loop."""

from __future__ import annotations

import asyncio
import errno
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

T = TypeVar("T")

_LACKING = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}


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


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` in an event loop of its own, and return its result.

    Unlike with ``asyncio.run``, that is not lost where the system allows no other thread, which
    asyncio begins in order to end those of the loop.
    """
    results: list[T] = []

    def tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not lacks_resources(context.get("exception")):  # which is raised, too
            loop.default_exception_handler(context)

    async def kept() -> None:
        asyncio.get_running_loop().set_exception_handler(tell)
        results.append(await work)

    try:
        asyncio.run(kept())
    except RuntimeError as error:
        if not (results and lacks_resources(error)):
            raise
    return results[0]


def lacks_resources(error: BaseException | None) -> bool:
    """Tell whether the system gave no thread, memory or open file, as a limit is reached."""
    if isinstance(error, OSError):
        return error.errno in _LACKING
    return isinstance(error, MemoryError) or "start new thread" in str(error)
