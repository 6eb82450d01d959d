"""What a request says: its parameters, and the key it is made with."""

import base64
import binascii
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from m3cred_tui.demo_stripe.errors import OAuthError

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
