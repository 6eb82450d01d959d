"""The records of credentials on the engine, and what is known of all of them."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from m3cred_tui.model.credential import Credential, is_credential_id
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.openbao.known import Entry
from m3cred_tui.store.openbao.kv import ConflictError
from m3cred_tui.store.openbao.problems import StoreNotAllowed
from m3cred_tui.store.openbao.records import (
    CHANGED_AS,
    CREATED_AS,
    REFRESH,
    Record,
    record_fields,
    row_of,
    shown_fields,
)
from m3cred_tui.store.problems import AlreadyThere, CannotBeKept, StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from m3cred_tui.store.fields import Json, Secrets
    from m3cred_tui.store.openbao.known import Known
    from m3cred_tui.store.openbao.kv import KeyValue
    from m3cred_tui.store.port import Row

FOLDER = "credentials"
_AT_ONCE = 12
"""Requests, where records are read one by one."""

_log = logging.getLogger(__name__)


class Shelf:
    """Lists, reads, changes and removes the records of credentials."""

    def __init__(self, kv: KeyValue, known: Known) -> None:
        self.kv = kv
        self.known = known
        self.listed_at = float("-inf")
        """When the list was last read, by the monotonic clock."""

    def record(self, credential_id: str) -> Record:
        """Return a record; raises ``StoreUnusable``."""
        return self.kv.read(_key(credential_id))

    def look(self) -> None:
        """Read the list; what it does not show is read one by one, several at once."""
        serial = self.known.serial
        entries: dict[str, Entry] = {}
        unclear: dict[str, Mapping[str, object] | None] = {}
        for page in self.kv.pages(FOLDER):
            for one, info in page.items():
                if not is_credential_id(one):
                    continue  # somebody else's
                entry = None if info is None else self.known.unchanged(one, info)
                entry = entry or (info and Entry.shown(one, info)) or None
                if entry is None:
                    unclear[one] = info
                else:
                    entries[one] = entry
        if unclear:
            with ThreadPoolExecutor(_AT_ONCE) as several:
                found = several.map(self._entry, unclear, unclear.values())
                looked = zip(unclear, found, strict=True)
                entries |= {one: entry for one, entry in looked if entry is not None}
        self.known.take(entries, serial)
        self.listed_at = time.monotonic()

    def row(self, credential_id: str) -> Row | None:
        """Return a row as it is now."""
        entry = self._entry(credential_id, None)
        self.known.put(credential_id, entry)
        return None if entry is None else entry.row

    def _entry(self, credential_id: str, info: Mapping[str, object] | None) -> Entry | None:
        """Return what is known of a record, from its metadata if these are up to date."""
        if info is None:
            info = self.kv.described(_key(credential_id))
        entry = Entry.shown(credential_id, info)
        if entry is not None or not info.get("current_version"):
            return entry
        try:
            record = self.record(credential_id)
        except StoreNotAllowed:  # may list, not read: the row may be one change behind
            return Entry.behind(credential_id, info)
        if record.fields is None:
            return None
        row = row_of(credential_id, record.fields)
        if isinstance(row, Credential):
            self._describe(credential_id, record)
        return Entry.of(record, row)

    def put(self, credential: Credential, secrets: Secrets, done: str) -> None:
        """Store a credential, in the place of a pending one; raises ``AlreadyThere``."""
        if not is_credential_id(credential.id):
            raise CannotBeKept(credential.id, "its ID is not a UUID")
        for _ in self.kv.attempts(f"the credential {credential.id}"):
            record = self.kv.read(_key(credential.id))
            if record.fields is not None and not record.is_pending:
                raise AlreadyThere(credential.id)
            with suppress(ConflictError):
                self.replace(credential, secrets, record)
                _log.info(done, credential.id)
                return

    def replace(
        self,
        credential: Credential,
        secrets: Secrets,
        record: Record,
        more: Json | None = None,
        *,
        describe: bool = True,
    ) -> Record:
        """Put a credential in the place of a version of its record.

        It is described for lists, unless another change is to follow. Raises
        ``ConflictError`` if the record has changed meanwhile.
        """
        before = record.fields or {}
        kept = {name: before[name] for name in (REFRESH,) if name in before}
        try:
            fields = {
                **record_fields(credential, secrets),
                CHANGED_AS: self.kv.who(),
                CREATED_AS: before.get(CREATED_AS) or self.kv.who(),
                **(kept if more is None else more),
            }
            version = self.kv.write(_key(credential.id), fields, record.version)
        except FlawError as flaw:
            raise CannotBeKept(credential.id, flaw.reason) from None
        written = Record(version, fields)
        self.known.put(credential.id, Entry.of(written, row_of(credential.id, fields)))
        if describe:
            self._describe(credential.id, written)
        return written

    def remove_if(self, credential_id: str, is_meant: Callable[[Record], bool]) -> bool:
        """Remove a record if it is meant, even by a change that comes in between."""
        key = _key(credential_id)
        for _ in self.kv.attempts(f"the credential {credential_id}"):
            record = self.kv.read(key)
            if record.version == 0:
                # A new leader may not know yet what there is. A check-and-set tells.
                with suppress(ConflictError):
                    self.kv.remove(key, record.version)
                    self.known.put(credential_id, None)
                    return False
                continue
            if record.is_deleted:  # by somebody who did not come to the end
                self.kv.purge(key)
                self.known.put(credential_id, None)
                return False
            if not is_meant(record):
                return False
            with suppress(ConflictError):
                self.kv.remove(key, record.version)
                self.known.put(credential_id, None)
                return True
        return False

    def _describe(self, credential_id: str, record: Record) -> None:
        """Write what lists show of a record; if that fails, lists read the record itself."""
        assert record.fields is not None  # noqa: S101 - it was just written or read
        with suppress(StoreUnusable):
            for in_ascii in (False, True):
                shown = shown_fields(record.fields, record.version, in_ascii=in_ascii)
                if self.kv.describe(_key(credential_id), shown):
                    return


def _key(credential_id: str) -> str:
    return f"{FOLDER}/{credential_id}"
