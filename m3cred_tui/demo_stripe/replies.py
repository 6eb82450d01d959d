"""JSON replies, as Stripe's endpoints give them."""

import json

from starlette.requests import Request
from starlette.responses import Response

from m3cred_tui.demo_stripe.errors import ApiError, OAuthError

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def json_reply(body: dict[str, object], status: int = 200) -> Response:
    """Return ``body`` as indented ASCII: what comes from outside cannot drive a terminal."""
    text = json.dumps(body, indent=2) + "\n"
    return Response(text, status, _HEADERS, media_type="application/json")


def refusal(error: OAuthError) -> Response:
    """Return an :class:`OAuthError` as Stripe does (RFC 6749, section 5.2)."""
    return json_reply(
        {"error": error.code, "error_description": error.description}, error.status
    )


async def oauth_error_reply(_request: Request, error: Exception) -> Response:
    """Show an :class:`OAuthError`."""
    if not isinstance(error, OAuthError):
        raise error
    return refusal(error)


async def api_error_reply(_request: Request, error: Exception) -> Response:
    """Show an :class:`ApiError` as Stripe's API does."""
    if not isinstance(error, ApiError):
        raise error
    details: dict[str, object] = {"message": error.message, "type": error.kind}
    if error.code is not None:
        details["code"] = error.code
    return json_reply({"error": details}, error.status)
