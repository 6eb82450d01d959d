"""A running server, and a visitor that sends it exactly the given bytes."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.secret import Secret

Send = Callable[[bytes], httpx.Response]
Get = Callable[..., httpx.Response]
Poll = Callable[..., httpx.Response]
EndPage = Callable[[], httpx.Response]


def converse(port: int, request: bytes) -> httpx.Response:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as visitor:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            visitor.sendall(request)
        received = b""
        while chunk := visitor.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("ascii").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (s.partition(":") for s in lines)]
    return httpx.Response(int(status_line.split()[1]), headers=headers, content=body)


def path_of(url: str) -> str:
    return urlsplit(url).path


@pytest.fixture
def state() -> str:
    return "state-of-this-authorization-request"


@pytest.fixture
def server(state: str) -> Iterator[CallbackServer]:
    # So patient that no test passes because its silent visitors were dropped for silence.
    with CallbackServer(Secret(state), ports=(0,), silence_seconds=300) as started:
        yield started


@pytest.fixture
def send(server: CallbackServer) -> Send:
    return lambda request: converse(server.port, request)


@pytest.fixture
def get(server: CallbackServer) -> Get:
    def get(target: str, *header_lines: str) -> httpx.Response:
        lines = [f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *header_lines]
        return converse(server.port, "\r\n".join([*lines, "", ""]).encode())

    return get


@pytest.fixture
def poll(server: CallbackServer, get: Get) -> Poll:
    """Request the status, as only the app itself can."""
    return lambda query="": get(f"{path_of(server.status_url)}{query and '?'}{query}")


@pytest.fixture
def end_page(server: CallbackServer, get: Get) -> EndPage:
    """Request the end page, as only the browser that delivered the redirect can."""
    return lambda: get(server._paths.end)


@pytest.fixture
def approval(state: str) -> str:
    """Return the target of a redirect with which Stripe approves."""
    return f"/callback?code=ac_123&scope=read_write&state={state}"
