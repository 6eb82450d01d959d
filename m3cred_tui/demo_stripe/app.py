"""The demo Stripe as an ASGI application, and its HTTP server; slow to import."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from m3cred_tui.demo_stripe import pages
from m3cred_tui.demo_stripe.api import PlatformApi
from m3cred_tui.demo_stripe.owner import (
    DISCONNECT_PATH,
    INSTALLED_PATH,
    Authorization,
    InstalledApps,
)
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.replies import RefusedError, error_reply
from m3cred_tui.model.credential import OAuthModel


def demo_stripe_app(platform: Platform) -> Starlette:
    """Return the application over this platform's state; a test may wrap it."""
    authorization, installed = Authorization(platform), InstalledApps(platform)
    api = PlatformApi(platform)
    connect, apps = OAuthModel.CONNECT, OAuthModel.APPS
    return Starlette(
        routes=[
            # For the owner of an account, in a browser.
            Route("/oauth/authorize", partial(authorization.begin, connect)),
            Route("/oauth/v2/authorize", partial(authorization.begin, apps)),
            # An unpublished app can only be installed by such a link.
            Route("/oauth/v2/{channel:str}/authorize", partial(authorization.begin, apps)),
            _form(pages.LOG_IN_PATH, authorization.log_in),
            _form(pages.DECIDE_PATH, authorization.decide),
            Route(INSTALLED_PATH, installed.show),
            _form(DISCONNECT_PATH, installed.disconnect),
            Route(pages.STYLE_PATH, pages.style),
            # For the platform's server.
            _form("/oauth/token", partial(api.token, connect)),
            _form("/oauth/deauthorize", partial(api.deauthorize, connect)),
            _form("/v1/oauth/token", partial(api.token, apps)),
            _form("/v1/oauth/deauthorize", partial(api.deauthorize, apps)),
            Route("/v1/account", api.account),
        ],
        # Against DNS rebinding. Any port, because a tunnel may start at another one.
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
        ],
        exception_handlers={RefusedError: error_reply},
    )


def _form(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    return Route(path, endpoint, methods=["POST"])


_ABOVE_CRITICAL = 100
_SECONDS_PER_TICK = 1
_LAST_ROUNDS = 3


class _Server(uvicorn.Server):
    """Stops on :meth:`stop`, and wakes up once a second rather than ten times."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self.should_exit = True
        self._stopping.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(counter=0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _SECONDS_PER_TICK)


def serve(app: ASGIApp, listener: socket.socket, held: socket.socket) -> None:
    """Serve ``app`` on ``listener`` until the other end of ``held`` is closed.

    Nothing is written to the terminal, which belongs to the app, and no query is logged,
    because it may contain a code.
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

    def stop() -> None:
        loop.remove_reader(held)  # it stays readable, and the loop would spin until the end
        server.stop()

    loop.add_reader(held, stop)
    try:
        await server.serve(sockets=[listener])
    finally:
        loop.remove_reader(held)
        for _ in range(_LAST_ROUNDS):  # let the connections that are closing do so
            await asyncio.sleep(0)
