"""Replacing the tokens of Stripe Apps when their hour is over."""

from __future__ import annotations

import asyncio
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from m3cred_tui.model.credential import ACCESS_TOKEN_LIFETIME, OAuthModel
from m3cred_tui.stripe.problems import NothingSent, StripeFailed, StripeProblem, StripeRefused
from m3cred_tui.system.threads import in_thread
from m3cred_tui.upkeep.problems import AnswerLost

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from m3cred_tui.model.credential import TokenResponse
    from m3cred_tui.model.secret import Secret
    from m3cred_tui.store.port import AskedRefresh, CredentialStore, Refresh
    from m3cred_tui.stripe.gateway import StripeGateway

T = TypeVar("T")


async def going_on(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return the result of ``work``, which runs in a thread with an event loop of its own.

    It may block there. Cancelling the wait does not end it; then ``asyncio.run`` waits for it
    before it returns, as the process could not end it in good order later.
    """
    return await in_thread(lambda: asyncio.run(work()), name="m3cred-going-on", holds_loop=True)


MARGIN = timedelta(minutes=5)
"""How long an access token is valid at least when it is handed out."""

_KEY_KEPT = timedelta(days=1)
"""How long Stripe repeats the same answer (https://docs.stripe.com/api/idempotent_requests)."""

_ROUNDS = 2
"""The answer to an earlier request may have expired, too."""

_CONFLICT = 409


def is_over(tokens: TokenResponse, now: datetime) -> bool:
    """Return whether the access token must be replaced before it is used."""
    if tokens.oauth is not OAuthModel.APPS:
        return False
    if tokens.obtained_at is None or tokens.access_token is None:
        return True
    # A token from the future: the clock was wrong then, or it is now.
    age = now - tokens.obtained_at
    return not -MARGIN <= age < ACCESS_TOKEN_LIFETIME - MARGIN


async def fresh(
    store: CredentialStore,
    credential_id: str,
    gateway: StripeGateway,
    now: Callable[[], datetime],
    refused: Secret | None,
) -> TokenResponse:
    """Return tokens whose hour has begun, and which are stored; may block.

    ``refused`` is an access token that Stripe refused. Raises ``StripeProblem``,
    :class:`AnswerLost`, and what ``CredentialStore.update`` does.
    """
    with store.refreshes.begun(credential_id) as refresh:
        # Now that nobody else can: another process may have done it.
        rounds = _ROUNDS
        while rounds and (is_over(refresh.tokens, now()) or _is_token(refused, refresh.tokens)):
            await _replace(refresh, gateway, now())
            rounds -= 1
        return refresh.tokens


async def _replace(refresh: Refresh, gateway: StripeGateway, now: datetime) -> None:
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
    refresh.keep(tokens)


async def _answer(
    refresh: Refresh, gateway: StripeGateway, asked: AskedRefresh
) -> TokenResponse:
    """Return the answer; if the refresh token is dead, also one to an earlier request.

    That may have used it up: what looked like a failure of Stripe may have been a proxy's.
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
