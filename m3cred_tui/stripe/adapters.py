"""Stripe's two OAuth models over HTTP: Connect, and Stripe Apps."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import ClassVar, TypeVar
from urllib.parse import urlencode, urlsplit

from m3cred_tui.model.credential import OAuthModel, StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe import replies
from m3cred_tui.stripe.gateway import (
    Form,
    LostError,
    NotSentError,
    Platform,
    Reply,
    Request,
    StripeGateway,
    livemode_of,
)
from m3cred_tui.stripe.problems import (
    Call,
    KeyOfOtherMode,
    ReplyLost,
    SecretKeyUnusable,
    StripeFailed,
    StripeNonsense,
    StripeRefused,
    StripeUnreachable,
    TokenMissing,
)

TIME_LIMIT = 30.0
"""Seconds for one call, from the first to the last byte."""

_REACH_LIMIT = 10.0

_OK, _REFUSED, _FAILED = 200, range(400, 500), range(500, 600)
_KEY = re.compile(r"[!-~]+")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")

T = TypeVar("T")


async def _send(call: Call, request: Request, time_limit: float) -> Reply:
    """Send the request at most once; raises ``StripeUnreachable`` and ``ReplyLost``."""

    def load() -> Callable[..., Awaitable[Reply]]:
        from m3cred_tui.stripe.transport import send  # noqa: PLC0415 - httpx takes some 50 ms

        return send

    send = await asyncio.to_thread(load)  # so that the app can draw meanwhile
    try:
        return await send(request, time_limit=time_limit)
    except NotSentError as error:
        raise StripeUnreachable(call, _host(request), str(error)) from None
    except LostError as error:
        raise ReplyLost(call, _host(request), str(error)) from None


def _host(request: Request) -> str:
    """Return the host to name in messages, with its port if any."""
    return urlsplit(request.url).netloc


@dataclass(frozen=True, slots=True)
class _Gateway:
    """What both models share; see :class:`~m3cred_tui.stripe.gateway.StripeGateway`."""

    platform: Platform
    time_limit: float = field(default=TIME_LIMIT, kw_only=True)
    _basic: ClassVar[bool] = False
    """Send the platform's key as Basic, not as Bearer."""

    def __post_init__(self) -> None:
        for base in (self.platform.connect_base, self.platform.api_base):
            parts = urlsplit(base)
            if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
                raise ValueError("a secret key is sent in clear to this machine only")

    def _url(self, path: str) -> str:
        """Return an OAuth endpoint for the platform's server."""
        return f"{self.platform.connect_base}/oauth/{path}"

    def _post(self, path: str, form: Form) -> Request:
        key = self.platform.secret_key
        return Request("POST", self._url(path), key, form=form, basic=self._basic)

    async def reach(self) -> None:
        parts = urlsplit(self._url(""))
        root = f"{parts.scheme}://{parts.netloc}/"
        await _send(Call.REACH, Request("GET", root, Secret(""), basic=True), _REACH_LIMIT)

    async def deauthorize(self, account_id: str) -> None:
        form = {"client_id": self.platform.client_id, "stripe_user_id": account_id}
        read = partial(replies.deauthorized, account_id=account_id)
        await self._ask(Call.DEAUTHORIZE, self._post("deauthorize", form), read)

    async def _ask(
        self,
        call: Call,
        request: Request,
        read: Callable[[bytes], T],
        *,
        by_access_token: bool = False,
    ) -> T:
        """Send the request at most once, and return what ``read`` makes of a 200 reply.

        ``read`` raises :class:`~m3cred_tui.stripe.replies.ReplyError`. Every other outcome is
        a problem, which contains no secret of the request.
        """
        host = _host(request)
        if not _KEY.fullmatch(request.key.reveal()):
            raise (TokenMissing if by_access_token else SecretKeyUnusable)(call, host)
        status, body = await _send(call, request, self.time_limit)
        if status == _OK:
            try:
                return read(body)
            except replies.ReplyError as error:
                raise StripeNonsense(call, host, str(error)) from None
        if status in _REFUSED:
            secrets = [value for value in request.form.values() if isinstance(value, Secret)]
            refusal = replies.refusal(body, secrets=(request.key, *secrets))
            raise StripeRefused(call, host, status, *refusal, by_access_token=by_access_token)
        if status in _FAILED:
            raise StripeFailed(call, host, status)
        raise StripeNonsense(call, host, f"status {status}")


