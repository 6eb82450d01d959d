"""A demo Stripe that laptop and server both reach, as they do Stripe, and that outlives m3cred.

    python -m tests.e2e.ssh.stripe_on_the_internet DESCRIPTION PID...

It listens at the same address in the network namespace of each process, and writes to the
file DESCRIPTION what a platform has to know; then it says so on standard output.
"""

import asyncio
import ctypes
import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from m3cred_tui.demo_stripe.description import register
from m3cred_tui.demo_stripe.server import demo_stripe
from m3cred_tui.model.authorization import CALLBACK_PORTS, redirect_uri

PORT = 27190
_CLONE_NEWNET = 0x40000000


def listener_in(namespace: Path) -> socket.socket:
    """Return a listener in a network namespace; it stays there, as this thread does."""
    with namespace.open() as file:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace)
    return socket.create_server(("127.0.0.1", PORT))


def main(description: Path, processes: Iterable[str]) -> None:
    listeners = [listener_in(Path("/proc", pid, "ns/net")) for pid in processes]
    stripe = register(
        f"http://127.0.0.1:{PORT}", [redirect_uri(port) for port in CALLBACK_PORTS]
    )
    description.write_text(stripe.to_json())
    print("up", flush=True)  # connections wait for what is imported now
    import uvicorn  # noqa: PLC0415  slow

    config = uvicorn.Config(
        demo_stripe(stripe), http="h11", lifespan="off", log_config=None, ws="none"
    )
    asyncio.run(uvicorn.Server(config).serve(listeners))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
