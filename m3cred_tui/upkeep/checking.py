"""Checking credentials, several at the same time, but not too many."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from m3cred_tui.model.check import LONGEST_TOLD, CheckResult, Outcome
from m3cred_tui.model.credential import Credential, Destination, Status, StripeAccount
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store.problems import CredentialDamaged, IdentityLocked, IdentityMissing
from m3cred_tui.stripe.problems import (
    ReplyLost,
    StripeProblem,
    StripeRefused,
    StripeUnreachable,
    kind_of,
)
from m3cred_tui.upkeep.account import Holder, opened
from m3cred_tui.upkeep.problems import AnswerLost, KeyDoesNotFit, ResultsNotKept, StillPending

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from m3cred_tui.model.credential import TokenResponse
    from m3cred_tui.store.port import CredentialStore
    from m3cred_tui.stripe.gateway import Platform

_log = logging.getLogger(__name__)

_REVOKED = "Access was revoked at Stripe."
_EXPIRED_OR_REVOKED = "Access has expired or was revoked at Stripe."
_OUTCOMES: dict[type[Problem], Outcome] = {
    CredentialDamaged: Outcome.DAMAGED,
    StillPending: Outcome.PENDING,
    KeyDoesNotFit: Outcome.WRONG_KEY,
    AnswerLost: Outcome.REVOKED,
}


def result_of(problem: Problem, at: datetime) -> CheckResult:
    """Return the result of a check that ended with this problem."""
    if isinstance(problem, StripeProblem):
        outcome, told = kind_of(problem), problem.happened
        if outcome is Outcome.REVOKED and isinstance(problem, StripeRefused):
            _log.info("%s", told)
            told = _REVOKED if problem.error == "account_invalid" else _EXPIRED_OR_REVOKED
    else:
        outcome, told = _OUTCOMES.get(type(problem), Outcome.FAILED), str(problem)
    return CheckResult(outcome, at, clean(told, most=LONGEST_TOLD))


T = TypeVar("T")
_NO_ANSWER = StripeUnreachable, ReplyLost

_TOO_MANY = 429
_PAUSES = 1.0, 2.0, 4.0, 8.0, 15.0
"""Seconds before each retry after Stripe has reported too many requests."""
_MOST_UNANSWERED = 16
"""Calls in a row, after which more would only keep the user waiting."""


class Pace:
    """Paces the calls of one check to one Stripe; only for reads, which may be repeated."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Take a function that waits for some seconds."""
        self._sleep = sleep
        self._until = 0.0
        self._unanswered: list[StripeUnreachable | ReplyLost] = []

    async def ask(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer; raises ``StripeProblem``.

        A call without an answer is repeated once. While Stripe reports too many requests, all
        calls wait; after many in a row without an answer, no more are sent.
        """
        pauses = iter(_PAUSES)
        is_again = False
        while True:
            await self._turn()
            try:
                answer = await ask()
            except _NO_ANSWER as problem:
                self._unanswered.append(problem)
                if is_again:
                    raise
                is_again = True
            except StripeProblem as problem:
                self._unanswered.clear()
                pause = next(pauses, None) if _is_too_many(problem) else None
                if pause is None:
                    raise
                self._until = max(self._until, asyncio.get_running_loop().time() + pause)
            else:
                self._unanswered.clear()
                return answer

    async def _turn(self) -> None:
        if len(self._unanswered) >= _MOST_UNANSWERED:
            last = self._unanswered[-1]
            raise type(last)(last.call, last.host, last.reason)
        wait = self._until - asyncio.get_running_loop().time()
        if wait > 0:
            await self._sleep(wait)


def _is_too_many(problem: StripeProblem) -> bool:
    return isinstance(problem, StripeRefused) and problem.status == _TOO_MANY


_KEEP_EVERY = 1.0
"""Seconds between two writes of the results."""
_SHARE = 20
"""Writing takes at most this fraction (1/20) of the time."""

Checked = tuple[str, CheckResult]


@dataclass(slots=True)
class Checking:
    """One run of checks, and what the credentials share in it."""

    store: CredentialStore
    platform: Callable[[Destination], Platform]
    now: Callable[[], datetime]
    time_limit: float
    sleep: Callable[[float], Awaitable[None]]
    by: str = ""
    _paces: dict[Destination, Pace] = field(default_factory=dict)
    _platforms: dict[Destination, Platform | Problem] = field(default_factory=dict)
    _looking_up: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def results(
        self, credential_ids: Sequence[str], at_once: int
    ) -> AsyncGenerator[Checked]:
        """Yield what ``Upkeep.check`` does."""
        results = _Results(self.store.checks.keep)
        waiting = iter(dict.fromkeys(credential_ids))
        running: set[asyncio.Task[Checked]] = set()
        try:
            while True:
                while len(running) < max(1, at_once) and (one := next(waiting, None)):
                    running.add(asyncio.create_task(self._one(one)))
                if not running:
                    break
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    results.add(task.result())
                await results.keep_now_and_then()
                for task in done:
                    running.discard(task)
                    yield task.result()
            await results.keep()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await results.keep_if_possible()

    async def _one(self, credential_id: str) -> Checked:
        """Return the result for a credential; raises only if none can be opened."""
        try:
            result = await self._result(credential_id)
        except (IdentityMissing, IdentityLocked):
            raise
        except Problem as problem:
            result = result_of(problem, self.now())
        _log.info("checked %s: %s", credential_id, result.outcome.value)
        return credential_id, result._replace(by=self.by)

    async def _result(self, credential_id: str) -> CheckResult:
        credential, tokens = await asyncio.to_thread(opened, self.store, credential_id)
        if credential.status is not Status.AUTHENTICATED:
            raise StillPending(credential_id)
        try:
            return await self._asked(credential, tokens)
        except StripeProblem:
            # It may be about tokens that another approval has replaced meanwhile.
            row = await asyncio.to_thread(self.store.read, credential_id)
            if not isinstance(row, Credential) or row.approval == credential.approval:
                raise
        return await self._asked(*await asyncio.to_thread(opened, self.store, credential_id))

    async def _asked(self, credential: Credential, tokens: TokenResponse) -> CheckResult:
        platform = await self._platform_of(credential.destination)
        if isinstance(platform, Problem):
            return result_of(platform, self.now())._replace(outcome=Outcome.NOT_SET_UP)
        limit, by = self.time_limit, self.by
        held = Holder(self.store, credential, tokens, platform, self.now, limit, by)
        pace = self._paces.setdefault(credential.destination, Pace(self.sleep))
        account = await pace.ask(held.account)
        at = self.now()
        await asyncio.to_thread(self._learn, credential, account)
        return CheckResult(Outcome.OK, at)

    async def _platform_of(self, destination: Destination) -> Platform | Problem:
        """Return a platform, determined once, as a command that prints its key may be slow."""
        async with self._looking_up:
            if destination not in self._platforms:
                try:
                    found = await asyncio.to_thread(self.platform, destination)
                    self._platforms[destination] = found
                except Problem as problem:
                    self._platforms[destination] = problem
        return self._platforms[destination]

    def _learn(self, credential: Credential, account: StripeAccount) -> None:
        """Store the current name and country of the account, if possible."""
        known = credential.account
        if known is None:
            return
        name, country = account.name or known.name, account.country or known.country
        renamed = known._replace(name=name, country=country)
        if renamed == known:
            return
        try:
            self.store.update(
                credential.id, lambda now, tokens: (now._replace(account=renamed), tokens)
            )
        except Problem as problem:
            _log.warning("%s keeps the old name of its account: %s", credential.id, problem)


class _Results:
    """The results that are not stored yet."""

    def __init__(self, keep: Callable[[Mapping[str, CheckResult]], None]) -> None:
        self._keep = keep
        self._waiting: dict[str, CheckResult] = {}
        self._next = 0.0

    def add(self, checked: Checked) -> None:
        if checked[1].outcome is not Outcome.PENDING:  # nothing was checked
            self._waiting.update([checked])

    async def keep_now_and_then(self) -> None:
        if asyncio.get_running_loop().time() >= self._next:
            await self.keep_if_possible()

    async def keep_if_possible(self) -> None:
        with suppress(Problem):  # the store has logged it
            await self.keep()

    async def keep(self) -> None:
        """Store them; raises :class:`ResultsNotKept`."""
        if not self._waiting:
            return
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            await asyncio.to_thread(self._keep, dict(self._waiting))
            self._waiting.clear()
        except Problem as problem:
            raise ResultsNotKept(problem) from problem
        finally:
            # The more results there are, the longer it takes.
            self._next = clock() + max(_KEEP_EVERY, _SHARE * (clock() - begun))
