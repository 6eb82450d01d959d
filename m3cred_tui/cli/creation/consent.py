"""From a pending credential to a created one, once the account is agreed to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.authorize.journal import created
from m3cred_tui.cli.creation.incoming import can_ask, incoming
from m3cred_tui.model.authorization import TIME_LIMIT
from m3cred_tui.model.credential import Credential, Draft, Status, is_credential_id
from m3cred_tui.model.name import name_key
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store.directory.record import Damaged
from m3cred_tui.store.problems import CredentialDamaged, NotThere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from m3cred_tui.authorize.events import Approved
    from m3cred_tui.cli.output.console import Console
    from m3cred_tui.model.credential import StripeAccount
    from m3cred_tui.store.directory.store import CredentialStore


class NothingPending(Problem, code="NothingPending"):
    """No credential is pending."""

    text = "No credential is pending. Begin one with m3cred create --name NAME."


class NotPending(Problem, code="NotPending"):
    """No pending credential has this ID or name."""

    text = "No pending credential has the ID or name “{word}”. {_others}"
    word: str
    pending: Sequence[Credential]

    @property
    def _others(self) -> str:
        return f"Pending are: {_listed(self.pending)}." if self.pending else "None is pending."


class RequestExpired(Problem, code="RequestExpired"):
    """The authorization request was removed, as nobody approved it in time."""

    text = "“{expired.name}” was not approved in ten minutes. Begin anew with m3cred create."
    expired: Credential


class SeveralPending(Problem, code="SeveralPending"):
    """Several credentials are pending, and none was named."""

    text = "Say which one, by its ID: {_listed}."
    pending: Sequence[Credential]

    @property
    def _listed(self) -> str:
        return _listed(self.pending)


def find_pending(
    store: CredentialStore, word: str | None, expired: Sequence[Credential] = ()
) -> Credential:
    """Return the pending credential with this ID, beginning of an ID, or name; or the only one.

    By its whole ID, one that is created already is found, too. ``expired`` are those that have
    just been removed. Raises ``Problem``: :class:`NothingPending`, :class:`NotPending`,
    :class:`RequestExpired`, :class:`SeveralPending`, and what the store does.
    """
    if word is not None and is_credential_id(word):
        for one in expired:
            if one.id == word:
                raise RequestExpired(one)
        return _by_id(store, word)
    rows = map(store.read, store.pending_ids())
    pending = [row for row in rows if isinstance(row, Credential)]
    found = _called(word, pending)
    if len(found) > 1:
        raise SeveralPending(found)
    if found:
        return found[0]
    if gone := _called(word, expired):
        raise RequestExpired(gone[0])
    raise NothingPending if word is None else NotPending(clean(word, most=64), pending)


def _called(word: str | None, among: Sequence[Credential]) -> Sequence[Credential]:
    if word is None:
        return among
    named = [one for one in among if name_key(one.name) == name_key(word)]
    return named or [one for one in among if word and one.id.startswith(word.lower())]


def _by_id(store: CredentialStore, credential_id: str) -> Credential:
    row = store.read(credential_id)
    if isinstance(row, Damaged):
        raise CredentialDamaged(row.id, row.reason)
    if row is None:
        raise NotThere(credential_id)
    return row


def names_in_use(store: CredentialStore) -> set[str]:
    """Return the :func:`name_key` of every credential's name; one that is pending has none."""
    rows = store.read_many(store.ids())
    created = (row for row in rows if isinstance(row, Credential))
    return {name_key(row.name) for row in created if row.status is not Status.PENDING}


def state_of(pending: Credential) -> str:
    """Say how far a pending credential is, as a sentence without its full stop."""
    if pending.account is not None:
        approved = pending.account.id
        return f"Stripe has approved {approved} for “{pending.name}”, which is not created yet"
    until = (pending.created_at + TIME_LIMIT).astimezone()
    return f"“{pending.name}” waits for Stripe until {until:%H:%M}"


def _listed(pending: Sequence[Credential]) -> str:
    return "; ".join(f"{one.id}, {state_of(one)}" for one in pending)


_NOT_TOLD = "not told by Stripe"


class Terms(NamedTuple):
    """What was agreed to beforehand."""

    yes: bool = False
    """Any account."""
    account_id: str | None = None
    """This account, and no other one."""


class NotConfirmed(Problem, code="NotConfirmed"):
    """Nobody agreed to the account; the approval is kept."""

    text = """No credential was created for {account.id}, as {reason}. What Stripe approved is
        kept; to go on: {go_on}"""
    account: StripeAccount
    reason: str
    go_on: str


class UnexpectedAccount(Problem, code="UnexpectedAccount"):
    """Stripe approved another account than ``--expect-account``; the approval is kept."""

    text = """Stripe has approved {account.id}, not {expected}, so no credential was created.
        The approval is kept; if it is right, after all: {go_on}"""
    account: StripeAccount
    expected: str
    go_on: str


class NameTaken(Problem, code="NameTaken"):
    """Another credential has this name."""

    text = "Another credential already has the name “{name}”.{_instead}"
    name: str
    go_on: str = ""

    @property
    def _instead(self) -> str:
        return f" To take another one: {self.go_on}" if self.go_on else ""


async def agreed(
    approved: Approved, pending: Credential, terms: Terms, console: Console
) -> None:
    """Return once the user has seen the account and agrees.

    Raises :class:`UnexpectedAccount` and :class:`NotConfirmed`.
    """
    account = approved.account
    go_on = console.command("resume", pending.id)
    console.say(_described(approved))
    if terms.account_id not in {None, account.id}:
        raise UnexpectedAccount(account, str(terms.account_id), go_on)
    if terms.yes or terms.account_id:
        return
    if not can_ask():
        reason = "nobody could be asked"
        raise NotConfirmed(account, reason, f"{go_on} --expect-account {account.id}")
    console.tell("Create the credential? [y/N] ", end="")
    if not await _says_yes(console):
        raise NotConfirmed(account, "you did not agree", go_on)


async def saved(
    approved: Approved, pending: Credential, name: str, store: CredentialStore, console: Console
) -> Credential:
    """Create the credential under this name; raises ``Problem`` where it is not there then."""
    if name_key(name) in await asyncio.to_thread(names_in_use, store):
        raise NameTaken(name, console.command("resume", pending.id, "--name", "NAME"))
    draft = Draft(name, pending.entity_type, pending.destination)
    credential = created(pending, approved.account, draft)
    try:
        await asyncio.to_thread(store.create, credential, approved.tokens)
    except Problem as problem:
        row = store.read(credential.id)  # the disk has the last word
        if not (isinstance(row, Credential) and row.status is Status.AUTHENTICATED):
            raise
        console.say(str(problem))
    return credential


async def _says_yes(console: Console) -> bool:
    with incoming(shown=True) as lines:
        try:
            answer = await lines.get()
        except asyncio.CancelledError:
            console.tell("")  # what is said next begins a line
            raise
    return (answer or "").strip().lower() in {"y", "yes"}


def _described(approved: Approved) -> str:
    account = approved.account
    told = filter(None, (approved.unread, approved.unkept))
    lines = (
        "Stripe has approved access to this account:",
        f"  Stripe account  {account.name or _NOT_TOLD}",
        f"  Account ID      {account.id}",
        f"  Country         {account.country or _NOT_TOLD}",
        f"  Mode            {account.mode.upper()}",
        *map(str, told),
    )
    return "\n".join(lines)
