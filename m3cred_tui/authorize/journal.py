"""Keeping an authorization in the store, step by step, until it is a credential."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from m3cred_tui.authorize.events import Approved, Failed
from m3cred_tui.authorize.keeping import Keeping
from m3cred_tui.model.credential import (
    Credential,
    Draft,
    Status,
    StripeAccount,
    TokenResponse,
    credential_id,
)
from m3cred_tui.model.name import tidy_name
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.problems import AnsweredElsewhere, OutcomeUnknown
from m3cred_tui.stripe.problems import NoUsableReply

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from m3cred_tui.authorize.events import End
    from m3cred_tui.model.authorization import AuthorizationRequest
    from m3cred_tui.store.port import CredentialStore


class Journal:
    """Writes down each step of an authorization before the next one; this one keeps nothing.

    Each method may block.
    """

    def requested(self, request: AuthorizationRequest) -> None:
        """Keep the request, before its URL is seen; raises ``Problem``."""

    def answered(self, request: AuthorizationRequest) -> None:
        """Let no other process answer it, and make room: the code is about to be sent, once.

        Raises ``AnsweredElsewhere`` when another one was faster, and another ``Problem`` when
        what Stripe would approve could not be kept.
        """

    def taken(self) -> Problem | None:
        """Return the problem when another process has answered it, or it was deleted."""

    def approved(self, tokens: TokenResponse, account: StripeAccount) -> None:
        """Keep what Stripe gave, or what is known of the account by now; raises ``Problem``."""

    def claimed(self, end: End) -> None:
        """Record what became of the code, even when nobody waits for it.

        An approval that could not be kept is tried again, in a thread.
        """

    def ended(self) -> None:
        """Forget the request: it was refused, or its time is over."""


@dataclass(slots=True)
class PendingJournal(Journal):
    """Keeps an authorization in the store, as a pending credential."""

    store: CredentialStore
    draft: Draft
    now: Callable[[], datetime]
    created_by: str
    credential: Credential | None = None
    """The pending credential, from the request on; given where a request is resumed."""
    is_answered: bool = False
    """Whether the code was sent, or is about to be."""
    end: End | None = None
    """What became of the code, once that is known."""
    keeping: Keeping | None = None
    """Set for an approval that could not be kept."""

    def requested(self, request: AuthorizationRequest) -> None:
        """Keep the request; raises ``Problem`` as the store does."""
        self.credential = pending_credential(
            self.draft,
            created_at=self.now(),
            created_by=self.created_by,
            randomness=os.urandom(10),
        )
        self.store.requests.keep(self.credential, request)

    def answered(self, request: AuthorizationRequest) -> None:
        """Mark the request; raises what the store does."""
        if self.credential is not None:
            try:
                self.store.requests.answer(self.credential, request)
            except OutcomeUnknown:
                if self.store.requests.waits(self.credential.id):
                    raise  # otherwise it is marked, and only a crash could undo that
        self.is_answered = True

    def taken(self) -> Problem | None:
        """Return ``AnsweredElsewhere`` when the request is no longer pending."""
        if self.credential is None:
            return None
        try:
            waits = self.store.requests.waits(self.credential.id)
        except Problem:
            return None  # a disk that does not answer now says nothing of it
        return None if waits else AnsweredElsewhere(self.credential.id)

    def approved(self, tokens: TokenResponse, account: StripeAccount) -> None:
        """Keep the approval; raises ``Problem`` as the store does."""
        if self.credential is not None:
            approved = self.credential._replace(account=account)
            self.store.keep_pending(approved, tokens)
            self.credential = approved

    def claimed(self, end: End) -> None:
        """Record it, and what follows for the request."""
        self.end = end
        match end:
            case Approved(unkept=Problem() as unkept):
                keep, seal = partial(self._keep, end), partial(self._sealed, end)
                self.keeping = Keeping(end, unkept, keep, seal)
                with suppress(RuntimeError):  # there can be no more threads
                    self.keeping.start()
            case Failed(problem) if self.credential and not isinstance(problem, NoUsableReply):
                with suppress(Problem):  # it stays then, and says that the code was sent
                    self.store.requests.settle(self.credential.id)

    def _keep(self, approved: Approved) -> None:
        self.approved(approved.tokens, approved.account)
        self.end = replace(approved, unkept=None)

    def _sealed(self, approved: Approved) -> bytes:
        assert self.credential is not None  # noqa: S101 - it is requested
        credential = self.credential._replace(account=approved.account)
        return self.store.sealed(credential, approved.tokens)

    def ended(self) -> None:
        """Remove the request if possible: it expires on its own."""
        if self.credential is not None:
            with suppress(Problem):
                self.store.requests.drop(self.credential.id)


def pending_credential(
    draft: Draft, *, created_at: datetime, created_by: str, randomness: bytes
) -> Credential:
    """Return a pending credential; ``randomness`` is for :func:`credential_id`.

    Raises :class:`ValueError` for a draft with a stage left out.
    """
    if draft.entity_type is None or draft.destination is None:
        raise ValueError("the draft has no entity type or no destination")
    return Credential(
        id=credential_id(created_at, randomness),
        name=tidy_name(draft.name),
        entity_type=draft.entity_type,
        destination=draft.destination,
        account=None,
        created_at=created_at,
        created_by=created_by,
        status=Status.PENDING,
        renews=draft.renews,
    )


def created(pending: Credential, account: StripeAccount, name: str) -> Credential:
    """Return what Create Credential makes of it; the user may have chosen another name by then.

    Raises :class:`ValueError` for an account of the other mode than the destination's.
    """
    if account.livemode != pending.destination.livemode:
        raise ValueError("the account is of the other mode than the destination")
    return pending._replace(
        name=tidy_name(name), account=account, status=Status.AUTHENTICATED, renews=None
    )


def draft_of(pending: Credential) -> Draft:
    """Return the draft that a resumed authorization begins with."""
    return Draft(pending.name, pending.entity_type, pending.destination, pending.renews)
