"""Connect's POST /oauth/token and /oauth/deauthorize: what the platform's server asks."""

from starlette.requests import Request
from starlette.responses import Response

from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.replies import (
    OAuthError,
    form_parameters,
    json_reply,
    key_in_header,
    required,
)
from m3cred_tui.model.credential import OAuthModel
from m3cred_tui.model.text import clean


async def token(platform: Platform, request: Request) -> Response:
    """Exchange an authorization code, or a refresh token (RFC 6749, 4.1.3 and 6).

    Raises :class:`OAuthError` for whatever is wrong with the request.
    """
    form = await form_parameters(request)
    livemode = _authenticated(platform, request, form)
    match form.get("grant_type"):
        case None:
            raise OAuthError("invalid_request", "No grant type specified.")
        case "authorization_code":
            code = required(form, "code", "No authorization code provided.")
            reply = platform.exchange(code, livemode=livemode, oauth=OAuthModel.CONNECT)
        case "refresh_token":
            refresh_token = required(form, "refresh_token", "No refresh token provided.")
            reply = platform.refresh(refresh_token, form.get("scope"), livemode=livemode)
        case other:
            raise OAuthError(
                "unsupported_grant_type", f"Unsupported grant type: {clean(other)}"
            )
    return json_reply(reply.facts())


async def deauthorize(platform: Platform, request: Request) -> Response:
    """Disconnect an account from the platform.

    Raises :class:`OAuthError` for whatever is wrong with the request.
    """
    form = await form_parameters(request)
    livemode = _authenticated(platform, request, form)
    return disconnected(platform, form, OAuthModel.CONNECT, livemode=livemode)


def disconnected(
    platform: Platform, form: dict[str, str], oauth: OAuthModel, *, livemode: bool
) -> Response:
    """Disconnect the account that the form names, of one model.

    Raises :class:`OAuthError` for whatever is wrong with the form.
    """
    client_id = required(form, "client_id", "No client_id provided.")
    account_id = required(form, "stripe_user_id", "No stripe_user_id provided.")
    if platform.mode_of_client(client_id) is not livemode:
        raise OAuthError(
            "invalid_client", "The client_id does not belong to you, or is of the other mode."
        )
    if not platform.disconnect(account_id, livemode=livemode, oauth=oauth):
        raise OAuthError(
            "invalid_client",
            f"This application is not connected to stripe account {clean(account_id)}, "
            "or that account does not exist.",
        )
    return json_reply({"stripe_user_id": account_id})


def _authenticated(platform: Platform, request: Request, form: dict[str, str]) -> bool:
    """Return the livemode of the key that the request is made with."""
    key = form.get("client_secret") or key_in_header(request)
    if key is None:
        raise OAuthError(
            "invalid_client",
            "No authentication was provided. Send your secret API key in the Authorization "
            "header, or as the client_secret parameter.",
        )
    livemode = platform.mode_of_key(key)
    if livemode is None:
        raise OAuthError("invalid_client", "Invalid API key provided.")
    return livemode
