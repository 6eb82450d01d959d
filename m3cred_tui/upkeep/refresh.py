"""Replacing the tokens of Stripe Apps when their hour is over."""

from __future__ import annotations

import asyncio
import hmac
import threading
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from m3cred_tui.model.credential import ACCESS_TOKEN_LIFETIME, OAuthModel
from m3cred_tui.stripe.problems import NothingSent, StripeFailed, StripeProblem, StripeRefused
from m3cred_tui.upkeep.problems import AnswerLost

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from m3cred_tui.model.credential import TokenResponse
    from m3cred_tui.model.secret import Secret
    from m3cred_tui.store.directory.refreshing import Asked, Refresh
    from m3cred_tui.store.directory.store import CredentialStore
    from m3cred_tui.stripe.gateway import StripeGateway

    Now = Callable[[], datetime]


T = TypeVar("T")


async def going_on(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return the result of ``work``, which runs in a thread with an event loop of its own.

    It may block there. Cancelling the wait does not end it; then ``asyncio.run`` waits for it
    before it returns, as the process could not end it in good order later.
    """
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()  # from now on it cannot be cancelled

    def run() -> None:
        try:
            done.set_result(asyncio.run(work()))
        except BaseException as error:
            done.set_exception(error)

    thread = threading.Thread(target=run, name="m3cred-going-on")
    thread.start()
    try:
        return await asyncio.wrap_future(done)
    except asyncio.CancelledError:
        asyncio.get_running_loop().run_in_executor(None, thread.join)
        raise


MARGIN = timedelta(minutes=5)
"""How long an access token counts at least when it is handed out."""

_KEY_KEPT = timedelta(days=1)
"""How long Stripe gives the same answer again (https://docs.stripe.com/api/idempotent_requests)."""

_ROUNDS = 2
"""The answer to a question of some time ago may itself be over."""

_CONFLICT = 409


def is_over(tokens: TokenResponse, now: datetime) -> bool:
    """Tell whether the access token has to be replaced before it is used."""
    if tokens.oauth is not OAuthModel.APPS:
        return False
    if tokens.obtained_at is None or tokens.access_token is None:
        return True
    # An answer from the future: the clock was wrong then, or it is now.
    age = now - tokens.obtained_at
    return not -MARGIN <= age < ACCESS_TOKEN_LIFETIME - MARGIN


async def fresh(
    store: CredentialStore,
    credential_id: str,
    gateway: StripeGateway,
    now: Now,
    *,
    refused: Secret | None = None,
) -> TokenResponse:
    """Return tokens whose hour has begun, of which the disk has a copy.

    ``refused`` is an access token that Stripe did not take. Goes on when the caller is
    cancelled. Raises ``StripeProblem``, :class:`AnswerLost`, and what
    ``CredentialStore.update`` does.
    """
    return await going_on(partial(_fresh, store, credential_id, gateway, now, refused))


async def _fresh(
    store: CredentialStore,
    credential_id: str,
    gateway: StripeGateway,
    now: Now,
    refused: Secret | None,
) -> TokenResponse:
    with store.refreshes.begun(credential_id) as refresh:
        # Again, under the lock: another process may have done it.
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


async def _answer(refresh: Refresh, gateway: StripeGateway, asked: Asked) -> TokenResponse:
    """Return the answer, where the refresh token is dead also one to an earlier question.

    It may have died by that: what looked like a failure of Stripe's may have been a proxy's.
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
    """Tell whether the tokens are certainly those that were there before."""
    if _is_refused(problem):
        return True
    if not is_first:  # what was asked before may have been answered
        return False
    if isinstance(problem, StripeRefused):
        return problem.status != _CONFLICT  # the same question is being answered
    return isinstance(problem, NothingSent)


def _is_refused(problem: StripeProblem) -> bool:
    return isinstance(problem, StripeRefused) and problem.error == "invalid_grant"


def _is_token(refused: Secret | None, tokens: TokenResponse) -> bool:
    if refused is None or tokens.access_token is None:
        return False
    return hmac.compare_digest(refused.reveal(), tokens.access_token.reveal())
