"""Read the parameters of requests, and write replies and errors, as Stripe does."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
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


class RefusedError(Exception):
    """A request that is refused, with the status and the body of the reply."""

    def __init__(self, status: int, body: dict[str, object]) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body

    def reply(self) -> Response:
        """Return the error as a reply."""
        return json_reply(self.body, self.status)


class OAuthError(RefusedError):
    """An error of an OAuth endpoint (RFC 6749, section 5.2; Stripe's OAuth reference)."""

    def __init__(self, code: OAuthCode, description: str) -> None:
        status = 401 if code == "invalid_client" else 400
        super().__init__(status, {"error": code, "error_description": description})


class ApiError(RefusedError):
    """An error of Stripe's API, whose ``error`` is an object."""

    def __init__(
        self, status: int, message: str, code: str = "", kind: str = "invalid_request_error"
    ) -> None:
        details = {"message": message, "type": kind}
        super().__init__(status, {"error": details | ({"code": code} if code else {})})


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
    if name not in form:
        raise OAuthError("invalid_request", otherwise)
    return form[name]


def key_in_header(request: Request) -> str | None:
    """Return the key sent as Bearer or as the user of Basic, if any."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    key = value.strip() if scheme.lower() == "bearer" else ""
    if scheme.lower() == "basic":
        with suppress(ValueError):
            key = base64.b64decode(value.strip(), validate=True).decode().partition(":")[0]
    return key or None


_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def json_reply(body: dict[str, object], status: int = 200) -> Response:
    """Return ``body`` as indented ASCII, so that foreign text cannot control a terminal."""
    text = json.dumps(body, indent=2) + "\n"
    return Response(text, status, _HEADERS, media_type="application/json")


async def error_reply(_request: Request, error: Exception) -> Response:
    """Show a :class:`RefusedError`."""
    if not isinstance(error, RefusedError):
        raise error
    return error.reply()


_MAX_KEY = 255
_REPLIES_KEPT = 86_400.0
"""Seconds, as at Stripe."""


class _Replied(NamedTuple):
    request: tuple[str, dict[str, str]]
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
        asked, first = (request.url.path, form), self._replies.get((livemode, key))
        if first is None:
            try:
                reply = answer()
            except OAuthError as error:
                reply = error.reply()
            self._replies[livemode, key] = _Replied(asked, self._now(), reply)
            return reply
        if first.request != asked:
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
