"""Read the parameters of requests, and write replies and errors, as Stripe does."""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from m3cred_tui.model.text import clean

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
        """401 if the client failed to authenticate, 400 for everything else."""
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


_MAX_BODY = 65_536
_MAX_PARAMETERS = 100


def parameters(text: str) -> dict[str, str]:
    """Read a query or a form; ignore a parameter without a value.

    Raises :class:`OAuthError` if one occurs twice (RFC 6749, section 3.1).
    """
    found: dict[str, str] = {}
    try:
        pairs = parse_qsl(text, max_num_fields=_MAX_PARAMETERS)
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

    Raises :class:`HTTPException` if the body is larger than any of our forms, and whatever
    :func:`parameters` raises.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise HTTPException(413)
    return parameters(body.decode("utf-8", "replace"))


def required(form: dict[str, str], name: str, otherwise: str) -> str:
    """Return a parameter; raises :class:`OAuthError` with the text ``otherwise`` if missing."""
    value = form.get(name)
    if value is None:
        raise OAuthError("invalid_request", otherwise)
    return value


def key_in_header(request: Request) -> str | None:
    """Return the key sent as Bearer or as the user of Basic, if any."""
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
    """Return ``body`` as indented ASCII, so that foreign text cannot control a terminal."""
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


_MAX_KEY = 255
_REPLIES_KEPT = 86_400.0
"""Seconds, as at Stripe."""


class _Replied(NamedTuple):
    path: str
    form: dict[str, str]
    at: float
    reply: Response


class Idempotency:
    """The replies of the last day (https://docs.stripe.com/api/idempotent_requests)."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._replies: dict[tuple[bool, str], _Replied] = {}

    def once(
        self,
        request: Request,
        form: dict[str, str],
        answer: Callable[[], Response],
        *,
        livemode: bool,
    ) -> Response:
        """Call ``answer`` once for each ``Idempotency-Key``, and repeat its reply or refusal.

        Raises :class:`ApiError` if the key is too long or was used for another request.
        """
        key = request.headers.get("idempotency-key")
        if key is None:
            return answer()
        if not 0 < len(key) <= _MAX_KEY:
            raise ApiError(400, f"An idempotency key has 1 to {_MAX_KEY} characters.")
        oldest = self._now() - _REPLIES_KEPT
        self._replies = {one: kept for one, kept in self._replies.items() if kept.at > oldest}
        path, first = request.url.path, self._replies.get((livemode, key))
        if first is None:
            try:
                reply = answer()
            except OAuthError as error:
                reply = refusal(error)
            self._replies[livemode, key] = _Replied(path, form, self._now(), reply)
            return reply
        if (first.path, first.form) != (path, form):
            raise ApiError(
                400,
                "Keys for idempotent requests can only be used with the same parameters they "
                f"were first used with. Try using a key other than '{clean(key)}' if you meant "
                "to execute a different request.",
                kind="idempotency_error",
            )
        again = Response(first.reply.body, first.reply.status_code)
        again.raw_headers = [*first.reply.raw_headers, (b"idempotent-replayed", b"true")]
        return again
