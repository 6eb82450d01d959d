"""Stripe over httpx."""

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from m3cred_tui.model.credential import StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe import replies
from m3cred_tui.stripe.http import LostError, NotSentError, Reply, Request
from m3cred_tui.stripe.platform import Platform
from m3cred_tui.stripe.problems import (
    Call,
    ReplyLost,
    SecretKeyUnusable,
    StripeFailed,
    StripeNonsense,
    StripeRefused,
    StripeUnreachable,
)
from m3cred_tui.stripe.replies import ReplyError

_SECONDS = 30.0
_OK = 200
_REFUSED = range(400, 500)
_FAILED = range(500, 600)
_KEY = re.compile(r"[!-~]+")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class _Send(Protocol):
    def __call__(self, request: Request, *, time_limit: float) -> Awaitable[Reply]: ...


@dataclass(frozen=True, slots=True)
class HttpxGateway:
    """The :class:`~m3cred_tui.stripe.gateway.StripeGateway` of one platform.

    It keeps no connection: an authorization makes two calls, each to a host of its own.
    """

    platform: Platform
    time_limit: float = _SECONDS
    """Seconds for one call, from the first to the last byte."""

    def __post_init__(self) -> None:
        for base in (self.platform.connect_base, self.platform.api_base):
            parts = urlsplit(base)
            if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
                raise ValueError("a secret key is sent in clear to this machine only")

    def authorize_url(self, *, redirect_uri: str, state: Secret) -> str:
        """Return the address at which the account's owner approves access."""
        query = {
            "response_type": "code",
            "client_id": self.platform.client_id,
            "scope": "read_write",
            "redirect_uri": redirect_uri,
            "state": state.reveal(),
        }
        return f"{self.platform.connect_base}/oauth/authorize?{urlencode(query)}"

    async def exchange(self, code: Secret) -> TokenResponse:
        """Exchange an authorization code; sent once at most, as a second use revokes it.

        Raises :class:`~m3cred_tui.stripe.problems.StripeProblem`.
        """
        url = f"{self.platform.connect_base}/oauth/token"
        form: dict[str, Secret | str] = {"grant_type": "authorization_code", "code": code}
        request = Request("POST", url, self.platform.secret_key, {}, form)
        body = await self._ask(Call.EXCHANGE, request, secrets=(code,))
        try:
            return replies.token_response(body)
        except ReplyError as error:
            raise StripeNonsense(Call.EXCHANGE, _host(url), str(error)) from None

    async def account(self, account_id: str, *, livemode: bool) -> StripeAccount:
        """Read a connected account; Stripe does not say its mode here, so it is passed on.

        Raises :class:`~m3cred_tui.stripe.problems.StripeProblem`.
        """
        url = f"{self.platform.api_base}/v1/account"
        headers = {"Stripe-Account": account_id}
        request = Request("GET", url, self.platform.secret_key, headers, {})
        body = await self._ask(Call.ACCOUNT, request)
        try:
            return replies.stripe_account(body, account_id, livemode=livemode)
        except ReplyError as error:
            raise StripeNonsense(Call.ACCOUNT, _host(url), str(error)) from None

    async def _ask(
        self, call: Call, request: Request, secrets: tuple[Secret, ...] = ()
    ) -> bytes:
        """Return the body of a 200 reply; every other outcome is a problem."""
        host = _host(request.url)
        if not _KEY.fullmatch(request.key.reveal()):
            raise SecretKeyUnusable(call, host)
        send = await asyncio.to_thread(_load_send)
        try:
            status, body = await send(request, time_limit=self.time_limit)
        except NotSentError as error:
            raise StripeUnreachable(call, host, str(error)) from None
        except LostError as error:
            raise ReplyLost(call, host, str(error)) from None
        if status == _OK:
            return body
        if status in _REFUSED:
            said = replies.refusal(body, secrets=(request.key, *secrets))
            raise StripeRefused(call, host, status, said.error, said.description)
        if status in _FAILED:
            raise StripeFailed(call, host, status)
        raise StripeNonsense(call, host, f"status {status}")


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _load_send() -> _Send:
    """Import httpx, which takes some 50 ms: not for the thread that draws."""
    from m3cred_tui.stripe.transport import send  # noqa: PLC0415 - as late as it can be

    return send
