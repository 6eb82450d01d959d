"""Run the demo Stripe, on loopback only."""

import errno
import os
import selectors
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from m3cred_tui.demo_stripe.description import Description, register
from m3cred_tui.model.credential import ACCESS_TOKEN_LIFETIME
from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp

ACCESS_TOKEN_SECONDS = ACCESS_TOKEN_LIFETIME.total_seconds()

_LOOPBACK = "127.0.0.1"
_END_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class PortUnusable(Problem, code="PortUnusable"):
    """The demo Stripe cannot listen on this port."""

    text = "The demo Stripe cannot listen on port {port}: {reason}."
    port: int
    reason: str


def demo_stripe(
    description: Description,
    *,
    token_seconds: float = ACCESS_TOKEN_SECONDS,
    remembered: Path | None = None,
) -> "ASGIApp":
    """Return the demo Stripe as an application, to be served as ``description`` says.

    ``token_seconds`` is the lifetime of an access token of Stripe Apps, and ``remembered`` the
    directory for what outlives the demo.
    """
    from m3cred_tui.demo_stripe.app import demo_stripe_app  # noqa: PLC0415 -- slow to import
    from m3cred_tui.demo_stripe.grants import Memory  # noqa: PLC0415 -- the same
    from m3cred_tui.demo_stripe.platform import Platform  # noqa: PLC0415 -- the same

    memory = Memory(remembered)
    return demo_stripe_app(Platform(description, token_seconds=token_seconds, memory=memory))


@contextmanager
def background_demo_stripe(
    redirect_uris: Sequence[str],
    port: int = 0,
    *,
    make_app: Callable[[Description], "ASGIApp"] = demo_stripe,
    require_https: bool = False,
) -> Iterator[Description]:
    """Run a demo Stripe in a thread while the context lasts; port 0 is any free port.

    It accepts connections from the start. The first of them imports and starts the server, so
    that it does not slow down the start of the app.

    ``require_https`` makes live mode as strict about redirect URIs as Stripe.

    Raises :class:`PortUnusable` if another program uses the port or it is not allowed.
    """
    with _listen(port) as listener:
        base = f"http://{_LOOPBACK}:{listener.getsockname()[1]}"
        description = register(base, redirect_uris, require_https=require_https)
        held_here, held_there = socket.socketpair()
        serve = partial(_serve, partial(make_app, description), listener, held_there)
        thread = threading.Thread(target=serve, name="demo-stripe", daemon=True)
        thread.start()
        try:
            yield description
        finally:
            held_here.close()  # which ends the thread
            thread.join()


def run_demo_stripe(
    redirect_uris: Sequence[str],
    port: int,
    *,
    started: Callable[[Description], None],
    require_https: bool = False,
    token_seconds: float = ACCESS_TOKEN_SECONDS,
) -> None:
    """Run a demo Stripe until SIGTERM; call it in the main thread.

    ``started`` is called as soon as connections are accepted; for the other arguments, see
    :func:`background_demo_stripe` and :func:`demo_stripe`.

    Raises :class:`PortUnusable`, and :class:`KeyboardInterrupt` on SIGINT.
    """
    with (
        _ending_signals() as first_signal,
        background_demo_stripe(
            redirect_uris,
            port,
            make_app=partial(demo_stripe, token_seconds=token_seconds),
            require_https=require_https,
        ) as description,
    ):
        started(description)
        number = first_signal()
    if number == signal.SIGINT:
        raise KeyboardInterrupt


@contextmanager
def _ending_signals() -> Iterator[Callable[[], int]]:
    """Yield a function that waits for the first SIGTERM or SIGINT since the context began.

    Each is a byte in a socket. A handler that raises, or takes a lock, would interrupt the
    clean-up after an earlier signal.
    """
    read, written = socket.socketpair()

    def first_signal() -> int:
        while (number := read.recv(1)[0]) not in _END_SIGNALS:
            pass
        return number

    with read, written:
        written.settimeout(0)  # required by set_wakeup_fd
        wakeup = signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
        # What is ignored stays so: nohup, or SIGINT in a background job of a script.
        before = [
            (one, signal.signal(one, _pass))
            for one in _END_SIGNALS
            if signal.getsignal(one) is not signal.SIG_IGN
        ]
        try:
            yield first_signal
        finally:
            for one, handler in before:
                signal.signal(one, handler)
            signal.set_wakeup_fd(wakeup)


def _pass(_number: int, _frame: object) -> None:
    """Leave the signal to the wakeup socket."""


def _listen(port: int) -> socket.socket:
    # asyncio switches TCP_NODELAY on only for sockets that name their protocol; without it
    # a reply can wait 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_LOOPBACK, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortUnusable(port, _reason(error)) from None
    return listener


def _reason(error: OSError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return "ports go from 0 to 65535"
    if error.errno == errno.EADDRINUSE:
        return "another program uses it; choose another port"
    return os.strerror(error.errno or errno.EIO).lower()


def _serve(
    make_app: Callable[[], "ASGIApp"], listener: socket.socket, held: socket.socket
) -> None:
    with held:
        if _is_visited(listener, held):
            from m3cred_tui.demo_stripe.app import serve  # noqa: PLC0415 -- slow to import

            serve(make_app(), listener, held)


def _is_visited(listener: socket.socket, held: socket.socket) -> bool:
    """Wait for the first connection or the end; return whether it was a connection."""
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(held, selectors.EVENT_READ)
        return all(key.fileobj is listener for key, _events in selector.select())
