"""Stripe Connect (https://docs.stripe.com/connect/oauth-reference)."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from m3cred_tui.model.credential import StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe import replies
from m3cred_tui.stripe.asking import TIME_LIMIT, ask, host_of
from m3cred_tui.stripe.calls import Call
from m3cred_tui.stripe.http import Form, Request
from m3cred_tui.stripe.platform import Platform, livemode_of, refuse_clear_text
from m3cred_tui.stripe.problems import KeyOfOtherMode


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
