"""Finding what waits to be resumed, by what the user calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.model.authorization import TIME_LIMIT
from m3cred_tui.model.credential import Credential, Status, is_credential_id
from m3cred_tui.model.name import name_key
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store.directory.record import Damaged
from m3cred_tui.store.problems import CredentialDamaged, NotThere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from m3cred_tui.store.directory.store import CredentialStore


class NothingPending(Problem):
    """There is nothing to be resumed."""

    def __init__(self) -> None:
        super().__init__("No credential is pending. Begin one with m3cred create --name NAME.")


class NotPending(Problem):
    """Nothing that is pending is called so; ``pending`` is what is."""

    def __init__(self, word: str, pending: Sequence[Credential]) -> None:
        super().__init__(
            f"No pending credential has the ID or name “{clean(word, most=64)}”. "
            + (f"Pending are: {_listed(pending)}." if pending else "None is pending.")
        )
        self.word = word
        self.pending = tuple(pending)


class RequestExpired(Problem):
    """What was to be resumed has just been removed, as nobody approved it in time."""

    def __init__(self, expired: Credential) -> None:
        super().__init__(
            f"“{expired.name}” was not approved in ten minutes. Begin anew with m3cred create."
        )
        self.expired = expired


class SeveralPending(Problem):
    """It has to be said which one is meant."""

    def __init__(self, pending: Sequence[Credential]) -> None:
        super().__init__(f"Say which one, by its ID: {_listed(pending)}.")
        self.pending = tuple(pending)


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
    raise NothingPending if word is None else NotPending(word, pending)


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
