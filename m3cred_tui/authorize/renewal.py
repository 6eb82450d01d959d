"""Authorizing a credential again: another approval replaces its account and its tokens.

A renewal is pending under an ID of its own, so that the old tokens stay until the user has seen
the account. The credential keeps its ID, its name and its destination.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from m3cred_tui.authorize.problems import OtherAccount, RenewedGone
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import (
    Credential,
    Draft,
    Event,
    Happened,
    StripeAccount,
    TokenResponse,
)
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.problems import CredentialDamaged, NotThere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from m3cred_tui.authorize.events import Approved
    from m3cred_tui.authorize.journal import PendingJournal
    from m3cred_tui.store.port import CredentialStore

_NOT_CHECKED = "It was authorized again, and not checked since."


def draft_to_renew(credential: Credential) -> Draft:
    """Return the draft that authorizes a created credential again."""
    return Draft(credential.name, credential.entity_type, credential.destination, credential.id)


def renewals_of(store: CredentialStore, credential_id: str) -> Sequence[Credential]:
    """Return the pending renewals of a credential: those with an approval first."""
    rows = store.read_many(store.pending_ids())
    ours = [row for row in rows if isinstance(row, Credential) and row.renews == credential_id]
    return sorted(ours, key=lambda row: row.account is None)


def renewed_by(store: CredentialStore, pending: Credential) -> Credential:
    """Return the credential that a pending one renews, as it is now.

    Raises ``RenewedGone`` and ``CredentialDamaged``.
    """
    row = store.read(pending.renews or "")
    if row is None:
        raise RenewedGone(pending)
    if not isinstance(row, Credential):
        raise CredentialDamaged(row.id, row.reason)
    return row


def other_account(before: Credential, after: StripeAccount) -> OtherAccount | None:
    """Return what is to be agreed to if the account is not the one before."""
    if before.account is None or before.account.id == after.id:
        return None
    return OtherAccount(before.name, before.account, after)


def account_to_approve(credential: Credential) -> str:
    """Return a sentence that says for which account Stripe has to be asked again."""
    account = credential.account
    if account is None:
        return ""
    name = f"{account.name}, {account.id}" if account.name else account.id
    return f"“{credential.name}” is for the account {name}: log in to that one."


def renew(
    store: CredentialStore,
    pending: Credential,
    approved: Approved,
    journal: PendingJournal,
    replacing: str | None,
) -> Credential:
    """Replace account and tokens of the credential that ``pending`` renews, and return it.

    ``replacing`` is the ID of the account that may be replaced by another. Renewing again
    changes nothing, as the tokens may have been refreshed since. Raises ``OtherAccount``,
    ``RenewedGone``, and what ``CredentialStore.renew`` does.
    """

    def change(now: Credential, tokens: TokenResponse) -> tuple[Credential, TokenResponse]:
        if now.approval == pending.id:
            return now, tokens
        other = other_account(now, approved.account)
        if other is not None and other.before.id != replacing:
            raise other
        return _renewed(now, pending, approved, journal), approved.tokens

    try:
        credential = store.renew(pending.renews or "", pending.id, change)
    except NotThere:
        raise RenewedGone(pending) from None
    store.disconnecting.end(credential.id)
    with suppress(Problem):  # the next check finds it out
        store.checks.keep({credential.id: _check(approved, journal)})
    return credential


def _renewed(
    now: Credential, pending: Credential, approved: Approved, journal: PendingJournal
) -> Credential:
    before, account = now.account, approved.account
    if account.livemode != now.destination.livemode:
        raise ValueError("the account is of the other mode than the destination")
    if before is not None and before.id == account.id:  # Stripe may not have told its name
        name, country = account.name or before.name, account.country or before.country
        account = account._replace(name=name, country=country)
    event = Event(
        Happened.AUTHORIZED, journal.now(), journal.created_by, before.id if before else ""
    )
    return now._replace(account=account, approval=pending.id).remembering(event)


def _check(approved: Approved, journal: PendingJournal) -> CheckResult:
    """Return what is known of the credential now, in place of what a check found before."""
    at, by = journal.now(), journal.created_by
    if journal.is_answered and approved.unread is None:  # the account was read just now
        return CheckResult(Outcome.OK, at, by=by)
    told = str(approved.unread) if approved.unread else _NOT_CHECKED
    return CheckResult(Outcome.FAILED, at, told, by)
