"""One authorization, from a draft or a pending credential to a created one; knows no UI.

The app and the command line drive the same object: they draw what :meth:`Authorization.follow`
yields, and say when to paste, to create and to leave.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import replace
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from m3cred_tui.authorize.events import Approved, Failed, UrlReady
from m3cred_tui.authorize.journal import PendingJournal, created, draft_of
from m3cred_tui.authorize.renewal import renew, renewed_by
from m3cred_tui.model.credential import Credential, Draft, Status
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.names import check_name
from m3cred_tui.store.problems import AnsweredElsewhere, NotThere
from m3cred_tui.system.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import datetime

    from m3cred_tui.authorize.events import End, Event
    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.model.authorization import AuthorizationRequest
    from m3cred_tui.model.credential import Destination, StripeAccount
    from m3cred_tui.store.port import CredentialStore, Stamp


class State(Enum):
    """How far an authorization is, even while nobody follows it."""

    NEW = auto()
    """Stripe has not been asked."""
    REQUESTED = auto()
    """The request is kept; Stripe's redirect may come here or to another process."""
    EXCHANGING = auto()
    """The code was sent, once; the exchange continues even when nobody follows it."""
    KEPT = auto()
    """The approval is sealed in the store, and was not opened yet."""
    APPROVED = auto()
    """The account is known, and the credential can be created."""
    FAILED = auto()
    """It has ended without an account; only a new authorization helps."""
    CREATED = auto()
    """The credential is in the store."""


class Created(NamedTuple):
    """A credential that is in the store; ``doubt`` is what the store reported nevertheless."""

    credential: Credential
    doubt: Problem | None = None


