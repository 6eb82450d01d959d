"""The credentials on this machine, created and pending.

``credentials/`` and ``pending/`` hold a file for each, in the same form; ``lock`` separates
changes. A pending credential is a request, or an approval that was not created yet.
"""

from __future__ import annotations

import heapq
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

from m3cred_tui.model.credential import Credential, Status, TokenResponse
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.directory.checks import DirectoryChecks, DirectoryDisconnections
from m3cred_tui.store.directory.folder import ID_LENGTH, RecordFolder, ids_in
from m3cred_tui.store.directory.record import opened, parse_record, sealed
from m3cred_tui.store.fields import credential_from, json_object, line
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.lock import locked
from m3cred_tui.store.port import Damaged, Newest, Row
from m3cred_tui.store.problems import (
    AlreadyThere,
    CannotBeKept,
    CredentialDamaged,
    NameTaken,
    NotSealed,
    NotThere,
    OutcomeUnknown,
    StoreUnusable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from logging import Logger
    from pathlib import Path

    from m3cred_tui.store.directory.folder import Stamp as FolderStamp
    from m3cred_tui.store.directory.record import Read, Record
    from m3cred_tui.store.directory.refreshing import DirectoryRefreshes
    from m3cred_tui.store.directory.requests import DirectoryRequests
    from m3cred_tui.store.identity import IdentityFile
    from m3cred_tui.store.port import Change, Look, Stamp


def _row(read: Read, credential_id: str) -> Row | None:
    try:
        return credential_from(read(credential_id).header)
    except FileNotFoundError:
        return None
    except FlawError as flaw:
        return Damaged(credential_id, str(flaw))


def _found_again(read: Callable[[str], Row | None], credential_id: str) -> str:
    """Read it again, and return a sentence about what is there."""
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


class DirectoryStore:
    """Stores credentials in a directory; an engine of ``CredentialStore``, as described there.

    ``StoreUnusable`` means that a directory is another user's, is open to others, or fails,
    and ``OutcomeUnknown`` that the disk did not confirm a change.
    """

    team = ""
    as_of = None
    aside = ()

    def __init__(self, data: Path, identity: IdentityFile) -> None:
        self.data = data
        self.identity = identity
        self._credentials = RecordFolder(data / "credentials")
        self._pending = RecordFolder(data / "pending")
        self._is_prepared = False
        self.checks = DirectoryChecks(data, self.ids)
        self.disconnecting = DirectoryDisconnections(
            data, RecordFolder(data / "disconnecting"), self.ids
        )

    # A list and the first paint do without the modules that these two import.

    @property
    def requests(self) -> DirectoryRequests:
        from m3cred_tui.store.directory.requests import DirectoryRequests  # noqa: PLC0415

        return DirectoryRequests(self.data, self._pending, self.identity)

    @property
    def refreshes(self) -> DirectoryRefreshes:
        from m3cred_tui.store.directory.refreshing import DirectoryRefreshes  # noqa: PLC0415

        return DirectoryRefreshes(self.data, self._credentials, self.identity)

    def ids(self) -> list[str]:
        pending, created = self._names()
        return ids_in([*sorted(pending, reverse=True), *sorted(created, reverse=True)])

    def newest(self, most: int) -> Newest:
        pending, created = self._names()
        total = len(pending) + len(created)
        first = [*sorted(pending, reverse=True), *heapq.nlargest(most, created)]
        return Newest(ids_in(first[:most]), total)

    def pending_ids(self) -> list[str]:
        return ids_in(sorted(self._names()[0], reverse=True))

    def stamp(self) -> Stamp:
        return self._credentials.stamp(), self._pending.stamp()

    def changed_since(self, stamp: Stamp) -> list[str]:
        credentials, pending = cast("tuple[FolderStamp, FolderStamp]", stamp)
        return [
            *self._credentials.changed_since(credentials),
            *self._pending.changed_since(pending),
        ]

    def read(self, credential_id: str) -> Row | None:
        return _row(self._record, credential_id)

    def glance(self, credential_id: str) -> Row | None:
        return self.read(credential_id)

    def read_many(self, credential_ids: Sequence[str]) -> list[Row | None]:
        rows: list[Row | None] = []
        try:
            with self._credentials.reading() as read:
                rows.extend(_row(read, one) for one in credential_ids)
        except FileNotFoundError:
            rows = [None] * len(credential_ids)
        return [row or self.read(one) for row, one in zip(rows, credential_ids, strict=True)]

    def verified(self, credential_id: str) -> Row | None:
        try:
            return opened(self._record, credential_id, self.identity, object)[0]
        except NotThere:
            return None
        except CredentialDamaged as damaged:
            return Damaged(credential_id, damaged.reason)

    def tokens(self, credential_id: str) -> TokenResponse:
        return self.opened(credential_id)[1]

    def opened(self, credential_id: str) -> tuple[Credential, TokenResponse]:
        return opened(self._record, credential_id, self.identity, TokenResponse)

    def prepare(self) -> None:
        with locked(self.data):
            self.identity.to_seal()
            self.identity.sweep()
            self._credentials.prepare()
            self._pending.prepare()
            self._sweep_half_created()
            self._sweep_half_renewed()
        self._is_prepared = True

    def keep_pending(self, credential: Credential, tokens: TokenResponse) -> None:
        with self._changing(credential.id):
            data = sealed(credential, tokens, self.identity)
            if self._credentials.has(credential.id):
                raise AlreadyThere(credential.id)
            self._refuse_absence_of(self._pending)
            self._pending.replace_in_room(credential.id, data)
        _log().info("kept the approval %s", credential.id)

    def sealed(self, credential: Credential, tokens: TokenResponse) -> bytes:
        return sealed(credential, tokens, self.identity, is_last_resort=True)

    def keep_sealed(self, text: bytes) -> Credential:
        try:
            credential_id = line(json_object(text), "id")
            record = parse_record(credential_id, text.strip())
        except FlawError as flaw:
            raise NotSealed(flaw.reason) from None
        credential, tokens = opened(
            lambda _id: record, credential_id, self.identity, TokenResponse
        )
        self.keep_pending(credential, tokens)
        return credential

    def create(
        self, credential: Credential, tokens: TokenResponse, names_seen: Stamp | None = None
    ) -> None:
        with self._changing(credential.id):
            data = sealed(credential, tokens, self.identity)
            if names_seen is not None:
                self._refuse_name(credential, names_seen)
            self._refuse_absence_of(self._credentials)
            try:
                self._credentials.create(credential.id, data)
            except FileExistsError:
                raise AlreadyThere(credential.id) from None
            self._pending.remove_leftover(credential.id)
        _log().info("created %s", credential.id)

    def update(
        self, credential_id: str, change: Change, names_seen: Stamp | None = None
    ) -> Credential:
        with self._changing(credential_id):
            credential = self._changed(credential_id, change, names_seen)
        _log().info("changed %s", credential_id)
        return credential

    def renew(self, credential_id: str, pending_id: str, change: Change) -> Credential:
        with self._changing(credential_id):
            credential = self._changed(credential_id, change)
            self._pending.remove_leftover(pending_id)
        _log().info("renewed %s", credential_id)
        return credential

    def _changed(
        self, credential_id: str, change: Change, names_seen: Stamp | None = None
    ) -> Credential:
        read = self._credentials.read
        before = opened(read, credential_id, self.identity, TokenResponse)
        credential, tokens = change(*before)
        if credential.id != credential_id:
            raise CannotBeKept(credential_id, "its ID would change")
        data = sealed(credential, tokens, self.identity)
        if names_seen is not None:
            self._refuse_name(credential, names_seen)
        self._credentials.replace(credential_id, data)
        return credential._replace(expires_at=tokens.expires_at)

    def delete(self, credential_id: str, look: Look | None = None) -> None:
        with self._changing(credential_id):
            if look is not None:
                look(*self.opened(credential_id))
            # In this order, a kill in between leaves the created one, not the pending one.
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
            with locked(self.data):
                try:
                    yield
                except OutcomeUnknown as unknown:
                    found = _found_again(self.read, credential_id)
                    raise OutcomeUnknown(unknown.path, unknown.reason, found) from unknown
        except Problem as problem:
            _log().error("%s: %s", problem.code, problem)
            raise

    def _refuse_absence_of(self, folder: RecordFolder) -> None:
        if self._is_prepared:  # below a mount that is gone, nobody would find the record
            folder.refuse_absence()

    def _refuse_name(self, credential: Credential, seen: Stamp) -> None:
        """Raise ``NameTaken`` if another one has got its name since ``seen``."""
        from m3cred_tui.model.name import name_key  # noqa: PLC0415 - a list compares no names

        rows = self.read_many(self.changed_since(seen))
        others = (
            row for row in rows if isinstance(row, Credential) and row.id != credential.id
        )
        names = {name_key(row.name) for row in others if row.status is Status.AUTHENTICATED}
        if name_key(credential.name) in names:
            raise NameTaken(credential.name)

    def _sweep_half_created(self) -> None:
        """Remove pending ones that were created: a process was killed between the two steps."""
        created = set(self._credentials.names())
        for name in created.intersection(self._pending.names()):
            credential_id = name[:ID_LENGTH]
            if isinstance(self.read(credential_id), Damaged):
                continue  # only the pending one may be undamaged
            self._pending.remove_leftover(credential_id)

    def _sweep_half_renewed(self) -> None:
        """Remove approvals that are in use: a process was killed between the two steps."""
        for pending_id in ids_in(self._pending.names()):
            if self._is_in_use(pending_id):
                self._pending.remove_leftover(pending_id)

    def _is_in_use(self, pending_id: str) -> bool:
        """Return whether a pending credential has renewed another."""
        row = self.read(pending_id)
        renewed = self.read(row.renews) if isinstance(row, Credential) and row.renews else None
        return isinstance(renewed, Credential) and renewed.approval == pending_id

    def _names(self) -> tuple[list[str], list[str]]:
        """Return the file names of pending and of created credentials."""
        pending, created = self._pending.names(), self._credentials.names()
        if pending:  # a process may have been killed after it created or renewed one
            names = set(pending).difference(created)
            pending = [one for one in names if not self._is_in_use(one[:ID_LENGTH])]
        return pending, created

    def _record(self, credential_id: str) -> Record:
        # The first one again: the credential may have been created in between.
        for folder in (self._credentials, self._pending):
            with suppress(FileNotFoundError):
                return folder.read(credential_id)
        return self._credentials.read(credential_id)
