"""Checks and disconnects credentials, and gives programs access with them; knows no UI.

The tokens of a Stripe Apps credential are replaced when their hour is over, by one process.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from m3cred_tui.model.credential import Credential, OAuthModel, Status
from m3cred_tui.model.problem import Problem
from m3cred_tui.upkeep.account import Access, Holder, going_on, opened
from m3cred_tui.upkeep.checking import Checking
from m3cred_tui.upkeep.disconnecting import disconnected, not_begun
from m3cred_tui.upkeep.problems import NoOwnKey, StillPending

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from datetime import datetime

    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.model.credential import Destination, TokenResponse
    from m3cred_tui.store.port import CredentialStore
    from m3cred_tui.stripe.gateway import Platform
    from m3cred_tui.upkeep.disconnecting import Disconnected

TIME_LIMIT = 15.0
"""Seconds for one call to Stripe."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Its dependencies; cheap to construct, and accesses nothing until it is used."""

    store: CredentialStore
    platform: Callable[[Destination], Platform]
    """May block, as a command may give the key; called in a thread. Raises ``Problem``."""
    now: Callable[[], datetime]
    time_limit: float = TIME_LIMIT
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    by: str = ""
    """Who checks and refreshes, as it is remembered."""

    async def access(self, credential_id: str, *, by_platform: bool = False) -> Access:
        """Return what a program needs to call Stripe with this credential.

        The key is the credential's own access token, which acts on its account whatever the
        program does, or ``by_platform`` the platform's secret key. An access token of Stripe
        Apps that is about to expire is replaced first; one of Connect needs no platform. Raises
        :class:`NoOwnKey` and other kinds of ``Problem``.
        """
        credential, tokens = await asyncio.to_thread(opened, self.store, credential_id)
        if credential.status is not Status.AUTHENTICATED:
            raise StillPending(credential_id)
        if by_platform:
            platform = (await self._holder(credential, tokens)).platform
            return Access(platform.secret_key, tokens.account_id, platform.client_id)
        if tokens.oauth is OAuthModel.APPS:
            held = await self._holder(credential, tokens)
            await held.freshen()
            tokens = held.tokens
        if tokens.access_token is None:
            raise NoOwnKey(credential.id, tokens.account_id)
        return Access(tokens.access_token, tokens.account_id)

    def check(
        self, credential_ids: Sequence[str], *, at_once: int = 8
    ) -> AsyncGenerator[tuple[str, CheckResult]]:
        """Ask Stripe about each credential, and yield each result as it arrives.

        Each credential comes once, in the order of the answers. The results, except for
        pending credentials, are stored in ``store.checks``, even if the generator is closed
        early (``aclosing``). Raises ``IdentityMissing`` and ``IdentityLocked``, and after the
        last result :class:`ResultsNotKept`.
        """
        checking = Checking(
            self.store, self.platform, self.now, self.time_limit, self.sleep, self.by
        )
        return checking.results(credential_ids, at_once)

    async def disconnect(self, credential_id: str) -> Disconnected:
        """Disconnect the account at Stripe, then delete the credential.

        Once begun, it continues even if the caller is cancelled. If it does not finish, the
        credential stays in ``store.disconnecting``; then call this again. Never raises
        ``Problem``.
        """
        return await going_on(partial(self._disconnect, credential_id))

    def also_affected(self, credential_id: str) -> list[Credential]:
        """Return the other credentials that lose access when this one is disconnected.

        They have the same account, mode and OAuth model; one that cannot be opened is assumed
        to have the same model. Reads every credential; raises ``StoreUnusable``.
        """
        mine = self.store.read(credential_id)
        if not isinstance(mine, Credential) or mine.account is None:
            return []
        account_id, model = mine.account.id, self._model(mine)
        return [
            row
            for row in self.store.read_many(self.store.ids())
            if isinstance(row, Credential) and row.account and row.account.id == account_id
            if row.destination == mine.destination and row.id != mine.id
            if not model or self._model(row) in {model, None}
        ]

    def _model(self, credential: Credential) -> OAuthModel | None:
        try:
            return self.store.tokens(credential.id).oauth
        except Problem:
            return None

    async def _disconnect(self, credential_id: str) -> Disconnected:
        try:
            approved = await asyncio.to_thread(opened, self.store, credential_id)
            held = await self._holder(*approved)
        except Problem as problem:
            return not_begun(problem)
        return await disconnected(held)

    async def _holder(self, credential: Credential, tokens: TokenResponse) -> Holder:
        platform = await asyncio.to_thread(self.platform, credential.destination)
        limit, by = self.time_limit, self.by
        return Holder(self.store, credential, tokens, platform, self.now, limit, by)
