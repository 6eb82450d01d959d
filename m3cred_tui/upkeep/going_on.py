"""Work that goes on when whoever waits for it does not.

A refresh or a disconnection that Stripe has been asked for is finished on the disk, too,
whatever the user does meanwhile; the process ends after it.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


async def going_on(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return the result of ``work``, which runs in a thread with an event loop of its own.

    It may block there. Cancelling the wait does not end it; then ``asyncio.run`` waits for it
    before it returns, as the process could not end it in good order later.
    """
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()  # from now on it cannot be cancelled

    def run() -> None:
        try:
            done.set_result(asyncio.run(work()))
        except BaseException as error:
            done.set_exception(error)

    thread = threading.Thread(target=run, name="m3cred-going-on")
    thread.start()
    try:
        return await asyncio.wrap_future(done)
    except asyncio.CancelledError:
        asyncio.get_running_loop().run_in_executor(None, thread.join)
        raise
