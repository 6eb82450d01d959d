"""The HTTP server under the demo Stripe; slow to import, so only imported when visited."""

import asyncio
import socket
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

_ABOVE_CRITICAL = 100
_SECONDS_PER_TICK = 1
_LAST_ROUNDS = 3


class _Server(uvicorn.Server):
    """Ends when it is told, and wakes up once a second rather than ten times."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(counter=0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), _SECONDS_PER_TICK)


def serve(app: ASGIApp, listener: socket.socket, held: socket.socket) -> None:
    """Serve ``app`` on ``listener`` until the other end of ``held`` is closed.

    Nothing is ever written to the terminal, which belongs to the app, and no query is
    logged, as it may hold a code.
    """
    config = uvicorn.Config(
        app,
        access_log=False,
        h11_max_incomplete_event_size=65_536,
        http="h11",
        lifespan="off",
        log_config=None,
        log_level=_ABOVE_CRITICAL,
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        ws="none",
    )
    asyncio.run(_serve_until_released(_Server(config), listener, held))


async def _serve_until_released(
    server: _Server, listener: socket.socket, held: socket.socket
) -> None:
    loop = asyncio.get_running_loop()
    loop.add_reader(held, server.end)
    try:
        await server.serve(sockets=[listener])
    finally:
        loop.remove_reader(held)
        for _ in range(_LAST_ROUNDS):  # in which what was told to close does so
            await asyncio.sleep(0)
