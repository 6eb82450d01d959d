"""From an approval to a credential: nothing is saved before the account has been agreed to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.authorize.journal import created
from m3cred_tui.cli.creation.incoming import can_ask, incoming
from m3cred_tui.cli.creation.pending import names_in_use
from m3cred_tui.model.credential import Credential, Draft, Status
from m3cred_tui.model.name import name_key
from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    from m3cred_tui.authorize.events import Approved
    from m3cred_tui.cli.creation.console import Console
    from m3cred_tui.model.credential import StripeAccount
    from m3cred_tui.store.directory.store import CredentialStore

_NOT_TOLD = "not told by Stripe"


class Terms(NamedTuple):
    """What was agreed to beforehand."""

    yes: bool = False
    """Any account."""
    account_id: str | None = None
    """This account, and no other one."""


class NotConfirmed(Problem):
    """Nobody has agreed to the account; the approval waits."""

    def __init__(self, account: StripeAccount, reason: str, go_on: str) -> None:
        super().__init__(
            f"No credential was created for {account.id}, as {reason}. What Stripe approved is "
            f"kept; to go on: {go_on}"
        )
        self.account = account


class UnexpectedAccount(Problem):
    """Another account was approved than the one that was expected; the approval waits."""

    def __init__(self, account: StripeAccount, expected: str, go_on: str) -> None:
        super().__init__(
            f"Stripe has approved {account.id}, not {expected}, so no credential was created. "
            f"The approval is kept; if it is right, after all: {go_on}"
        )
        self.account = account
        self.expected = expected


class NameTaken(Problem):
    """Another credential has this name."""

    def __init__(self, name: str, go_on: str = "") -> None:
        instead = f" To take another one: {go_on}" if go_on else ""
        super().__init__(f"Another credential already has the name “{name}”.{instead}")
        self.name = name


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
