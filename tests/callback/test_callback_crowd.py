"""Many connections, some slow or silent, and then the one that matters."""

import asyncio
import contextlib
import functools
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from m3cred_tui.callback.connections import MOST_CONNECTIONS, Connections, Request
from m3cred_tui.callback.pages import Response, plain
from m3cred_tui.callback.reception import ReceptionStatus, parse_status
from m3cred_tui.callback.redirect import AuthorizationCode
from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.secret import Secret
from tests.callback.conftest import EndPage, Get, Poll
from tests.visitors import visitor


@contextlib.contextmanager
def visitors(server: CallbackServer, number: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        yield [
            stack.enter_context(socket.create_connection(address, timeout=10))
            for _ in range(number)
        ]


def was_dropped(visitor: socket.socket) -> bool:
    """Wait until the server closes the connection; a reset counts, too."""
    try:
        return visitor.recv(1) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("said", [b"", b"GET /callback?code=ac", b"GET / HTTP/1.1\r\nA: b\r\n"])
def test_a_connection_that_stops_talking_is_dropped(state: str, said: bytes) -> None:
    server = CallbackServer(Secret(state), ports=(0,), silence_seconds=0.05)
    with server, visitors(server, 1) as [visitor]:
        visitor.sendall(said)
        assert was_dropped(visitor)


def test_a_connection_that_dribbles_is_dropped(state: str) -> None:
    server = CallbackServer(Secret(state), ports=(0,), silence_seconds=0.1)
    with server, visitors(server, 1) as [visitor]:
        visitor.settimeout(0.01)
        visitor.sendall(b"GET / HTTP/1.1\r\n")
        # A header every 10 ms. All of them would be no head that is too large.
        assert any(dribbled(visitor) for _ in range(500))


def dribbled(visitor: socket.socket) -> bool:
    """Send one more header; return whether the server had put an end to it."""
    try:
        visitor.sendall(b"A: b\r\n")
        return was_dropped(visitor)
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_a_held_poll_is_not_taken_for_silence(state: str) -> None:
    server = CallbackServer(Secret(state), ports=(0,), silence_seconds=0.05)
    with server, visitor() as client:
        response = client.get(f"{server.status_url}?after=1&wait=0.2")
        assert parse_status(response.content) == ReceptionStatus()


def test_an_idle_preconnect_does_not_hold_up_the_redirect(
    server: CallbackServer, get: Get, approval: str
) -> None:
    with visitors(server, 1):
        assert get(approval).status_code == 303


def test_two_hundred_idle_connections_do_not_crowd_out_the_redirect(
    server: CallbackServer, get: Get, approval: str
) -> None:
    with visitors(server, 200) as idle:
        assert get(approval).status_code == 303
        assert all(was_dropped(visitor) for visitor in idle[: 200 - MOST_CONNECTIONS])


def test_an_idle_connection_gives_way_before_the_apps_poll(
    server: CallbackServer, get: Get, approval: str
) -> None:
    with ThreadPoolExecutor() as pool, visitors(server, 1) as [poll]:
        first = f"GET {server._paths.status}?after=1&wait=25 HTTP/1.1"
        poll.sendall(f"{first}\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        with visitors(server, 2 * MOST_CONNECTIONS):
            pool.submit(get, approval)
            assert poll.recv(12) == b"HTTP/1.1 200"


def test_a_request_sent_a_round_trip_after_connecting_is_read_in_any_crowd(
    server: CallbackServer, approval: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As through a tunnel, whose far end connects before the browser's request is there."""
    # A busy machine takes long to open so many connections.
    monkeypatch.setattr("m3cred_tui.callback.connections.GRACE_SECONDS", 5.0)
    request = f"GET {approval} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"
    with visitors(server, 1) as [browser], visitors(server, 6 * MOST_CONNECTIONS):
        browser.sendall(request.encode())
        assert browser.recv(12) == b"HTTP/1.1 303"


def test_a_visitor_that_disconnects_immediately_does_no_harm(
    server: CallbackServer, get: Get, approval: str
) -> None:
    for said in (b"", b"GET /callb", f"GET {approval}".encode()):
        with visitors(server, 20) as leaving:
            for visitor in leaving:
                visitor.sendall(said)
    assert server.result() is None
    assert get(approval).status_code == 303


def test_ten_browsers_that_load_everything_twice_give_one_result(
    server: CallbackServer, get: Get, poll: Poll, end_page: EndPage, state: str
) -> None:
    def browse(number: int) -> list[int]:
        address = f"/callback?code=ac_{number}&state={state}"
        return [
            get("/favicon.ico").status_code,
            get(address, "Sec-Purpose: prefetch").status_code,
            get(address).status_code,
            get(address).status_code,
            end_page().status_code,
            get("/favicon.ico").status_code,
        ]

    with ThreadPoolExecutor(10) as pool:
        seen = list(pool.map(browse, range(10)))
    assert seen == [[404, 503, 303, 303, 200, 404]] * 10
    assert isinstance(server.result(), AuthorizationCode)
    assert parse_status(poll().content).version == 2


class Stopped:
    """Stops a server as SIGSTOP does its process, for a block and for so many seconds."""

    def __init__(self, server: CallbackServer, seconds: float) -> None:
        self._server, self._seconds = server, seconds
        self._is_stopped, self._may_continue = threading.Event(), threading.Event()

    def __enter__(self) -> None:
        self._server._call(self._stop)
        assert self._is_stopped.wait(10)

    def __exit__(self, *_error: object) -> None:
        self._may_continue.set()

    def _stop(self) -> None:
        self._is_stopped.set()
        self._may_continue.wait()
        loop = asyncio.get_running_loop()
        time = loop.time
        loop.time = lambda: time() + self._seconds  # type: ignore[method-assign]


@pytest.mark.parametrize("sent_before", [None, 0, 20, 60])
def test_a_redirect_that_came_while_the_process_was_stopped_is_taken_though_it_is_over(
    state: str, sent_before: int | None
) -> None:
    server = CallbackServer(Secret(state), ports=(0,))
    server.start()
    request = f"GET /callback?code=ac_1&state={state} HTTP/1.1\r\nHost: 127.0.0.1:"
    request += f"{server.port}\r\n\r\n"
    closing = threading.Thread(target=server.close)
    with contextlib.ExitStack() as after:
        browser = after.enter_context(socket.socket())
        if sent_before is not None:
            browser.connect(("127.0.0.1", server.port))
            browser.sendall(request[:sent_before].encode())
        with Stopped(server, seconds=1_000):
            if sent_before is None:
                browser.connect(("127.0.0.1", server.port))
            browser.sendall(request[sent_before or 0 :].encode())
            closing.start()
        closing.join()
    assert isinstance(server.result(), AuthorizationCode)


@pytest.mark.parametrize("sent_before", [b"", b"GET /callback?code=ac_1&"])
def test_a_request_that_came_while_the_process_was_stopped_for_too_long_is_answered(
    server: CallbackServer, state: str, sent_before: bytes
) -> None:
    rest = f"GET /callback?code=ac_1&state={state} HTTP/1.1\r\nHost: 127.0.0.1:"
    rest = f"{rest}{server.port}\r\n\r\n"[len(sent_before) :]
    with visitors(server, 1) as [browser]:
        browser.sendall(sent_before)
        with Stopped(server, seconds=1_000):
            browser.sendall(rest.encode())
        assert browser.recv(100).startswith(b"HTTP/1.1 303")
    assert isinstance(server.result(), AuthorizationCode)


class Counting(socket.socket):
    """A listener that knows how many of the connections it accepted were open at once."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.connections: list[socket.socket] = []
        self.most_open = 0

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        self.connections.append(connection)
        still_open = [one for one in self.connections if one.fileno() != -1]
        self.most_open = max(self.most_open, len(still_open))
        return connection, address


async def test_a_crowd_at_the_very_end_takes_no_more_files_than_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def respond(_request: Request) -> Response:
        raise AssertionError

    monkeypatch.setattr("m3cred_tui.callback.connections.GRACE_SECONDS", 0)
    connections = Connections(respond, plain, silence_seconds=300)
    with contextlib.ExitStack() as after:
        listener = after.enter_context(Counting())
        listener.setblocking(False)
        listener.bind(("127.0.0.1", 0))
        listener.listen(MOST_CONNECTIONS)
        connect = functools.partial(socket.create_connection, listener.getsockname())
        connections.accept_from(listener)
        for _ in range(MOST_CONNECTIONS):
            after.enter_context(connect())
            await asyncio.sleep(0)
        for _ in range(MOST_CONNECTIONS):
            after.enter_context(connect())
        await connections.finish([listener], within=0)
    assert len(listener.connections) > MOST_CONNECTIONS * 1.5
    assert listener.most_open < MOST_CONNECTIONS + 10
