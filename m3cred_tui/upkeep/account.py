"""An opened credential, its account at Stripe, and the access to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from m3cred_tui.model.credential import Credential, OAuthModel, Status
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.problems import NotThere
from m3cred_tui.stripe.adapters import gateway_for
from m3cred_tui.stripe.gateway import livemode_of
from m3cred_tui.stripe.problems import Call, StripeRefused, TokenMissing
from m3cred_tui.upkeep.problems import KeyDoesNotFit, StillPending
from m3cred_tui.upkeep.refresh import fresh, going_on, is_over

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from m3cred_tui.model.credential import StripeAccount, TokenResponse
    from m3cred_tui.model.secret import Secret
    from m3cred_tui.store.port import CredentialStore
    from m3cred_tui.stripe.gateway import Platform, StripeGateway


UNAUTHORIZED = 401


def opened(store: CredentialStore, credential_id: str) -> tuple[Credential, TokenResponse]:
    """Return a credential that Stripe has approved, and its tokens.

    Raises :class:`StillPending` where Stripe has not, and what ``CredentialStore.opened`` does.
    """
    try:
        return store.opened(credential_id)
    except NotThere:
        if store.read(credential_id) is None:
            raise
        raise StillPending(credential_id) from None


def sharing(store: CredentialStore, credential_id: str) -> list[Credential]:
    """Return the other credentials of the same account, mode and OAuth model.

    One that cannot be opened is assumed to be of the same model. Raises ``StoreUnusable``.
    """
    mine = store.read(credential_id)
    if not isinstance(mine, Credential) or mine.account is None:
        return []
    others = [one for one in store.ids() if one != credential_id]
    same_account = [
        row
        for row in store.read_many(others)
        if isinstance(row, Credential) and row.account and row.account.id == mine.account.id
        if row.destination == mine.destination
    ]
    model = _model(store, mine)
    return [one for one in same_account if not model or _model(store, one) in {model, None}]


def _model(store: CredentialStore, credential: Credential) -> OAuthModel | None:
    try:
        return store.tokens(credential.id).oauth
    except Problem:
        return None


class Access(NamedTuple):
    """A key, and the account to use it for."""

    key: Secret
    """With Connect the platform's secret key; with Stripe Apps the account's access token."""
    account_id: str
    """With Connect sent as ``Stripe-Account``; with Stripe Apps the key implies it."""
    livemode: bool
    oauth: OAuthModel
    api_base: str


@dataclass(slots=True)
class Holder:
    """A credential, its tokens, and the Stripe gateway for them."""

    store: CredentialStore
    credential: Credential
    tokens: TokenResponse
    platform: Platform
    gateway: StripeGateway
    now: Callable[[], datetime]
    by_token: StripeGateway
    """Reads the account with the credential's access token, with Connect, too."""

    async def freshen(self, refused: Secret | None = None) -> None:
        """Replace the access token if its hour is over; raises what :func:`fresh` does.

        Continues when the caller is cancelled.
        """
        if self.is_fixed or not (refused or is_over(self.tokens, self.now())):
            return
        store, credential_id = self.store, self.credential.id
        refreshing = partial(fresh, store, credential_id, self.gateway, self.now, refused)
        self.tokens = await going_on(refreshing)

    async def account(self) -> StripeAccount:
        """Read the account; raises ``StripeProblem`` and what :func:`fresh` does.

        An access token that Stripe refuses although its hour is not over is replaced once.
        """
        await self.freshen()
        return await self._account(self.gateway)

    async def own_account(self) -> StripeAccount:
        """Read the account as :meth:`account` does, but with the credential's own access token.

        Whatever platform is set by now, the answer is about what was approved. Call it while
        the token's hour is not over: a refresh is tried only when Stripe refuses the token.
        """
        return await self._account(self.by_token)

    @property
    def is_fixed(self) -> bool:
        """Whether the tokens are never replaced: Connect's, and a pending credential's."""
        is_pending = self.credential.status is Status.PENDING
        return is_pending or self.tokens.oauth is not OAuthModel.APPS

    async def _account(self, gateway: StripeGateway) -> StripeAccount:
        try:
            return await self._answer(gateway)
        except StripeRefused as refused:
            if refused.status != UNAUTHORIZED or self.is_fixed:
                raise
        await self.freshen(refused=self.tokens.access_token)
        return await self._answer(gateway)

    async def _answer(self, gateway: StripeGateway) -> StripeAccount:
        tokens = self.tokens
        return await gateway.account(
            tokens.account_id, livemode=tokens.livemode, access_token=tokens.access_token
        )

    def access(self) -> Access:
        """Return what a program needs; raises ``TokenMissing``."""
        tokens, platform = self.tokens, self.platform
        is_app = tokens.oauth is OAuthModel.APPS
        key = tokens.access_token if is_app else platform.secret_key
        if key is None:
            raise TokenMissing(Call.ACCOUNT, urlsplit(platform.api_base).netloc)
        return Access(key, tokens.account_id, tokens.livemode, tokens.oauth, platform.api_base)


def holder(
    store: CredentialStore,
    credential: Credential,
    tokens: TokenResponse,
    platform: Platform,
    now: Callable[[], datetime],
    time_limit: float,
) -> Holder:
    """Return a holder that can ask Stripe; raises :class:`KeyDoesNotFit`."""
    if livemode_of(platform.secret_key) is (not tokens.livemode):
        raise KeyDoesNotFit(credential.destination, livemode=tokens.livemode)
    platform = platform._replace(oauth=tokens.oauth)
    gateway = gateway_for(platform, now, time_limit=time_limit)
    apps = platform._replace(oauth=OAuthModel.APPS)
    by_token = gateway_for(apps, now, time_limit=time_limit)
    return Holder(store, credential, tokens, platform, gateway, now, by_token)
