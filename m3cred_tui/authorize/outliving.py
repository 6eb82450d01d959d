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


async def outliving(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return the result of ``work``, which runs in a thread with an event loop of its own.

    Cancelling the wait, or closing the loop that it is in, does not end the work.
    """
    done: Future[T] = Future()

    def run() -> None:
        done.set_running_or_notify_cancel()
        try:
            done.set_result(asyncio.run(work()))
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, name=_NAME, daemon=True).start()
    return await asyncio.wrap_future(done)


def unfinished() -> list[threading.Thread]:
    """Return the threads to be joined before the process may end."""
    return [thread for thread in threading.enumerate() if thread.name == _NAME]
