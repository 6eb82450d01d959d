"""The open connections: bounded in number, so that silent ones cannot crowd out a real one."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import h11

from m3cred_tui.callback.http import (
    Request,
    RequestError,
    Response,
    end_politely,
    new_protocol,
    read_request,
    send_response,
)
from m3cred_tui.callback.pages import plain

MOST_CONNECTIONS = 100
"""Well below the 256 files that macOS lets a process have open."""
GRACE_SECONDS = 0.5
"""What each connection has for its request, however many others come: a tunnel's peer sends it
a round trip after it has connected."""
_PAUSE_SECONDS = 0.05

Respond = Callable[[Request], Awaitable[Response]]


class Connections:
    """Accepts connections and holds one short conversation on each: a request, a response."""

    def __init__(self, respond: Respond, silence_seconds: float) -> None:
        self._respond = respond
        self._silence_seconds = silence_seconds
        self._open: dict[asyncio.Task[None], float] = {}  # since when; oldest first
        self._answering: set[asyncio.Task[None]] = set()
        self._paused: list[socket.socket] = []
        self._resuming: asyncio.TimerHandle | None = None
        self._finishing = False

    def accept_from(self, listener: socket.socket) -> None:
        """Accept from ``listener`` from now on.

        One connection in each turn of the loop, so that those accepted before are read
        before a flood of new ones could push them out.
        """
        if listener.fileno() != -1:  # not closed during a pause
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def finish(self, within: float) -> None:
        """Let the responses under way go out, then drop everything; accept no more."""
        self._finishing = True
        if self._answering:
            await asyncio.wait(self._answering, timeout=within)
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, listener: socket.socket) -> None:
        if len(self._open) >= MOST_CONNECTIONS and not self._drop_one():
            self._pause(listener)
            return
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:  # no file descriptors left: ours may be the cause
            self._drop_one()
            self._pause(listener)
            return
        connection.setblocking(False)  # noqa: FBT003  the standard library has it so
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._converse(connection))
        self._open[task] = loop.time()
        # Also when the task is cancelled before its first step.
        task.add_done_callback(lambda _task: connection.close())
        task.add_done_callback(self._forget)

    def _drop_one(self) -> bool:
        """Drop the oldest connection that has had its time to ask; tell whether one has."""
        since = asyncio.get_running_loop().time() - GRACE_SECONDS
        silent = (task for task in self._open if task not in self._answering)
        oldest = next(silent, None)
        if oldest is None or self._open[oldest] > since:
            return False
        del self._open[oldest]
        oldest.cancel()
        return True

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._open.pop(task, None)
        self._resume()

    def _pause(self, listener: socket.socket) -> None:
        """Leave who comes in the kernel's queue until there is room."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        self._paused.append(listener)
        if self._resuming is None:
            self._resuming = loop.call_later(_PAUSE_SECONDS, self._resume)

    def _resume(self) -> None:
        if self._resuming is not None:
            self._resuming.cancel()
            self._resuming = None
        while self._paused:
            self.accept_from(self._paused.pop())

    async def _converse(self, connection: socket.socket) -> None:
        protocol = new_protocol()
        # A peer that leaves, or that says or takes nothing for too long, is nobody's concern.
        with suppress(OSError):
            try:
                async with asyncio.timeout(self._silence_seconds):
                    request = await read_request(connection, protocol)
            except RequestError as refused:
                await self._send(connection, protocol, plain(refused.status))
            else:
                if request is None:
                    return
                with self._while_answering():
                    response = await self._respond(request)
                    to_head = request.method == "HEAD"
                    await self._send(connection, protocol, response, to_head=to_head)
            if not self._finishing:
                await end_politely(connection)

    async def _send(
        self,
        connection: socket.socket,
        protocol: h11.Connection,
        response: Response,
        *,
        to_head: bool = False,
    ) -> None:
        async with asyncio.timeout(self._silence_seconds):
            await send_response(connection, protocol, response, to_head=to_head)

    @contextmanager
    def _while_answering(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  for the type checker: a coroutine runs in a task
        self._answering.add(task)
        try:
            yield
        finally:
            self._answering.discard(task)
