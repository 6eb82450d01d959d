"""Writing one HTTP response, after which the connection ends."""

import asyncio
import socket
from dataclasses import dataclass
from http import HTTPStatus

import h11

_LINGER_SECONDS = 1.0
_MOST_DISCARDED = 1024 * 1024
_CHUNK = 16 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response; nothing in it comes from a request."""

    status: HTTPStatus
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


async def send_response(
    connection: socket.socket, protocol: h11.Connection, response: Response, *, to_head: bool
) -> None:
    """Send ``response``, without its body to a HEAD; raises :class:`OSError` if that fails."""
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
    """End our side and wait a moment for the peer to end its own.

    Closing with something unread makes the kernel send a reset, on which a browser throws
    the response away (RFC 9112, section 9.6).
    """
    loop = asyncio.get_running_loop()
    connection.shutdown(socket.SHUT_WR)
    discarded = 0
    async with asyncio.timeout(_LINGER_SECONDS):
        while discarded < _MOST_DISCARDED:
            chunk = await loop.sock_recv(connection, _CHUNK)
            if not chunk:
                return
            discarded += len(chunk)
