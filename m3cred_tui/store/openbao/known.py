"""What is known of a team's credentials: what the last list showed, and changes from here."""

from __future__ import annotations

import heapq
import threading
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.model.name import name_key
from m3cred_tui.store.openbao.records import row_from_shown, version_shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from m3cred_tui.store.openbao.records import Record
    from m3cred_tui.store.port import Row


class Entry(NamedTuple):
    """A row, and what tells whether its record has changed since."""

    version: int
    row: Row
    is_pending: bool

    @classmethod
    def of(cls, record: Record, row: Row | None) -> Entry | None:
        """Return the entry of a record that was read or written."""
        return None if row is None else cls(record.version, row, record.is_pending)

    @classmethod
    def shown(cls, credential_id: str, info: Mapping[str, object]) -> Entry | None:
        """Return what the metadata of a record show, or ``None`` if they are out of date."""
        shown, version = info.get("custom_metadata"), info.get("current_version")
        if not isinstance(shown, dict) or type(version) is not int or not version:
            return None
        if version_shown(shown) != version or _is_deleted(info, version):
            return None
        row = row_from_shown(credential_id, shown)
        return cls(version, row, _is_pending(row)) if isinstance(row, Credential) else None

    @classmethod
    def behind(cls, credential_id: str, info: Mapping[str, object]) -> Entry | None:
        """Return what out-of-date metadata show."""
        shown = info.get("custom_metadata")
        if not isinstance(shown, dict):
            return None
        row = row_from_shown(credential_id, shown)
        return cls(0, row, _is_pending(row))


def _is_pending(row: Row) -> bool:
    return isinstance(row, Credential) and row.status is not Status.AUTHENTICATED


def _is_deleted(info: Mapping[str, object], version: int) -> bool:
    """Return whether somebody has deleted a version by hand, as ``bao kv delete`` does."""
    versions = info.get("versions")
    told = versions.get(str(version)) if isinstance(versions, dict) else None
    return isinstance(told, dict) and bool(told.get("deletion_time") or told.get("destroyed"))


class Moment:
    """The stamp of what was known at one moment."""

    def __init__(self, of: tuple[float, int], entries: dict[str, Entry]) -> None:
        self.of = of
        self.entries = entries

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moment) and self.of == other.of

    def __hash__(self) -> int:
        return hash(self.of)


class Known:
    """The entries by ID; a dictionary is replaced, never changed, so any thread may read it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._changed: dict[str, tuple[int, Entry | None]] = {}
        """Changes from here, and their number, which a list that was begun before lacks."""
        self.serial = 0

    def __len__(self) -> int:
        return len(self._entries) - len(self.used())

    def row(self, credential_id: str) -> Row | None:
        """Return the row of a credential."""
        entry = self._entries.get(credential_id)
        return None if entry is None else entry.row

    def ids(self, most: int | None = None) -> list[str]:
        """Return the first IDs: of pending credentials, then newest first."""
        pending = self.pending_ids()
        others = [one for one, entry in self._entries.items() if not entry.is_pending]
        if most is None:
            return pending + sorted(others, reverse=True)
        return (pending + heapq.nlargest(most, others))[:most]

    def pending_ids(self) -> list[str]:
        """Return the IDs of pending credentials, newest first."""
        entries, used = self._entries.items(), {*self.used()}
        pending = (one for one, entry in entries if entry.is_pending and one not in used)
        return sorted(pending, reverse=True)

    def used(self) -> list[str]:
        """Return the IDs of approvals that have renewed another credential, left by a crash."""
        pending = [one for one in self._entries.values() if one.is_pending]
        return [one.row.id for one in pending if self._is_used(one.row)]

    def _is_used(self, row: Row) -> bool:
        renews = row.renews if isinstance(row, Credential) else None
        renewed = self.row(renews) if renews else None
        return isinstance(renewed, Credential) and renewed.approval == row.id

    def names(self, but: str) -> set[str]:
        """Return the keys of the names of created credentials, apart from one."""
        rows = (entry.row for one, entry in self._entries.items() if one != but)
        return {
            name_key(row.name)
            for row in rows
            if isinstance(row, Credential) and row.status is Status.AUTHENTICATED
        }

    def unchanged(self, credential_id: str, info: Mapping[str, object]) -> Entry | None:
        """Return the entry if its record has the same version as then."""
        entry, version = self._entries.get(credential_id), info.get("current_version")
        if entry is None or entry.version != version or _is_deleted(info, entry.version):
            return None
        return entry

    def take(self, entries: dict[str, Entry], serial: int) -> None:
        """Take a whole list that was begun when ``serial`` was the number of changes."""
        with self._lock:
            for one, (number, entry) in self._changed.items():
                if number <= serial:
                    continue
                if entry is None:
                    entries.pop(one, None)
                elif one not in entries or entries[one].version < entry.version:
                    entries[one] = entry
            self._changed.clear()
            if entries != self._entries:
                self._entries = entries
                self.serial += 1

    def put(self, credential_id: str, entry: Entry | None) -> None:
        """Take a change from here, or what was read of one credential."""
        with self._lock:
            if self._entries.get(credential_id) == entry:
                return
            entries = {**self._entries}
            if entry is None:
                entries.pop(credential_id, None)
            else:
                entries[credential_id] = entry
            self._entries = entries
            self.serial += 1
            self._changed[credential_id] = self.serial, entry

    def stamp(self, tick: float) -> Moment:
        """Return a stamp of what is known."""
        with self._lock:
            return Moment((tick, self.serial), self._entries)

    def changed_since(self, stamp: object) -> list[str]:
        """Return the IDs of the entries that are not as they were."""
        before = stamp.entries if isinstance(stamp, Moment) else {}
        entries = self._entries
        return [one for one, entry in entries.items() if before.get(one) != entry]
