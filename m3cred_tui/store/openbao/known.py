"""What is known of a team's credentials: what the last list showed, and changes from here."""

from __future__ import annotations

import heapq
import json
import re
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.credential import ID_PATTERN, Credential, Status
from m3cred_tui.model.name import name_key
from m3cred_tui.model.text import clean
from m3cred_tui.store import files
from m3cred_tui.store.fields import credential_fields, credential_from
from m3cred_tui.store.files import FlawError, private_folder, read_private
from m3cred_tui.store.openbao.records import row_from_shown, version_shown
from m3cred_tui.store.port import Damaged
from m3cred_tui.store.problems import OutcomeUnknown, StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

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
    """The entries by ID; a dictionary is replaced, never changed, so any thread may read it.

    Until the first list was read, it is what this machine knew last: the file ``path`` has what
    lists show, and no secret.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._path = path
        self._saved: _Saved | None = _Saved() if path is None else None
        """The lines of the file, in the order of the list; ``None`` until it was read."""
        self._entries: dict[str, Entry] = {}
        self._changed: dict[str, tuple[int, Entry | None]] = {}
        """Changes from here, and their number, which a list that was begun before lacks."""
        self.serial = 0
        self.as_of: datetime | None = None
        """When it was so, unless it is so now."""
        self._listed_at: datetime | None = None
        self._written: list[str] | None = None

    def __len__(self) -> int:
        if lines := self._lines():
            return len(self._new_in(lines)) + len(lines)
        return len(self._entries) - len(self.used())

    def row(self, credential_id: str) -> Row | None:
        """Return the row of a credential."""
        if entry := self._entries.get(credential_id):
            return entry.row
        line = self._lines().line(credential_id)
        return None if line is None else _saved_row(credential_id, line)

    def _lines(self) -> _Saved:
        if self._saved is None:
            self._saved = _Saved()
            with suppress(OSError, FlawError, StoreUnusable):
                assert self._path is not None  # noqa: S101 - otherwise nothing is saved
                with private_folder(self._path.parent) as folder:
                    data = read_private(folder, self._path.name, self._path, most=_LARGEST)
                self.as_of, self._saved = _parsed(data)
        return self._saved

    def ids(self, most: int | None = None) -> list[str]:
        """Return the first IDs: of pending credentials, then newest first."""
        if lines := self._lines():
            return [*self._new_in(lines), *lines.ids(most)][:most]
        pending = self.pending_ids()
        others = [one for one, entry in self._entries.items() if not entry.is_pending]
        if most is None:
            return pending + sorted(others, reverse=True)
        return (pending + heapq.nlargest(most, others))[:most]

    def _new_in(self, lines: _Saved) -> list[str]:
        return [one for one in sorted(self._entries, reverse=True) if not lines.line(one)]

    @property
    def there(self) -> Collection[str]:
        """The IDs, once a list was read."""
        return self._entries

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
            if entries != self._entries or self._saved:
                self._entries = entries
                self.serial += 1
            self._saved, self.as_of, self._listed_at = _Saved(), None, datetime.now(UTC)
        self._save()

    def doubt(self) -> None:
        """Take note that the list could not be read, so that it may have changed."""
        self._lines()
        self.as_of = self.as_of or self._listed_at

    def _save(self) -> None:
        """Write the file, if it would be another; the next list does it otherwise."""
        if self._path is None:
            return
        lines = [_line(one, self._entries[one]) for one in self.ids()]
        if lines == self._written:
            return
        first = f"{_FORMAT} {datetime.now(UTC).isoformat()} {len(lines)}"
        text = "\n".join([first, *lines, ""])
        with suppress(OSError, StoreUnusable, OutcomeUnknown):
            with private_folder(self._path.parent, make=True) as folder:
                files.replace(folder, self._path.name, text.encode())
            self._written = lines

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


_FORMAT = "m3cred-known-1"
_LARGEST = 64 * 1024 * 1024
_FIRST = 256 * 1024
"""Bytes that have more lines than the first paint shows."""
_saved_line = re.compile(f"^({ID_PATTERN}) (.+)$", re.MULTILINE)


def _line(credential_id: str, entry: Entry) -> str:
    if isinstance(entry.row, Credential):
        return f"{credential_id} {json.dumps(credential_fields(entry.row))}"
    return f"{credential_id} {json.dumps(entry.row.reason)}"


def _parsed(data: bytes) -> tuple[datetime, _Saved]:
    """Return when a list was written, and its lines; raises ``FlawError``."""
    first, _, _ = data[:_FIRST].partition(b"\n")
    with suppress(ValueError, OverflowError):
        name, at, total = first.decode("ascii").split(" ")
        if name == _FORMAT and int(total) == data.count(b"\n") - 1:
            return datetime.fromisoformat(at).astimezone(UTC), _Saved(data, int(total))
    raise FlawError("it is no list of m3cred")


class _Saved:
    """The lines of a list by ID; the first paint takes apart no more of them than it shows."""

    def __init__(self, data: bytes = b"", total: int = 0) -> None:
        self._data = data
        self._total = total
        self._by_id = _by_id(data[: data.rfind(b"\n", 0, _FIRST) + 1])

    def __len__(self) -> int:
        return self._total

    def line(self, credential_id: str) -> str | None:
        if credential_id not in self._by_id:
            self._take_apart()
        return self._by_id.get(credential_id)

    def ids(self, most: int | None) -> list[str]:
        if most is None or most > len(self._by_id):
            self._take_apart()
        return [*self._by_id][:most]

    def _take_apart(self) -> None:
        if self._data:
            self._by_id = _by_id(self._data)
            self._data = b""  # any other thread that still sees it does the same


def _by_id(data: bytes) -> dict[str, str]:
    return dict(_saved_line.findall(data.decode("ascii", "replace")))


def _saved_row(credential_id: str, line: str) -> Row | None:
    try:
        fields = json.loads(line)
        if isinstance(fields, str):
            return Damaged(credential_id, clean(fields))
        return credential_from({**fields, "id": credential_id})
    except (FlawError, ValueError, TypeError, KeyError, RecursionError):
        return None  # the list that is being read will show it
