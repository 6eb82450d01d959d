"""The callback server: listeners on loopback, in its own thread."""

import asyncio
import errno
import functools
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self

from m3cred_tui.callback.connections import Connections
from m3cred_tui.callback.listeners import listeners
from m3cred_tui.callback.reception import Paths, Reception, refuse, respond
from m3cred_tui.callback.redirect import RedirectResult
from m3cred_tui.model.authorization import CALLBACK_PORTS, redirect_uri
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret

_QUEUE = 1024
"""Longer than any crowd: a browser that finds it full tries again only after a second."""
_HELD = {errno.EADDRINUSE, errno.EACCES}


class NoFreePort(Problem, code="NoFreePort"):
    """Every port that Stripe may redirect to is held by another program."""

    text = "{_held}"
    ports: Sequence[int]

    @property
    def _held(self) -> str:
        *others, last = map(str, self.ports)
        if not others:
            # An old tunnel would take the browser to the program that holds it now.
            return (
                f"Another program holds port {last}, to which Stripe redirects. Close any "
                "tunnel to it, and paste the address that your browser ends on."
            )
        return (
            f"Other programs on this computer hold the ports that Stripe can redirect to "
            f"({', '.join(others)} and {last}), so a browser cannot return by itself. Paste "
            "the address that it ends on."
        )


class PortsOfAnotherUser(Problem, code="PortsOfAnotherUser"):
    """Another user's program holds every port that Stripe may redirect to, so m3cred stops."""

    text = """{_ports} held by another user's program ({users}), which would get Stripe's answer
        and could return the approval of its own account. So m3cred does not continue. Have that
        program ended, or set other ports and register them at Stripe; then begin a new
        authorization."""
    ports: Sequence[int]
    users: str

    @property
    def _ports(self) -> str:
        *others, last = map(str, self.ports)
        if not others:
            return f"Port {last}, to which Stripe redirects, is"
        return f"The ports that Stripe can redirect to ({', '.join(others)} and {last}) are"


class CannotListen(Problem, code="CannotListen"):
    """The system does not let m3cred listen on loopback."""

    text = """This computer does not let m3cred listen for Stripe ({_reason}), so a browser
        cannot return by itself. Paste the address that it ends on."""
    errno: int | None

    @property
    def _reason(self) -> str:
        return "unknown error" if self.errno is None else os.strerror(self.errno)


Listening = tuple[int, list[socket.socket]]
"""A port, and the sockets that listen on it."""


def listen_on_loopback(ports: Sequence[int]) -> Listening:
    """Listen on the first port that is free on 127.0.0.1 and, if it exists, on ::1.

    Raises :class:`NoFreePort` and :class:`CannotListen`. A port that another program holds on
    one of the two is skipped, because the browser might take our redirect there.
    """
    for port in ports:
        if sockets := _listen_on(port):
            return sockets[0].getsockname()[1], sockets
    raise NoFreePort(ports)


def redirect_port(ports: Sequence[int]) -> tuple[int, bool]:
    """Return the port for Stripe to redirect to where m3cred cannot listen, for a paste.

    The program there gets Stripe's answer, so it must be this user's; also return whether that
    is known. Raises :class:`PortsOfAnotherUser`.
    """
    unknown: list[int] = []
    users: set[str] = set()
    for port in ports:
        found = listeners(port)
        others = {one.user for one in found if not one.is_ours}
        if found and not others:
            return port, True
        if not found:
            unknown.append(port)
        users |= others
    if not unknown:
        raise PortsOfAnotherUser(ports, ", ".join(sorted(users)))
    return unknown[0], False


def _listen_on(port: int) -> list[socket.socket]:
    """Return the listeners on this port, or none if it is taken."""
    try:
        first = _listener(socket.AF_INET, "127.0.0.1", port)
    except OSError as error:
        if error.errno in _HELD:
            return []
        raise CannotListen(error.errno) from error
    try:
        second = _listener(socket.AF_INET6, "::1", first.getsockname()[1])
    except OSError as error:
        if error.errno not in _HELD:  # this machine has no ::1
            return [first]
        first.close()
        return []
    return [first, second]


