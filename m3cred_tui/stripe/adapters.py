"""Stripe's two OAuth models over HTTP: Connect, and Stripe Apps."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from m3cred_tui.model.credential import OAuthModel, StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe import replies
from m3cred_tui.stripe.gateway import (
    Form,
    Platform,
    Request,
    StripeGateway,
    livemode_of,
    refuse_clear_text,
)
from m3cred_tui.stripe.problems import Call, KeyOfOtherMode, TokenMissing
from m3cred_tui.stripe.requests import TIME_LIMIT, ask, host_of


@dataclass(frozen=True, slots=True)
class ConnectGateway:
    """The :class:`~m3cred_tui.stripe.gateway.StripeGateway` of a platform that uses Connect.

    It calls Stripe with the platform's key and the account's id, as Stripe advises; the
    tokens that an exchange may still give are not needed.
    """

    platform: Platform
    time_limit: float = TIME_LIMIT

    def __post_init__(self) -> None:
        refuse_clear_text(self.platform)

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
        """Exchange an authorization code; sent once at most, as a second use revokes it."""
        url = f"{self.platform.connect_base}/oauth/token"
        form: Form = {"grant_type": "authorization_code", "code": code}
        request = Request("POST", url, self.platform.secret_key, form=form)
        return await ask(
            Call.EXCHANGE, request, replies.token_response, time_limit=self.time_limit
        )

    async def refresh(
        self, tokens: TokenResponse, idempotency_key: str, *, asked_at: datetime | None = None
    ) -> TokenResponse:
        """Return the tokens as they are: with Connect they do not end, so nothing is asked."""
        del idempotency_key, asked_at
        return tokens

    async def deauthorize(self, account_id: str) -> None:
        """Disconnect the account from the platform: all of its tokens end."""
        url = f"{self.platform.connect_base}/oauth/deauthorize"
        form = {"client_id": self.platform.client_id, "stripe_user_id": account_id}
        request = Request("POST", url, self.platform.secret_key, form=form)
        read = partial(replies.deauthorized, account_id=account_id)
        await ask(Call.DEAUTHORIZE, request, read, time_limit=self.time_limit)

    async def account(
        self, account_id: str, *, livemode: bool, access_token: Secret | None = None
    ) -> StripeAccount:
        """Read the account by the platform's key; the access token is not used."""
        del access_token
        url, key = f"{self.platform.api_base}/v1/account", self.platform.secret_key
        if livemode_of(key) is (not livemode):
            raise KeyOfOtherMode(Call.ACCOUNT, host_of(url), livemode=livemode)
        request = Request("GET", url, key, headers={"Stripe-Account": account_id})
        read = partial(replies.stripe_account, account_id=account_id, livemode=livemode)
        return await ask(Call.ACCOUNT, request, read, time_limit=self.time_limit)


_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class AppsGateway:
    """The :class:`~m3cred_tui.stripe.gateway.StripeGateway` of a platform with a Stripe App.

    The platform's key gets tokens, and nothing else is done with it; the account itself is
    reached by its access token, whose hour is counted by ``now``.
    """

    platform: Platform
    now: Callable[[], datetime]
    time_limit: float = TIME_LIMIT

    def __post_init__(self) -> None:
        refuse_clear_text(self.platform)

    def authorize_url(self, *, redirect_uri: str, state: Secret) -> str:
        """Return the address at which the account's owner approves access.

        There is no scope: what an app may do is written in its manifest.
        """
        query = {
            "client_id": self.platform.client_id,
            "redirect_uri": redirect_uri,
            "state": state.reveal(),
        }
        channel = f"{self.platform.channel}/" if self.platform.channel else ""
        base = self.platform.marketplace_base
        return f"{base}/oauth/v2/{channel}authorize?{urlencode(query)}"

    async def exchange(self, code: Secret) -> TokenResponse:
        """Exchange an authorization code; sent once at most, as a second use may revoke it."""
        obtained_at = self.now()  # before Stripe's own clock, so that no token is overrated
        request = self._post("token", {"grant_type": "authorization_code", "code": code})
        tokens = await ask(
            Call.EXCHANGE, request, replies.apps_token_response, time_limit=self.time_limit
        )
        return tokens._replace(oauth=OAuthModel.APPS, obtained_at=obtained_at)

    async def refresh(
        self, tokens: TokenResponse, idempotency_key: str, *, asked_at: datetime | None = None
    ) -> TokenResponse:
        """Replace the tokens: see :meth:`~m3cred_tui.stripe.gateway.StripeGateway.refresh`.

        What Stripe leaves out stays as it was. Raises :class:`ValueError` for what is not an
        idempotency key.
        """
        if not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
            raise ValueError("an idempotency key is 1 to 255 visible ASCII characters")
        obtained_at = asked_at or self.now()
        refresh_token = tokens.refresh_token or Secret("")
        form: Form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        request = self._post("token", form, {"Idempotency-Key": idempotency_key})
        host = host_of(request.url)
        if not refresh_token:
            raise TokenMissing(Call.REFRESH, host)
        if livemode_of(self.platform.secret_key) is (not tokens.livemode):
            raise KeyOfOtherMode(Call.REFRESH, host, livemode=tokens.livemode)
        read = partial(replies.refreshed, before=tokens)
        after = await ask(Call.REFRESH, request, read, time_limit=self.time_limit)
        return after._replace(oauth=OAuthModel.APPS, obtained_at=obtained_at)

    async def deauthorize(self, account_id: str) -> None:
        """Disconnect the account from the platform: all of its tokens end.

        Stripe documents this for Connect only; for Stripe Apps it is the same request at the
        API's own address, which apps in public use call.
        """
        form = {"client_id": self.platform.client_id, "stripe_user_id": account_id}
        read = partial(replies.deauthorized, account_id=account_id)
        request = self._post("deauthorize", form)
        await ask(Call.DEAUTHORIZE, request, read, time_limit=self.time_limit)

    async def account(
        self, account_id: str, *, livemode: bool, access_token: Secret | None = None
    ) -> StripeAccount:
        """Read the account by its access token."""
        url = f"{self.platform.api_base}/v1/account"
        request = Request("GET", url, access_token or Secret(""))
        read = partial(replies.stripe_account, account_id=account_id, livemode=livemode)
        return await ask(
            Call.ACCOUNT, request, read, time_limit=self.time_limit, by_access_token=True
        )

    def _post(self, path: str, form: Form, headers: dict[str, str] | None = None) -> Request:
        url = f"{self.platform.api_base}/v1/oauth/{path}"
        return Request(
            "POST", url, self.platform.secret_key, headers or {}, form=form, basic=True
        )


HttpxGateway = ConnectGateway  # for callers that do not choose by the model yet


def gateway_for(
    platform: Platform, now: Callable[[], datetime], *, time_limit: float = TIME_LIMIT
) -> StripeGateway:
    """Return the adapter for the platform's OAuth model.

    For a credential that exists, that is the model of its tokens, whatever is set today:
    ``gateway_for(platform._replace(oauth=tokens.oauth), now)``.
    """
    if platform.oauth is OAuthModel.APPS:
        return AppsGateway(platform, now, time_limit)
    return ConnectGateway(platform, time_limit)
