"""Parameters of requests, and replies and errors of the API."""

import base64
import binascii
import json
from typing import Literal
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

OAuthCode = Literal[
    "invalid_client",
    "invalid_grant",
    "invalid_redirect_uri",
    "invalid_request",
    "invalid_scope",
    "unsupported_grant_type",
    "unsupported_response_type",
]


class OAuthError(Exception):
    """An error of an OAuth endpoint (RFC 6749, section 5.2; Stripe's OAuth reference)."""

    def __init__(self, code: OAuthCode, description: str) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description

    @property
    def status(self) -> int:
        """401 for what failed to say who it is, 400 for the rest."""
        return 401 if self.code == "invalid_client" else 400


class ApiError(Exception):
    """An error of Stripe's API, whose ``error`` is an object."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(status, message, code, kind)
        self.status = status
        self.message = message
        self.code = code
        self.kind = kind


_LARGEST_BODY = 65_536
_MOST_PARAMETERS = 100


def parameters(text: str) -> dict[str, str]:
    """Read a query or a form; a parameter without a value counts as left out.

    Raises :class:`OAuthError` when one comes twice (RFC 6749, section 3.1).
    """
    found: dict[str, str] = {}
    try:
        pairs = parse_qsl(text, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise OAuthError("invalid_request", "Too many parameters.") from None
    for name, value in pairs:
        if name in found and not name.endswith("[]"):
            raise OAuthError("invalid_request", "A parameter is given more than once.")
        found[name] = value
    return found


def query_parameters(request: Request) -> dict[str, str]:
    """Read the parameters of the request's query; raises as :func:`parameters` does."""
    return parameters(request.url.query)


async def form_parameters(request: Request) -> dict[str, str]:
    """Read the parameters of the request's urlencoded body.

    Raises :class:`HTTPException` for a body larger than any form of ours, and what
    :func:`parameters` raises.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise HTTPException(413)
    return parameters(body.decode("utf-8", "replace"))


def required(form: dict[str, str], name: str, otherwise: str) -> str:
    """Return a parameter; raises :class:`OAuthError` that says ``otherwise`` without it."""
    value = form.get(name)
    if value is None:
        raise OAuthError("invalid_request", otherwise)
    return value


def key_in_header(request: Request) -> str | None:
    """Return the key that comes as Bearer or as the user of Basic, if one does."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value or None
    if scheme.lower() == "basic":
        try:
            user = base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user or None
    return None


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