@dataclass(frozen=True, slots=True)
class ConnectGateway(_Gateway):
    """Stripe for a platform that uses Connect.

    It calls Stripe with the platform's key and the account's id, as Stripe advises; any tokens
    that an exchange still returns are not needed.
    """

    def authorize_url(self, *, redirect_uri: str, state: Secret) -> str:
        query = {
            "response_type": "code",
            "client_id": self.platform.client_id,
            "scope": "read_write",
            "redirect_uri": redirect_uri,
            "state": state.reveal(),
        }
        return f"{self._url('authorize')}?{urlencode(query)}"

    async def exchange(self, code: Secret) -> TokenResponse:
        form: Form = {"grant_type": "authorization_code", "code": code}
        return await self._ask(Call.EXCHANGE, self._post("token", form), replies.token_response)

    async def refresh(
        self, tokens: TokenResponse, idempotency_key: str, *, asked_at: datetime | None = None
    ) -> TokenResponse:
        """Return the tokens unchanged: those of Connect never expire, so nothing is sent."""
        del idempotency_key, asked_at
        return tokens

    async def account(
        self, account_id: str, *, livemode: bool, access_token: Secret | None = None
    ) -> StripeAccount:
        """Read the account with the platform's key; the access token is not used."""
        del access_token
        url, key = f"{self.platform.api_base}/v1/account", self.platform.secret_key
        request = Request("GET", url, key, headers={"Stripe-Account": account_id})
        if livemode_of(key) is (not livemode):
            raise KeyOfOtherMode(Call.ACCOUNT, _host(request), livemode=livemode)
        read = partial(replies.stripe_account, account_id=account_id, livemode=livemode)
        return await self._ask(Call.ACCOUNT, request, read)


@dataclass(frozen=True, slots=True)
class AppsGateway(_Gateway):
    """Stripe for a platform with a Stripe App.

    The platform's key is used only to obtain tokens; the account itself is reached with its
    access token, whose hour is measured by ``now``. Stripe documents disconnecting for Connect
    only; here it is the same request at the API's own address, as published apps send it.
    """

    now: Callable[[], datetime]
    _basic: ClassVar[bool] = True

    def _url(self, path: str) -> str:
        return f"{self.platform.api_base}/v1/oauth/{path}"

    def authorize_url(self, *, redirect_uri: str, state: Secret) -> str:
        """Return the address without a scope: an app's rights are in its manifest."""
        query = {
            "client_id": self.platform.client_id,
            "redirect_uri": redirect_uri,
            "state": state.reveal(),
        }
        channel = f"{self.platform.channel}/" if self.platform.channel else ""
        base = self.platform.marketplace_base
        return f"{base}/oauth/v2/{channel}authorize?{urlencode(query)}"

    async def exchange(self, code: Secret) -> TokenResponse:
        obtained_at = self.now()  # before the request, so that no token seems to last longer
        request = self._post("token", {"grant_type": "authorization_code", "code": code})
        tokens = await self._ask(Call.EXCHANGE, request, replies.apps_token_response)
        return tokens._replace(oauth=OAuthModel.APPS, obtained_at=obtained_at)

    async def refresh(
        self, tokens: TokenResponse, idempotency_key: str, *, asked_at: datetime | None = None
    ) -> TokenResponse:
        """Replace the tokens; fields that Stripe omits stay unchanged.

        Raises :class:`ValueError` if the idempotency key is invalid.
        """
        if not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
            raise ValueError("an idempotency key is 1 to 255 visible ASCII characters")
        obtained_at = asked_at or self.now()
        refresh_token = tokens.refresh_token or Secret("")
        form: Form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        headers = {"Idempotency-Key": idempotency_key}
        request = self._post("token", form)._replace(headers=headers)
        if not refresh_token:
            raise TokenMissing(Call.REFRESH, _host(request))
        if livemode_of(self.platform.secret_key) is (not tokens.livemode):
            raise KeyOfOtherMode(Call.REFRESH, _host(request), livemode=tokens.livemode)
        read = partial(replies.refreshed, before=tokens)
        after = await self._ask(Call.REFRESH, request, read)
        return after._replace(oauth=OAuthModel.APPS, obtained_at=obtained_at)

    async def account(
        self, account_id: str, *, livemode: bool, access_token: Secret | None = None
    ) -> StripeAccount:
        """Read the account with its access token."""
        url = f"{self.platform.api_base}/v1/account"
        request = Request("GET", url, access_token or Secret(""))
        read = partial(replies.stripe_account, account_id=account_id, livemode=livemode)
        return await self._ask(Call.ACCOUNT, request, read, by_access_token=True)


def gateway_for(
    platform: Platform, now: Callable[[], datetime], *, time_limit: float = TIME_LIMIT
) -> StripeGateway:
    """Return the adapter for the platform's OAuth model.

    For an existing credential, that is the model of its tokens, whatever the settings say:
    ``gateway_for(platform._replace(oauth=tokens.oauth), now)``.
    """
    if platform.oauth is OAuthModel.APPS:
        return AppsGateway(platform, now, time_limit=time_limit)
    return ConnectGateway(platform, time_limit=time_limit)