def _listener(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    # With SO_REUSEADDR, which only allows a port with connections in TIME_WAIT.
    listener = socket.create_server((address, port), family=family, backlog=_QUEUE)
    listener.setblocking(False)  # noqa: FBT003  as in the standard library
    return listener


_log = logging.getLogger(__name__)

SILENCE_SECONDS = 10.0
END_PAGE_SECONDS = 3.0
_FAREWELL_SECONDS = 0.2
_LEAVING = "callback server, leaving"
_JOIN_SECONDS = 1.0


def leaving() -> list[threading.Thread]:
    """Return the threads that end by themselves once a browser has seen how it ended."""
    return [thread for thread in threading.enumerate() if thread.name == _LEAVING]


class CallbackServer:
    """Waits on loopback for the redirect with ``state``.

    It runs in a daemon thread with its own event loop, so that neither a busy app nor a busy
    server delays the other. Every method may be called from any other thread.
    """

    def __init__(
        self,
        state: Secret,
        *,
        ports: Sequence[int] = CALLBACK_PORTS,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._ports = ports
        self._silence_seconds = silence_seconds
        self._reception = Reception(state)
        self._paths = Paths.of(state)
        self._port: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closing = asyncio.Event()

    def start(self, listening: Listening | None = None) -> None:
        """Listen on a free port, if it is not ``listening`` already, and accept connections.

        Raises :class:`NoFreePort` and :class:`CannotListen`.
        """
        if self._thread is not None:
            raise RuntimeError("a CallbackServer can be started only once")
        self._port, sockets = listening or listen_on_loopback(self._ports)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._run, args=(self._loop, sockets), name="callback server", daemon=True
        )
        self._thread.start()
        _log.info("listening on port %d", self._port)

    @property
    def port(self) -> int:
        """The port it listens on; raises :class:`RuntimeError` before :meth:`start`."""
        if self._port is None:
            raise RuntimeError("the CallbackServer is not started")
        return self._port

    @property
    def redirect_uri(self) -> str:
        """The address for Stripe to redirect to."""
        return redirect_uri(self.port)

    @property
    def status_url(self) -> str:
        """The address to poll; see :mod:`m3cred_tui.callback.reception`."""
        return f"http://127.0.0.1:{self.port}{self._paths.status}"

    def short_address_for(self, url: str) -> str:
        """Return a short address that redirects to ``url``, for this request only.

        It cannot be guessed, because it comes from the state, and stays the same when the
        request is resumed. A browser that opens it shows that it can reach this server
        (:attr:`ReceptionStatus.visits`).
        """
        return f"http://127.0.0.1:{self.port}{self._reception.shorten(url)}"

    def take(self, result: RedirectResult) -> None:
        """Take a redirect that arrived another way, so that the browser's no longer counts."""
        self._call(functools.partial(self._reception.take, result))

    def result(self) -> RedirectResult | None:
        """Return the first valid redirect, if one has arrived; also after :meth:`close`."""
        return self._reception.result

    def close(self) -> None:
        """Stop listening immediately and free the port; may be called again."""
        self._call(self._closing.set)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_SECONDS)

    def close_after_end_page(self) -> None:
        """Close after the browser has requested its end page; return immediately.

        The browser requests that page on another connection, shortly after the redirect. The
        server waits for it for :data:`END_PAGE_SECONDS`, unless no browser has arrived. The
        process should not end before (see :func:`leaving`).
        """
        if self._thread is not None and self._reception.has_redirected:
            self._thread.name = _LEAVING
            self._call(self._start_leaving)
        else:
            self._call(self._closing.set)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _call(self, function: Callable[[], object]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is already closed
                self._loop.call_soon_threadsafe(function)

    def _start_leaving(self) -> None:
        self._leaving = asyncio.create_task(self._leave())

    async def _leave(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(END_PAGE_SECONDS):
                await self._reception.end_page_requested.wait()
        self._closing.set()

    def _run(self, loop: asyncio.AbstractEventLoop, listeners: Sequence[socket.socket]) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(self._serve(listeners))

    async def _serve(self, listeners: Sequence[socket.socket]) -> None:
        answer = functools.partial(
            respond, reception=self._reception, port=self.port, paths=self._paths
        )
        refusal = functools.partial(refuse, reception=self._reception)
        connections = Connections(answer, refusal, self._silence_seconds)
        for listener in listeners:
            connections.accept_from(listener)
        await self._closing.wait()
        self._reception.end_waits()
        await connections.finish(listeners, within=_FAREWELL_SECONDS)
