"""The connections themselves: an answer has one time limit, however slowly it arrives."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
from httpcore._backends.sync import SyncStream  # no public name makes one of a socket

if TYPE_CHECKING:
    import ssl


def transport_over(context: ssl.SSLContext, uds: str | None) -> httpx.HTTPTransport:
    """Return what sends requests, over this Unix socket if there is one."""
    transport = httpx.HTTPTransport(verify=context)
    # httpx has no way to pass a backend on to its pool.
    transport._pool = httpcore.ConnectionPool(  # noqa: SLF001
        ssl_context=context,
        max_connections=100,
        max_keepalive_connections=20,
        keepalive_expiry=5.0,
        uds=uds,
        network_backend=_Backend(),
    )
    return transport


class _Backend(httpcore.SyncBackend):
    def connect_tcp(self, *given: Any, **named: Any) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(*given, **named))

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, *_options: Any, **_named: Any
    ) -> httpcore.NetworkStream:
        """Do what httpcore does, which leaves a socket open that cannot be connected."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout)
            connection.connect(path)
        except OSError as error:
            connection.close()
            raise httpcore.ConnectError(error) from error
        return _Stream(SyncStream(connection))


class _Stream(httpcore.NetworkStream):
    """Reads for as long after a request as a single read may take.

    Otherwise, headers that drip, or one ``100 Continue`` after another, would never end.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._written_at = time.monotonic()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if timeout is not None:
            timeout -= time.monotonic() - self._written_at
            if timeout <= 0:
                raise httpcore.ReadTimeout
        return self._stream.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)
        self._written_at = time.monotonic()

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