class Authorization:
    """Makes sure that an approval can be kept, asks Stripe, and creates the credential.

    It is used in the event loop's thread alone.
    """

    def __init__(
        self,
        store: CredentialStore,
        authorizer: Callable[[Destination], Authorizer],
        begun: Draft | Credential,
        *,
        now: Callable[[], datetime],
        created_by: str,
        late: Callable[[End], None] | None = None,
    ) -> None:
        """Take a draft that Stripe is to be asked for, or a pending credential to be resumed.

        ``authorizer`` may block, and raises ``Problem``. ``late`` is given the end of an
        exchange that was no longer followed.
        """
        draft, pending = (begun, None) if isinstance(begun, Draft) else (draft_of(begun), begun)
        self._store = store
        self._authorizer = authorizer
        self._late = late
        self._journal = PendingJournal(store, draft, now, created_by, pending)
        self._ready: UrlReady | None = None
        self._waiting: asyncio.Task[Any] | None = None
        self._is_left = False
        self._is_created = False

    @property
    def pending(self) -> Credential | None:
        """The pending credential, as soon as there is one."""
        return self._journal.credential

    @property
    def destination(self) -> Destination:
        """The destination; raises ``ValueError`` for a draft without one."""
        if (destination := (self.pending or self._journal.draft).destination) is None:
            raise ValueError("the draft has no destination")
        return destination

    @property
    def end(self) -> End | None:
        """What Stripe's answer has led to, as soon as that is known."""
        return self._journal.end

    @property
    def state(self) -> State:
        """How far it is."""
        journal = self._journal
        if self._is_created:
            return State.CREATED
        if journal.end is not None:
            return State.FAILED if isinstance(journal.end, Failed) else State.APPROVED
        if journal.credential is None:
            return State.NEW
        if journal.credential.account is not None:
            return State.KEPT
        return State.EXCHANGING if journal.is_answered else State.REQUESTED

    @property
    def kept(self) -> Draft | None:
        """What the store has already, to be resumed later."""
        if self.pending is None or self.state is State.FAILED or self.would_lose is not None:
            return None
        return draft_of(self.pending)

    @property
    def would_lose(self) -> Problem | None:
        """Why leaving loses an approval: it could not be kept."""
        match self.end:
            case Approved(unkept=unkept) if not self._is_created:
                return unkept
        return None

    async def follow(self) -> AsyncGenerator[Event]:
        """Yield what happens; the last event is :class:`Approved` or :class:`Failed`.

        Yields nothing more after :meth:`leave`. Closing the generator (``aclosing``) or
        cancelling the task that it runs in leaves, too. Raises ``Problem`` where it could not
        begin; then nothing was asked of Stripe, and it can be followed again.
        """
        self._is_left = False
        journal, pending = self._journal, self.pending
        if journal.end is None and pending is not None and pending.account is not None:
            tokens = await asyncio.to_thread(self._store.tokens, pending.id)
            journal.end = Approved(tokens, pending.account)
        if journal.end is not None:
            yield await self._completed(journal.end)
            return
        authorizer, request = await asyncio.to_thread(self._prepared)
        await authorizer.reach()
        async with aclosing(authorizer.authorize(request)) as events:
            while not self._is_left and (event := await self._next(events)):
                match event:
                    case UrlReady():
                        self._ready = event
                    case Approved() | Failed():
                        journal.end = journal.end or event  # it may be kept by now
                        event = await self._completed(event)
                yield event

    async def _completed(self, end: End) -> End:
        """Return the end, with the other credentials for the account."""
        if isinstance(end, Failed) or self.pending is None:
            return end
        with suppress(Problem):  # the approval counts for more
            own_ids = {self.pending.id, self.pending.renews}
            others = await asyncio.to_thread(_others_for, self._store, end.account, own_ids)
            return replace(end, others=others)
        return end

    async def _next(self, events: AsyncGenerator[Event]) -> Event | None:
        """Return the next event, or ``None`` after the last one and after :meth:`leave`."""
        task = self._waiting = asyncio.current_task()
        try:
            return await anext(events)
        except StopAsyncIteration:
            return None
        except asyncio.CancelledError:
            if self._is_left and task is not None and not task.uncancel():
                return None
            raise  # the task was cancelled for something else, too
        finally:
            self._waiting = None

    def _prepared(self) -> tuple[Authorizer, AuthorizationRequest | None]:
        """Make sure that what Stripe will approve can be kept, before Stripe is asked."""
        self._store.prepare()
        authorizer = self._authorizer(self.destination)
        pending = self.pending
        request = None if pending is None else self._unanswered(pending.id)
        return replace(authorizer, journal=self._journal, late=self._ended_late), request

    def _unanswered(self, credential_id: str) -> AuthorizationRequest:
        try:
            return self._store.requests.read(credential_id)
        except NotThere as problem:  # the list had it a moment ago
            raise AnsweredElsewhere(credential_id) from problem

    def _ended_late(self, end: End) -> None:
        self._journal.end = end
        if self._late is not None:
            self._late(end)

    def paste(self, text: str, *, final: bool) -> None:
        """Take a pasted address, as :attr:`UrlReady.paste` does; the wait continues."""
        if self._ready is not None:
            self._ready.paste(text, final=final)

    def leave(self) -> None:
        """Stop following: a request stays, and so does an approval that is kept.

        A code that was sent is not taken back: see :attr:`State.EXCHANGING`.
        """
        self._is_left = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()

    async def until_kept(self, seconds: float | None) -> None:
        """Wait until an approval that could not be kept is; raises why it is not in time."""
        keeping = self._journal.keeping
        if keeping is None:
            return
        if keeping.is_alive():
            kept = in_thread(keeping.join, name="m3cred-until-kept")
            await asyncio.wait({kept}, timeout=seconds)
        if not keeping.is_kept:
            raise keeping.problem

    async def create(self, name: str, *, replacing: str | None = None) -> Created:
        """Create the credential under this name; the disk has the last word on whether it is.

        What renews another credential replaces the account and tokens of that, which keeps its
        own name; ``replacing`` is the ID of the account that the user agrees to replace by
        another. A failure keeps the approval. Raises ``NameTaken``, ``OtherAccount``,
        ``RenewedGone``, and what the store does.
        """
        pending, end = self.pending, self.end
        if pending is None or not isinstance(end, Approved):
            raise ValueError("Stripe has not approved it")
        done: Callable[[], Credential]
        if pending.renews:
            done = partial(renew, self._store, pending, end, self._journal, replacing)
        else:
            seen = self._store.stamp()
            await self.check_name(name)
            done = partial(_create, self._store, created(pending, end.account, name), end, seen)
        doubt = None
        try:
            credential = await asyncio.to_thread(done)
        except Problem as problem:
            there = await asyncio.to_thread(created_from, self._store, pending)
            if there is None:
                raise
            credential, doubt = there, problem
        self._is_created = True
        if self._journal.keeping is not None:
            await asyncio.to_thread(self._journal.keeping.stop)
        return Created(credential, doubt)

    def renewed(self) -> Credential | None:
        """Return the credential that it renews, as it is now, if it renews one; may block.

        Raises ``RenewedGone``, and ``CredentialDamaged`` if it cannot be renewed.
        """
        pending = self.pending
        return renewed_by(self._store, pending) if pending and pending.renews else None

    def renew_nothing(self) -> None:
        """Let an approval become a new credential, as the one that it renews is gone."""
        journal = self._journal
        if journal.credential is not None:
            journal.credential = journal.credential._replace(renews=None)

    async def check_name(self, name: str) -> None:
        """Raise ``NameTaken`` where another credential has this name, pending ones apart."""
        own_id = self.pending and self.pending.id
        await asyncio.to_thread(check_name, self._store, name, own_id)


def _others_for(
    store: CredentialStore, account: StripeAccount, own_ids: set[str | None]
) -> tuple[str, ...]:
    """Return the names of the other credentials for this account and mode."""
    of = account.id, account.livemode
    rows = store.read_many(store.ids())
    return tuple(
        row.name
        for row in rows
        if isinstance(row, Credential) and row.account is not None and row.id not in own_ids
        if (row.account.id, row.account.livemode) == of and row.status is Status.AUTHENTICATED
    )


def _create(
    store: CredentialStore, credential: Credential, approved: Approved, seen: Stamp
) -> Credential:
    store.create(credential, approved.tokens, seen)
    return credential._replace(expires_at=approved.tokens.expires_at)


def created_from(store: CredentialStore, pending: Credential) -> Credential | None:
    """Return what has become of a pending credential in the store, if it is created."""
    try:
        row = store.read(pending.renews or pending.id)
    except Problem:
        return None
    if not isinstance(row, Credential) or row.status is not Status.AUTHENTICATED:
        return None
    return row if row.approval == pending.id or not pending.renews else None
