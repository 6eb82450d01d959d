"""Work that the end of the app does not cut off.

A code that is being exchanged may have connected the account already: whoever leaves then, or
loses the connection, must not lose what Stripe is about to answer.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_NAME = "m3cred-outliving"


def outliving(work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
    """Begin ``work`` in a thread with an event loop of its own; return the wait for its result.

    It has begun on return. Cancelling the wait, or closing the loop that it is in, does not end
    the work.
    """
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(asyncio.run(work()))
        except BaseException as error:
            done.set_exception(error)

    async def result() -> T:
        return await asyncio.wrap_future(done)

    threading.Thread(target=run, name=_NAME, daemon=True).start()
    return asyncio.create_task(result())


def unfinished() -> list[threading.Thread]:
    """Return the threads to be joined before the process may end."""
    return [thread for thread in threading.enumerate() if thread.name == _NAME]
