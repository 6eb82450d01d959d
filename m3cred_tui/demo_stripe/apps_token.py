"""Stripe Apps' POST /v1/oauth/token and /v1/oauth/deauthorize, at the API's address."""

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from m3cred_tui.demo_stripe.grants import TokenReply
from m3cred_tui.demo_stripe.idempotency import Asked, Idempotency
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.replies import (
    ApiError,
    OAuthError,
    form_parameters,
    json_reply,
    key_in_header,
    required,
)
from m3cred_tui.demo_stripe.token import disconnected
from m3cred_tui.model.credential import OAuthModel
from m3cred_tui.model.text import clean


async def token(platform: Platform, idempotency: Idempotency, request: Request) -> Response:
    """Exchange an authorization code, or a refresh token for its successor.

    Raises :class:`OAuthError` and :class:`ApiError` for what is wrong with the request; what
    is wrong with the code or the refresh token is an answer, which an idempotency key keeps.
    """
    form = await form_parameters(request)
    livemode = _authenticated(platform, request)
    give = _given(platform, form, livemode=livemode)
    return idempotency.once(
        request.headers.get("idempotency-key"),
        Asked(livemode, request.url.path, tuple(sorted(form.items()))),
        lambda: json_reply(give().facts()),
    )


async def deauthorize(
    platform: Platform, idempotency: Idempotency, request: Request
) -> Response:
    """Disconnect an account from the app; raises as :func:`token` does."""
    form = await form_parameters(request)
    livemode = _authenticated(platform, request)
    return idempotency.once(
        request.headers.get("idempotency-key"),
        Asked(livemode, request.url.path, tuple(sorted(form.items()))),
        partial(disconnected, platform, form, OAuthModel.APPS, livemode=livemode),
    )


def _given(
    platform: Platform, form: dict[str, str], *, livemode: bool
) -> Callable[[], TokenReply]:
    match form.get("grant_type"):
        case None:
            raise OAuthError("invalid_request", "No grant type specified.")
        case "authorization_code":
            code = required(form, "code", "No authorization code provided.")
            return partial(platform.exchange, code, livemode=livemode, oauth=OAuthModel.APPS)
        case "refresh_token":
            refresh_token = required(form, "refresh_token", "No refresh token provided.")
            return partial(platform.roll, refresh_token, livemode=livemode)
        case other:
            raise OAuthError(
                "unsupported_grant_type", f"Unsupported grant type: {clean(other)}"
            )


def _authenticated(platform: Platform, request: Request) -> bool:
    """Return the livemode of the key that the request is made with."""
    key = key_in_header(request)
    if key is None:
        raise ApiError(401, "You did not provide an API key in the Authorization header.")
    livemode = platform.mode_of_key(key)
    if livemode is None and platform.access_token(key):
        raise ApiError(
            403,
            "The provided key does not have the required permissions for this endpoint.",
            "more_permissions_required",
        )
    if livemode is None:
        raise ApiError(401, "Invalid API key provided.")
    return livemode
