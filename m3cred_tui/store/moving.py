"""Moving credentials from one store to another: written there, compared, then removed here."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.fields import credential_fields, secret_fields
from m3cred_tui.store.port import Damaged
from m3cred_tui.store.problems import AlreadyThere, NotThere

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.model.credential import TokenResponse
    from m3cred_tui.store.port import CredentialStore, Row

    Checks = Mapping[str, CheckResult]


class Outcome(StrEnum):
    """What became of a credential; all but the first two leave it where it was."""

    MOVED = "moved"
    WAS_THERE = "was_there"
    """It was there already, and the same, so it was only removed here."""
    DIFFERS = "differs"
    """It is there, and is another."""
    PENDING = "pending"
    DAMAGED = "damaged"
    FAILED = "failed"


class Moved(NamedTuple):
    """The outcome for one credential, and why, as a sentence."""

    row: Row
    outcome: Outcome
    told: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it is there now, and not here."""
        return self.outcome in {Outcome.MOVED, Outcome.WAS_THERE}


class _ChangedError(Exception):
    """A credential is not what was copied."""


def move(source: CredentialStore, target: CredentialStore, *, dry: bool) -> Iterator[Moved]:
    """Move each credential; ``dry`` only says what would become of it.

    It can be run again wherever it ended. Raises ``StoreUnusable`` if a store cannot be read
    at all.
    """
    ids = source.ids()
    checks = source.checks.whole()
    target.ids()
    if not dry:
        target.prepare()
    for row in source.read_many(ids):
        if row is not None:
            try:
                yield _moved(source, target, row, None if dry else checks)
            except NotThere:
                continue  # deleted meanwhile
            except Problem as problem:
                yield Moved(row, Outcome.FAILED, str(problem))


def _moved(
    source: CredentialStore, target: CredentialStore, row: Row, checks: Checks | None
) -> Moved:
    """Move a credential; without ``checks``, only say what would become of it."""
    if isinstance(row, Damaged):
        return Moved(row, Outcome.DAMAGED, f"It is damaged: {row.reason}.")
    if row.status is not Status.AUTHENTICATED:
        return Moved(row, Outcome.PENDING, "It is pending; create or delete it first.")
    if checks is not None:
        return _move(source, target, row, checks)
    here = source.opened(row.id)
    return _compared(row, here, target) if target.read(row.id) else Moved(row, Outcome.MOVED)


def _move(
    source: CredentialStore, target: CredentialStore, row: Credential, checks: Checks
) -> Moved:
    # Nobody refreshes it meanwhile, or the new tokens would be removed with it.
    with source.refreshes.begun(row.id):
        here = source.opened(row.id)
        outcome = Outcome.MOVED
        try:
            target.create(*here)
        except AlreadyThere:
            outcome = Outcome.WAS_THERE
        compared = _compared(row, here, target)
        if not compared.is_done:
            return compared
        if checked := checks.get(row.id):
            target.checks.keep({row.id: checked})

        def look(credential: Credential, tokens: TokenResponse) -> None:
            if _fields(credential, tokens) != _fields(*here):
                raise _ChangedError

        try:
            source.delete(row.id, look)
        except _ChangedError:
            if outcome is Outcome.MOVED:  # the next move would differ from the older copy
                with suppress(_ChangedError):
                    target.delete(row.id, look)
            return Moved(row, Outcome.DIFFERS, "It was changed meanwhile; move it again.")
    return Moved(row, outcome)


def _compared(
    row: Credential, here: tuple[Credential, TokenResponse], target: CredentialStore
) -> Moved:
    try:
        if _fields(*target.opened(row.id)) == _fields(*here):
            return Moved(row, Outcome.WAS_THERE)
    except NotThere:
        pass
    told = "There is another credential with its ID, or an older copy of it; nothing was done."
    return Moved(row, Outcome.DIFFERS, told)


def _fields(credential: Credential, tokens: TokenResponse) -> object:
    return credential_fields(credential), secret_fields(tokens)
