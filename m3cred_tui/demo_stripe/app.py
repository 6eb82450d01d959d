"""The demo Stripe as an ASGI application."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from m3cred_tui.demo_stripe import (
    accounts,
    apps_token,
    authorize,
    installed,
    pages,
    replies,
    token,
)
from m3cred_tui.demo_stripe.idempotency import Idempotency
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.replies import ApiError, OAuthError
from m3cred_tui.demo_stripe.sessions import Sessions


def demo_stripe_app(platform: Platform) -> Starlette:
    """Return the application over this platform's state; a test may wrap it."""
    return Starlette(
        routes=[
            *_owner_routes(platform),
            *_platform_routes(platform),
            Route(pages.STYLE_PATH, pages.style),
        ],
        # Against DNS rebinding. Any port, as a tunnel may have another one at its near end.
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
        ],
        exception_handlers={
            OAuthError: replies.oauth_error_reply,
            ApiError: replies.api_error_reply,
        },
    )


def _owner_routes(platform: Platform) -> list[Route]:
    """Return what the owner of an account opens in a browser."""
    sessions = Sessions(platform)
    install = partial(authorize.install, platform, sessions)
    owner = installed.Owner(platform)
    return [
        Route("/oauth/authorize", partial(authorize.authorize, platform, sessions)),
        Route("/oauth/v2/authorize", install),
        # Of an app that is not published, which Stripe takes by such a link only.
        Route("/oauth/v2/{channel:str}/authorize", install),
        _form(pages.LOG_IN_PATH, partial(authorize.log_in, sessions)),
        _form(pages.DECIDE_PATH, partial(authorize.decide, sessions)),
        Route(installed.PATH, owner.show),
        _form(installed.DISCONNECT_PATH, owner.disconnect),
    ]


def _platform_routes(platform: Platform) -> list[Route]:
    """Return what the platform's server asks."""
    idempotency = Idempotency(platform.now)
    return [
        _form("/oauth/token", partial(token.token, platform)),
        _form("/oauth/deauthorize", partial(token.deauthorize, platform)),
        _form("/v1/oauth/token", partial(apps_token.token, platform, idempotency)),
        _form("/v1/oauth/deauthorize", partial(apps_token.deauthorize, platform, idempotency)),
        Route("/v1/account", partial(accounts.account, platform)),
    ]


def _form(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    return Route(path, endpoint, methods=["POST"])
