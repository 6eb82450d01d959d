"""The credentials on this machine, and the approvals that wait to become one.

``credentials/`` and ``pending/`` hold a file for each, in the same form; ``lock`` keeps changes
apart. A pending credential is one that Stripe has approved and that nobody has created yet.
"""

from __future__ import annotations

import heapq
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.credential import TokenResponse
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.directory.folder import ID_LENGTH, RecordFolder, Stamp, opened, sealed
from m3cred_tui.store.directory.record import Damaged, Record, credential_of
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.lock import locked
from m3cred_tui.store.problems import (
    AlreadyThere,
    CannotBeKept,
    CredentialDamaged,
    NotThere,
    OutcomeUnknown,
    StoreUnusable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from logging import Logger
    from pathlib import Path

    from m3cred_tui.model.credential import Credential
    from m3cred_tui.store.directory.checks import Checks, Disconnections
    from m3cred_tui.store.directory.refreshing import RefreshStore
    from m3cred_tui.store.directory.requests import RequestStore
    from m3cred_tui.store.identity import IdentityFile

    Row = Credential | Damaged
    Change = Callable[[Credential, TokenResponse], tuple[Credential, TokenResponse]]


def ids_in(names: list[str]) -> list[str]:
    """Return the IDs in the names of records' files."""
    return [name[:ID_LENGTH] for name in names]


def row_of(read: Callable[[str], Record], credential_id: str) -> Row:
    """Return a credential; raises ``FileNotFoundError`` where there is none."""
    try:
        return credential_of(read(credential_id))
    except FlawError as flaw:
        return Damaged(credential_id, str(flaw))


def row_or_none(read: Callable[[str], Record], credential_id: str) -> Row | None:
    """Return a credential, or nothing where there is none."""
    try:
        return row_of(read, credential_id)
    except FileNotFoundError:
        return None


def found_again(read: Callable[[str], Row | None], credential_id: str) -> str:
    """Return as a sentence what is there when it is read again."""
    try:
        found = read(credential_id)
    except StoreUnusable as unusable:
        return f"It cannot be read again, either: {unusable.reason}."
    match found:
        case None:
            return "Read again, the credential is not there."
        case Damaged(_, reason):
            return f"Read again, the credential is damaged: {reason}."
        case _:
            return "Read again, the credential is there."


def _log() -> Logger:
    import logging  # noqa: PLC0415 - takes as long as a list, which logs nothing

    return logging.getLogger(__name__)


Stamps = tuple[Stamp, Stamp]


class Newest(NamedTuple):
    """The first of the credentials' IDs, newest first, and how many there are in all."""

    ids: list[str]
    total: int


class CredentialStore:
    """Keeps credentials in a directory; cheap to construct, and touches nothing by itself.

    Every method may be called from any thread, and from many processes. Each raises
    ``StoreUnusable`` when a directory is another user's, is open to others, or fails. What
    changes something raises ``StoreBusy``, too, and ``OutcomeUnknown`` when the change is in
    place but the disk did not confirm it.
    """

    def __init__(self, data: Path, identity: IdentityFile) -> None:
        """Take the directory of the store, and the identity that its records are sealed for."""
        self._data = data
        self._credentials = RecordFolder(data / "credentials")
        self._pending = RecordFolder(data / "pending")
        self._identity = identity

    @property
    def requests(self) -> RequestStore:
        """The authorization requests that wait for Stripe, each with a pending credential."""
        from m3cred_tui.store.directory.requests import RequestStore  # noqa: PLC0415 - a list needs none

        return RequestStore(self._data, self._pending, self._identity)

    @property
    def checks(self) -> Checks:
        """What the last check of each credential said."""
        from m3cred_tui.store.directory.checks import Checks  # noqa: PLC0415 - not for the first paint

        return Checks(self._data, self.ids)

    @property
    def refreshes(self) -> RefreshStore:
        """The replacing of tokens, by one process at a time for each credential."""
        from m3cred_tui.store.directory.refreshing import RefreshStore  # noqa: PLC0415 - likewise

        opened, sealed = self._credential_and_tokens, self._sealed
        return RefreshStore(self._data, self._credentials, opened, sealed)

    @property
    def disconnecting(self) -> Disconnections:
        """The credentials that were begun to be disconnected at Stripe, and are still here."""
        from m3cred_tui.store.directory.checks import Disconnections  # noqa: PLC0415 - likewise

        return Disconnections(self._data, self.ids)

    def ids(self) -> list[str]:
        """Return the ID of every credential: pending ones, then newest first; opens no file."""
        pending, created = self._names()
        return ids_in([*sorted(pending, reverse=True), *sorted(created, reverse=True)])

    def newest(self, most: int) -> Newest:
        """Return the first ``most`` of :meth:`ids`, without the time to sort the others."""
        pending, created = self._names()
        total = len(pending) + len(created)
        first = [*sorted(pending, reverse=True), *heapq.nlargest(most, created)]
        return Newest(ids_in(first[:most]), total)

    def pending_ids(self) -> list[str]:
        """Return the ID of every credential that waits to be created, newest first."""
        return ids_in(sorted(self._names()[0], reverse=True))

    def stamp(self) -> Stamps:
        """Return what is another after every change by any process; two plain system calls."""
        return self._credentials.stamp(), self._pending.stamp()

    def changed_since(self, stamp: Stamps) -> list[str]:
        """Return the IDs of the credentials that were written since ``stamp`` was taken."""
        credentials, pending = stamp
        return [
            *self._credentials.changed_since(credentials),
            *self._pending.changed_since(pending),
        ]

    def read(self, credential_id: str) -> Credential | Damaged | None:
        """Return a credential without its secrets; ``None`` if it is gone or never was.

        A file that is no whole record of this version is :class:`Damaged`, and is left alone.
        """
        try:
            return row_of(self._record, credential_id)
        except FileNotFoundError:
            return None

    def read_many(self, credential_ids: Sequence[str]) -> list[Credential | Damaged | None]:
        """Return for each ID what :meth:`read` does, faster."""
        rows: list[Credential | Damaged | None] = []
        try:
            with self._credentials.reading() as read:
                rows.extend(row_or_none(read, one) for one in credential_ids)
        except FileNotFoundError:
            rows = [None] * len(credential_ids)
        return [row or self.read(one) for row, one in zip(rows, credential_ids, strict=True)]

    def verified(self, credential_id: str) -> Credential | Damaged | None:
        """Return what :meth:`read` does, after its sealed part was opened and agrees with it.

        Raises ``IdentityMissing`` and ``IdentityLocked`` where it cannot be opened at all.
        """
        try:
            return opened(self._record(credential_id), self._identity)[0]
        except FileNotFoundError:
            return None
        except FlawError as flaw:
            return Damaged(credential_id, str(flaw))

    def tokens(self, credential_id: str) -> TokenResponse:
        """Return the secrets of a credential; raises what :meth:`opened` does."""
        return self.opened(credential_id)[1]

    def opened(self, credential_id: str) -> tuple[Credential, TokenResponse]:
        """Return a credential and its secrets.

        Raises ``NotThere``, ``IdentityMissing``, ``IdentityLocked``, and ``CredentialDamaged``
        also when its clear fields are not those that were sealed.
        """
        return self._credential_and_tokens(self._record, credential_id)

    def prepare(self) -> None:
        """See to it that what Stripe will approve can be kept, by doing all of it but that.

        Call it before Stripe is asked for what cannot be asked for twice. Raises
        ``IdentityMissing`` and ``IdentityLocked``, too.
        """
        with locked(self._data):
            self._identity.to_seal(is_first_use=self.is_unused)
            self._identity.sweep()
            self._credentials.prepare()
            self._pending.prepare()
            self._sweep_half_created()

    def keep_pending(self, credential: Credential, tokens: TokenResponse) -> None:
        """Keep what Stripe has approved until it is created or deleted, or keep it anew.

        When this returns, it survives a crash. Raises what :meth:`create` does.
        """
        with self._changing(credential.id):
            data = self._sealed(credential, tokens)
            if self._credentials.has(credential.id):
                raise AlreadyThere(credential.id)
            self._pending.replace(credential.id, data)
        _log().info("kept the approval %s", credential.id)

    def create(self, credential: Credential, tokens: TokenResponse) -> None:
        """Keep a new credential; when this returns, it survives a crash.

        It takes the place of the pending one with its ID. Raises ``AlreadyThere``,
        ``CannotBeKept``, ``IdentityMissing`` or ``IdentityLocked`` when nothing was changed.
        """
        with self._changing(credential.id):
            data = self._sealed(credential, tokens)
            try:
                self._credentials.create(credential.id, data)
            except FileExistsError:
                raise AlreadyThere(credential.id) from None
            self._pending.remove_leftover(credential.id)
        _log().info("created %s", credential.id)

    def update(self, credential_id: str, change: Change) -> Credential:
        """Replace a credential by what ``change`` makes of it, and return that.

        No other process can change it meanwhile. Raises what :meth:`tokens` and
        :meth:`create` do, and what ``change`` does; then nothing was changed.
        """
        with self._changing(credential_id):
            before = self._credential_and_tokens(self._credentials.read, credential_id)
            credential, tokens = change(*before)
            if credential.id != credential_id:
                raise CannotBeKept(credential_id, "its ID would change")
            self._credentials.replace(credential_id, self._sealed(credential, tokens))
        _log().info("changed %s", credential_id)
        return credential

    def delete(self, credential_id: str) -> None:
        """Remove a credential, pending or damaged or not; one that is gone already is fine."""
        with self._changing(credential_id):
            # In this order a kill in between leaves what was created, not what was pending.
            was_pending = self._pending.remove(credential_id)
            try:
                self._credentials.remove(credential_id)
            except StoreUnusable as unusable:
                if was_pending:
                    raise OutcomeUnknown(unusable.path, unusable.reason) from unusable
                raise
        _log().info("deleted %s", credential_id)

    @contextmanager
    def _changing(self, credential_id: str) -> Iterator[None]:
        try:
            with locked(self._data):
                try:
                    yield
                except OutcomeUnknown as unknown:
                    found = found_again(self.read, credential_id)
                    raise OutcomeUnknown(unknown.path, unknown.reason, found) from unknown
        except Problem as problem:
            _log().error("%s: %s", problem.code, problem)
            raise

    def _sweep_half_created(self) -> None:
        """Remove what is pending and created: a process was killed between the two steps."""
        created = set(self._credentials.names())
        for name in created.intersection(self._pending.names()):
            credential_id = name[:ID_LENGTH]
            if isinstance(self.read(credential_id), Damaged):
                continue  # the pending one may be the last whole one
            self._pending.remove_leftover(credential_id)

    def is_unused(self) -> bool:
        """Tell whether nothing is sealed here, neither a credential nor a platform's key."""
        from m3cred_tui.store.platform_keys import is_any_kept  # noqa: PLC0415 - a list needs none

        return self._names() == ([], []) and not is_any_kept(self._data / "keys")

    def _names(self) -> tuple[list[str], list[str]]:
        """Return the file names of what is pending, and of what is created."""
        pending, created = self._pending.names(), self._credentials.names()
        if pending:  # a process may have been killed after it had created one
            pending = list(set(pending).difference(created))
        return pending, created

    def _record(self, credential_id: str) -> Record:
        # The first one again: the credential may have been created between the two looks.
        for folder in (self._credentials, self._pending):
            try:
                return folder.read(credential_id)
            except FileNotFoundError:
                pass
        return self._credentials.read(credential_id)

    def _credential_and_tokens(
        self, read: Callable[[str], Record], credential_id: str
    ) -> tuple[Credential, TokenResponse]:
        try:
            credential, secrets = opened(read(credential_id), self._identity)
        except FileNotFoundError:
            raise NotThere(credential_id) from None
        except FlawError as flaw:
            raise CredentialDamaged(credential_id, str(flaw)) from None
        if not isinstance(secrets, TokenResponse):
            raise NotThere(credential_id)  # Stripe has not approved it yet
        return credential, secrets

    def _sealed(self, credential: Credential, tokens: TokenResponse) -> bytes:
        return sealed(credential, tokens, self._identity, is_first_use=self.is_unused)
