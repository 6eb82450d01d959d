"""Running the demo Stripe, on loopback only."""

import errno
import os
import selectors
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from m3cred_tui.demo_stripe.description import Description, register
from m3cred_tui.model.problem import Problem

_LOOPBACK = "127.0.0.1"
_ABOVE_CRITICAL = 100


class PortUnusable(Problem):
    """The demo Stripe cannot listen on this port."""

    def __init__(self, port: int, reason: str) -> None:
        super().__init__(port, reason)
        self.port = port
        self.reason = reason

    def __str__(self) -> str:
        return f"The demo Stripe cannot listen on port {self.port}: {self.reason}."


@contextmanager
def background_demo_stripe(
    redirect_uris: Sequence[str], port: int = 0
) -> Iterator[Description]:
    """Run a demo Stripe beside the caller while the context lasts; port 0 is any free one.

    It accepts connections when the context begins. The server behind them is imported and
    started by the first of them, so that it costs the start of the app nothing.

    Raises :class:`PortUnusable`, when another program has the port or it may not be used.
    """
    with _listen(port) as listener:
        base = f"http://{_LOOPBACK}:{listener.getsockname()[1]}"
        description = register(base, redirect_uris)
        held_here, held_there = socket.socketpair()
        thread = threading.Thread(
            target=_serve,
            args=(description, listener, held_there),
            name="demo-stripe",
            daemon=True,
        )
        thread.start()
        try:
            yield description
        finally:
            held_here.close()  # which the thread sees
            thread.join()


def run_demo_stripe(
    redirect_uris: Sequence[str], port: int, *, started: Callable[[Description], None]
) -> None:
    """Run a demo Stripe until SIGTERM; to be called in the main thread.

    ``started`` is called as soon as connections are accepted.

    Raises :class:`PortUnusable`, and :class:`KeyboardInterrupt` when SIGINT comes.
    """
    terminated = threading.Event()
    before = (
        signal.signal(signal.SIGTERM, lambda _number, _frame: terminated.set()),
        # Also where a shell's background job starts with SIGINT ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        with background_demo_stripe(redirect_uris, port) as description:
            started(description)
            terminated.wait()
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((_LOOPBACK, port), backlog=128)
    except OverflowError:
        raise PortUnusable(port, "ports go from 0 to 65535") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortUnusable(port, "another program uses it; choose another port") from None
        # The error's own text repeats the address; its number's does not.
        raise PortUnusable(port, os.strerror(error.errno or errno.EIO).lower()) from error


def _serve(description: Description, listener: socket.socket, held: socket.socket) -> None:
    with held:
        if _visited(listener, held):
            _serve_visitors(description, listener, held)


def _visited(listener: socket.socket, held: socket.socket) -> bool:
    """Wait for the first connection; return whether it came before the end."""
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(held, selectors.EVENT_READ)
        return all(key.fileobj is listener for key, _events in selector.select())


def _serve_visitors(
    description: Description, listener: socket.socket, held: socket.socket
) -> None:
    import asyncio  # noqa: PLC0415 -- here and below: not before somebody comes

    import uvicorn  # noqa: PLC0415

    from m3cred_tui.demo_stripe.app import demo_stripe_app  # noqa: PLC0415
    from m3cred_tui.demo_stripe.platform import Platform  # noqa: PLC0415

    config = uvicorn.Config(
        demo_stripe_app(Platform(description)),
        access_log=False,
        h11_max_incomplete_event_size=65_536,
        http="h11",
        lifespan="off",
        log_config=None,
        log_level=_ABOVE_CRITICAL,  # the terminal belongs to the app
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        ws="none",
    )
    server = uvicorn.Server(config)

    def end() -> None:
        asyncio.get_running_loop().remove_reader(held)
        server.should_exit = True

    async def serve() -> None:
        asyncio.get_running_loop().add_reader(held, end)
        await server.serve(sockets=[listener])

    asyncio.run(serve())
