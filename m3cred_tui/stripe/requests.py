"""Asking Stripe: one request, its reply, and what is wrong with it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe import replies
from m3cred_tui.stripe.gateway import LostError, NotSentError, Reply, Request
from m3cred_tui.stripe.problems import (
    Call,
    ReplyLost,
    SecretKeyUnusable,
    StripeFailed,
    StripeNonsense,
    StripeRefused,
    StripeUnreachable,
    TokenMissing,
)
from m3cred_tui.stripe.replies import ReplyError

TIME_LIMIT = 30.0
"""Seconds for one call, from the first to the last byte."""

_OK = 200
_REFUSED = range(400, 500)
_FAILED = range(500, 600)
_KEY = re.compile(r"[!-~]+")

T = TypeVar("T")


class _Send(Protocol):
    def __call__(self, request: Request, *, time_limit: float) -> Awaitable[Reply]: ...


async def ask(
    call: Call,
    request: Request,
    read: Callable[[bytes], T],
    *,
    time_limit: float,
    by_access_token: bool = False,
) -> T:
    """Send the request, once at most, and return what ``read`` makes of a 200 reply.

    ``read`` raises :class:`ReplyError`. Every other outcome is a problem; no secret of the
    request is in it.
    """
    host = host_of(request.url)
    if not _KEY.fullmatch(request.key.reveal()):
        raise (TokenMissing if by_access_token else SecretKeyUnusable)(call, host)
    status, body = await _sent(call, request, time_limit)
    if status == _OK:
        try:
            return read(body)
        except ReplyError as error:
            raise StripeNonsense(call, host, str(error)) from None
    if status in _REFUSED:
        secrets = [value for value in request.form.values() if isinstance(value, Secret)]
        said = replies.refusal(body, secrets=(request.key, *secrets))
        raise StripeRefused(call, host, status, *said, by_access_token=by_access_token)
    if status in _FAILED:
        raise StripeFailed(call, host, status)
    raise StripeNonsense(call, host, f"status {status}")


def host_of(url: str) -> str:
    """Return the host that a user is told of, with its port if there is one."""
    return urlsplit(url).netloc


async def _sent(call: Call, request: Request, time_limit: float) -> Reply:
    host = host_of(request.url)
    send = await asyncio.to_thread(_load_send)
    try:
        return await send(request, time_limit=time_limit)
    except NotSentError as error:
        raise StripeUnreachable(call, host, str(error)) from None
    except LostError as error:
        raise ReplyLost(call, host, str(error)) from None


def _load_send() -> _Send:
    """Import httpx, which takes some 50 ms: not for the thread that draws."""
    from m3cred_tui.stripe.transport import send  # noqa: PLC0415 - as late as it can be

    return send
