"""Read HTTP requests and write responses, within limits."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import h11

LARGEST_HEAD = 32 * 1024
"""Bytes; a browser sends the cookies of every other program that ever ran on this loopback."""
MOST_HEADERS = 100
_CHUNK = 4096


class RequestError(Exception):
    """The peer sent no acceptable request; ``status`` is the response."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


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


def new_protocol() -> h11.Connection:
    """Return the HTTP state of a connection that was just accepted."""
    return h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)


async def read_request(connection: socket.socket, protocol: h11.Connection) -> Request | None:
    """Return the peer's request, or ``None`` if it disconnects without one.

    Raises :class:`RequestError`, and :class:`OSError` if the connection breaks.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            event = protocol.next_event()
        except h11.RemoteProtocolError as error:
            # Not chained, because its message quotes the request.
            raise RequestError(HTTPStatus(error.error_status_hint)) from None
        if event is h11.NEED_DATA:
            protocol.receive_data(await loop.sock_recv(connection, _CHUNK))
        elif isinstance(event, h11.Request):
            path, _, query = event.target.decode("ascii").partition("?")
            return Request(event.method.decode("ascii"), path, query, list(event.headers))
        else:
            return None


_LINGER_SECONDS = 1.0
_MOST_DISCARDED = 1024 * 1024
_DISCARDED_CHUNK = 16 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response; nothing in it comes from a request."""

    status: HTTPStatus
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


async def send_response(
    connection: socket.socket, protocol: h11.Connection, response: Response, *, to_head: bool
) -> None:
    """Send ``response``, without its body for a HEAD; raises :class:`OSError` on failure."""
    headers = [
        *response.headers,
        ("Content-Length", str(len(response.body))),
        ("Connection", "close"),
    ]
    status = response.status
    events: list[h11.Event] = [
        h11.Response(status_code=status, reason=status.phrase, headers=headers)
    ]
    if not to_head:
        events.append(h11.Data(response.body))
    events.append(h11.EndOfMessage())
    data = b"".join(protocol.send(event) or b"" for event in events)
    await asyncio.get_running_loop().sock_sendall(connection, data)


async def end_politely(connection: socket.socket) -> None:
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
