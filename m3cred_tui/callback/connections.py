"""HTTP on loopback, limited so that silent connections cannot crowd out a real one."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

import h11

from m3cred_tui.callback.pages import Response

MOST_CONNECTIONS = 100
"""Well below the 256 files that macOS lets a process have open."""
GRACE_SECONDS = 0.5
"""Granted to each connection for its request, however many others come: the peer of a tunnel
sends it a round trip after connecting."""
LARGEST_HEAD = 32 * 1024
"""Bytes; a browser sends the cookies of every other program that ever ran on this loopback."""
MOST_HEADERS = 100

_PAUSE_SECONDS = 0.05
_LINGER_SECONDS = 1.0
_CHUNK = 4096
_TURNS = 5
"""Of the event loop, which take a request from the kernel to its response."""
_MOST_DISCARDED = 1024 * 1024
_DISCARDED_CHUNK = 16 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request; a body is never read."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[bytes, bytes]]
    """Names in lower case."""

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of every header of this (lower-case) name."""
        return [value for header, value in self.headers if header == name]


Respond = Callable[[Request], Awaitable[Response]]
Refuse = Callable[[HTTPStatus], Response]
"""Returns the response to what is no request, or too large a one."""


class Connections:
    """Accepts connections, and exchanges one request and one response on each."""

    def __init__(self, respond: Respond, refuse: Refuse, silence_seconds: float) -> None:
        self._respond = respond
        self._refuse = refuse
        self._silence_seconds = silence_seconds
        self._open: dict[asyncio.Task[None], float] = {}  # since when; oldest first
        self._answering: set[asyncio.Task[None]] = set()
        self._paused: list[socket.socket] = []
        self._resuming: asyncio.TimerHandle | None = None
        self._finishing = False

    def accept_from(self, listener: socket.socket) -> None:
        """Accept from ``listener`` from now on.

        Each turn of the loop accepts one connection, so that earlier ones are read before a
        flood of new ones can push them out.
        """
        closed_in_a_pause = listener.fileno() == -1
        if not (self._finishing or closed_in_a_pause):
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def finish(self, listeners: Sequence[socket.socket], within: float) -> None:
        """Answer what has come already, then drop all connections; accept no more.

        A process that was stopped finds that its time is over before it has looked at the
        redirect that came meanwhile. Each accepted connection gets a turn of the loop, in which
        those that gave way to it are closed: a process may have few files open.
        """
        self._finishing = True
        for listener in listeners:
            asyncio.get_running_loop().remove_reader(listener)
            for _ in range(MOST_CONNECTIONS):
                self._accept(listener)
                await asyncio.sleep(0)
            listener.close()
        for _ in range(_TURNS):
            await asyncio.sleep(0)
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
        except OSError:  # out of file descriptors, perhaps because of ours
            self._drop_one()
            self._pause(listener)
            return
        connection.setblocking(False)  # noqa: FBT003  as in the standard library
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._converse(connection))
        self._open[task] = loop.time()
        # Even if the task is cancelled before its first step.
        task.add_done_callback(lambda _task: connection.close())
        task.add_done_callback(self._forget)

    def _drop_one(self) -> bool:
        """Drop the oldest silent connection past its grace; return whether there was one."""
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
        """Leave new connections in the kernel's queue until there is room."""
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
        protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
        # Ignore a peer that disconnects, or that is silent or does not read for too long.
        with suppress(OSError):
            request = await self._request(connection, protocol)
            if request is None:
                return
            if isinstance(request, HTTPStatus):
                await self._send(connection, protocol, self._refuse(request))
            else:
                await self._answer(connection, protocol, request)
            if not self._finishing:
                await _end_politely(connection)

    async def _request(
        self, connection: socket.socket, protocol: h11.Connection
    ) -> Request | HTTPStatus | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._silence_seconds):
                return await _read_request(connection, protocol)
        # This process may have been stopped meanwhile: read what has come by now.
        async with asyncio.timeout(0):
            return await _read_request(connection, protocol)

    async def _answer(
        self, connection: socket.socket, protocol: h11.Connection, request: Request
    ) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  for mypy: a coroutine runs in a task
        self._answering.add(task)
        try:
            response = await self._respond(request)
            to_head = request.method == "HEAD"
            await self._send(connection, protocol, response, to_head=to_head)
        finally:
            self._answering.discard(task)

    async def _send(
        self,
        connection: socket.socket,
        protocol: h11.Connection,
        response: Response,
        *,
        to_head: bool = False,
    ) -> None:
        length = ("Content-Length", str(len(response.body)))
        headers = [*response.headers, length, ("Connection", "close")]
        status = response.status
        events: list[h11.Event] = [
            h11.Response(status_code=status, reason=status.phrase, headers=headers)
        ]
        if not to_head:
            events.append(h11.Data(response.body))
        events.append(h11.EndOfMessage())
        data = b"".join(protocol.send(event) or b"" for event in events)
        async with asyncio.timeout(self._silence_seconds):
            await asyncio.get_running_loop().sock_sendall(connection, data)


async def _read_request(
    connection: socket.socket, protocol: h11.Connection
) -> Request | HTTPStatus | None:
    """Return the request, the status that refuses it, or ``None`` if the peer sends none."""
    while True:
        try:
            event = protocol.next_event()
        except h11.RemoteProtocolError as error:  # whose message quotes the request
            return HTTPStatus(error.error_status_hint)
        if event is h11.NEED_DATA:
            protocol.receive_data(await _received(connection))
        elif isinstance(event, h11.Request):
            path, _, query = event.target.decode("ascii").partition("?")
            return Request(event.method.decode("ascii"), path, query, list(event.headers))
        else:
            return None


async def _received(connection: socket.socket) -> bytes:
    """Return what the peer has sent; unlike ``sock_recv``, nothing is lost when cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        with suppress(BlockingIOError, InterruptedError):
            return connection.recv(_CHUNK)
        readable = asyncio.Event()
        loop.add_reader(connection, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(connection)


async def _end_politely(connection: socket.socket) -> None:
    """Close our side and wait a moment for the peer to close its own.

    Closing with unread data makes the kernel send a reset, on which a browser discards the
    response (RFC 9112, section 9.6).
    """
    loop = asyncio.get_running_loop()
    connection.shutdown(socket.SHUT_WR)
    discarded = 0
    async with asyncio.timeout(_LINGER_SECONDS):
        while discarded < _MOST_DISCARDED:
            chunk = await loop.sock_recv(connection, _DISCARDED_CHUNK)
            if not chunk:
                return
            discarded += len(chunk)
