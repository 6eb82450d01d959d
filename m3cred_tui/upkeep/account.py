"""An opened credential: its account at Stripe, access to that, and fresh tokens."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from m3cred_tui.model.credential import (
    ACCESS_TOKEN_LIFETIME,
    Event,
    Happened,
    OAuthModel,
    Status,
)
from m3cred_tui.store.problems import NotThere
from m3cred_tui.stripe.adapters import gateway_for
from m3cred_tui.stripe.gateway import livemode_of
from m3cred_tui.stripe.problems import (
    NothingSent,
    StripeFailed,
    StripeProblem,
    StripeRefused,
)
from m3cred_tui.system.threads import in_thread
from m3cred_tui.upkeep.problems import AnswerLost, KeyDoesNotFit, StillPending

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from m3cred_tui.model.credential import Credential, StripeAccount, TokenResponse
    from m3cred_tui.model.secret import Secret
    from m3cred_tui.store.port import AskedRefresh, CredentialStore, Refresh
    from m3cred_tui.stripe.gateway import Platform, StripeGateway

T = TypeVar("T")

UNAUTHORIZED = 401
_CONFLICT = 409

MARGIN = timedelta(minutes=5)
"""How long an access token is valid, at least, when it is handed out."""

_KEY_KEPT = timedelta(days=1)
"""How long Stripe repeats the same answer (https://docs.stripe.com/api/idempotent_requests)."""

_ROUNDS = 2
"""Attempts, as the answer to an earlier request may have expired, too."""


def opened(store: CredentialStore, credential_id: str) -> tuple[Credential, TokenResponse]:
    """Return a credential that Stripe has approved, and its tokens.

    Raises :class:`StillPending` if Stripe has not, and what ``CredentialStore.opened`` does.
    """
    try:
        return store.opened(credential_id)
    except NotThere:
        if store.read(credential_id) is None:
            raise
        raise StillPending(credential_id) from None


async def going_on(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return the result of ``work``, which runs in a thread with its own event loop.

    It may block there. Cancelling this does not end it; then ``asyncio.run`` waits for it
    before it returns, as the process could not end it in an orderly way later.
    """
    return await in_thread(lambda: asyncio.run(work()), name="m3cred-going-on", holds_loop=True)


class Access(NamedTuple):
    """A key for a program, and the account that it gives access to."""

    key: Secret
    account_id: str
    platform_id: str | None = None
    """The platform's client id, where the key is the platform's.

    Such a key acts on the platform's own account, except in requests that name another one in
    ``Stripe-Account``. Any other key acts on the credential's account only.
    """


@dataclass(slots=True)
class Holder:
    """A credential, its tokens, and their Stripe gateway; raises ``KeyDoesNotFit``."""

    store: CredentialStore
    credential: Credential
    tokens: TokenResponse
    platform: Platform
    now: Callable[[], datetime]
    time_limit: float
    """Seconds for one call to Stripe."""
    by: str = ""
    """Who refreshes, as it is remembered."""
    gateway: StripeGateway = field(init=False)

    def __post_init__(self) -> None:
        if livemode_of(self.platform.secret_key) is (not self.tokens.livemode):
            raise KeyDoesNotFit(self.credential.destination)
        self.gateway = self._gateway(self.tokens.oauth)

    def _gateway(self, oauth: OAuthModel) -> StripeGateway:
        platform = self.platform._replace(oauth=oauth)
        return gateway_for(platform, self.now, time_limit=self.time_limit)

    @property
    def is_over(self) -> bool:
        """Whether the access token must be replaced before it is used."""
        return _is_over(self.tokens, self.now())

    @property
    def _is_fixed(self) -> bool:
        """Whether the tokens are never replaced: those of Connect or a pending credential."""
        is_pending = self.credential.status is Status.PENDING
        return is_pending or self.tokens.oauth is not OAuthModel.APPS

    async def freshen(self, refused: Secret | None = None) -> None:
        """Replace the access token if its hour is over, or if Stripe ``refused`` it.

        The new tokens are stored, even if the caller is cancelled. Raises
        ``StripeProblem``, :class:`AnswerLost`, and what ``CredentialStore.update`` does.
        """
        if not self._is_fixed and (refused or self.is_over):
            self.tokens = await going_on(lambda: self._refreshed(refused))

    async def _refreshed(self, refused: Secret | None) -> TokenResponse:
        with self.store.refreshes.begun(self.credential.id) as refresh:
            # Checked again under the lock: another process may have replaced them.
            for _ in range(_ROUNDS):
                tokens = refresh.tokens
                if not (_is_over(tokens, self.now()) or _is_token(refused, tokens)):
                    break
                event = Event(Happened.REFRESHED, self.now(), self.by) if self.by else None
                await _replace(refresh, self.gateway, self.now(), event)
            return refresh.tokens

    async def account(self) -> StripeAccount:
        """Read the account; raises what :meth:`freshen` does.

        An access token that Stripe refuses although its hour is not over is replaced once.
        """
        await self.freshen()
        return await self._account(self.gateway)

    async def own_account(self) -> StripeAccount:
        """Read the account as :meth:`account` does, but with the credential's own access token.

        The answer is about what was approved, whatever platform is set now. Call it before the
        token's hour is over: a refresh is tried only when Stripe refuses the token.
        """
        # Adapters for Stripe Apps use the access token, with Connect's, too.
        return await self._account(self._gateway(OAuthModel.APPS))

    async def _account(self, gateway: StripeGateway) -> StripeAccount:
        try:
            return await self._answer(gateway)
        except StripeRefused as refused:
            if refused.status != UNAUTHORIZED or self._is_fixed:
                raise
        await self.freshen(refused=self.tokens.access_token)
        return await self._answer(gateway)

    async def _answer(self, gateway: StripeGateway) -> StripeAccount:
        tokens = self.tokens
        return await gateway.account(
            tokens.account_id, livemode=tokens.livemode, access_token=tokens.access_token
        )


def _is_over(tokens: TokenResponse, now: datetime) -> bool:
    if tokens.oauth is not OAuthModel.APPS:
        return False
    if tokens.obtained_at is None or tokens.access_token is None:
        return True
    # A token from the future: the clock was wrong then, or it is now.
    age = now - tokens.obtained_at
    return not -MARGIN <= age < ACCESS_TOKEN_LIFETIME - MARGIN


async def _replace(
    refresh: Refresh, gateway: StripeGateway, now: datetime, event: Event | None
) -> None:
    before = refresh.unanswered
    asked = refresh.ask(now)
    try:
        tokens = await _answer(refresh, gateway, asked)
    except StripeProblem as problem:
        if _is_settled(problem, is_first=before is None):
            refresh.forget()
        if _is_refused(problem) and before and now - before.begun_at > _KEY_KEPT:
            raise AnswerLost(before.begun_at) from problem
        raise
    refresh.keep(tokens, event)


async def _answer(
    refresh: Refresh, gateway: StripeGateway, asked: AskedRefresh
) -> TokenResponse:
    """Return the answer; if the refresh token is invalid, that to an earlier request.

    That request may have used the token: an apparent failure of Stripe may be a proxy's.
    """
    question = asked
    while True:
        try:
            return await gateway.refresh(refresh.tokens, question.key, asked_at=question.at)
        except StripeFailed:
            if question is asked:
                refresh.failed(asked)
            raise
        except StripeRefused as refused:
            earlier = question.earlier
            if earlier is None or not _is_refused(refused):
                raise
            question = earlier


def _is_settled(problem: StripeProblem, *, is_first: bool) -> bool:
    """Return whether the tokens are certainly unchanged."""
    if _is_refused(problem):
        return True
    if not is_first:  # the earlier request may have been answered
        return False
    if isinstance(problem, StripeRefused):
        return problem.status != _CONFLICT  # the same request is being answered
    return isinstance(problem, NothingSent)


def _is_refused(problem: StripeProblem) -> bool:
    return isinstance(problem, StripeRefused) and problem.error == "invalid_grant"


def _is_token(refused: Secret | None, tokens: TokenResponse) -> bool:
    if refused is None or tokens.access_token is None:
        return False
    return hmac.compare_digest(refused.reveal(), tokens.access_token.reveal())
