"""The demo Stripe as an ASGI application."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from m3cred_tui.demo_stripe import accounts, authorize, pages, replies, token
from m3cred_tui.demo_stripe.errors import ApiError, OAuthError
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.sessions import Sessions


def demo_stripe_app(platform: Platform) -> Starlette:
    """Return the application over this platform's state; a test may wrap it."""
    sessions = Sessions(platform)
    return Starlette(
        routes=[
            Route("/oauth/authorize", partial(authorize.authorize, platform, sessions)),
            _form(pages.LOG_IN_PATH, partial(authorize.log_in, sessions)),
            _form(pages.DECIDE_PATH, partial(authorize.decide, sessions)),
            Route(pages.STYLE_PATH, pages.style),
            _form("/oauth/token", partial(token.token, platform)),
            _form("/oauth/deauthorize", partial(token.deauthorize, platform)),
            Route("/v1/account", partial(accounts.account, platform)),
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


def _form(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    return Route(path, endpoint, methods=["POST"])
