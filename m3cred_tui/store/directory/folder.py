"""A directory of records, one file each (``<id>.json``)."""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from m3cred_tui.model.credential import ID_PATTERN, is_credential_id
from m3cred_tui.model.problem import Problem
from m3cred_tui.store import files
from m3cred_tui.store.directory.record import LARGEST_RECORD, Record, parse_record
from m3cred_tui.store.files import FlawError, private_folder, read_private
from m3cred_tui.store.problems import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# No file's name has a slash in it.
_records_among = re.compile(f"/({ID_PATTERN}\\.json)/").findall
ID_LENGTH = 36
_TO_SHAPE = bytes.maketrans(b"123456789abcdef", b"000000000000000")
_SHAPE = b"00000000-0000-0000-0000-000000000000.json"
_SLICE = 1024  # names, so that their text stays in the processor's cache
_PROBE_BYTES = 4096
_ROOM = ".room"

_TICK = 50_000_000
"""Nanoseconds; a kernel may give two changes the same time within 10 ms."""

Stamp = tuple[int, ...]
"""Identifies a directory and its last change; empty if there is none."""


def ids_in(names: list[str]) -> list[str]:
    """Return the IDs in the file names of records."""
    return [name[:ID_LENGTH] for name in names]


def _are_records(names: list[str]) -> bool:
    """Return whether all are names of records; four times as fast as one by one."""
    shapes = "/".join(names).encode("utf-8", "surrogateescape").translate(_TO_SHAPE)
    return shapes == b"/".join([_SHAPE] * len(names))


class RecordFolder:
    """Reads and changes the records of one directory, which need not exist.

    Reading needs no lock, as each file is complete or missing; to change something, hold the
    store's lock. Each method raises ``StoreUnusable`` when the directory is another user's, is
    open to others, or fails; changes also raise ``OutcomeUnknown``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def refuse_absence(self) -> None:
        """Raise ``StoreUnusable`` if there is no such directory."""
        if not os.path.lexists(self._path):
            raise StoreUnusable(self._path, "it is missing")

    def names(self) -> list[str]:
        """Return the file name of every record, in no order; opens no file."""
        names: list[str] = []
        with suppress(FileNotFoundError), private_folder(self._path) as folder:
            names = os.listdir(folder)  # noqa: PTH208 - a descriptor is not a Path
        if all(
            map(_are_records, (names[at : at + _SLICE] for at in range(0, len(names), _SLICE)))
        ):
            return names
        return _records_among(f"/{'//'.join(names)}/")

    def stamp(self) -> Stamp:
        """Return a stamp that differs after every change; takes one system call."""
        try:
            status = self._path.lstat()
        except OSError:
            return ()
        now = time.time_ns()
        # Another change may still get the same time, so such a stamp equals no other.
        doubt = now if now - status.st_ctime_ns < _TICK else 0
        return status.st_dev, status.st_ino, doubt, status.st_ctime_ns

    def changed_since(self, stamp: Stamp) -> list[str]:
        """Return the IDs of the records that were written since ``stamp`` was taken."""
        since = stamp[-1] if stamp else 0
        recent: list[str] = []
        with (
            suppress(FileNotFoundError),
            private_folder(self._path) as folder,
            os.scandir(folder) as entries,
        ):
            if os.fstat(folder).st_ctime_ns < since:
                since = 0  # the clock was set back
            # A link or a rename, unlike a write, changes the ctime last.
            recent = [one.name for one in entries if _ctime(one) >= since]
        return [name[:ID_LENGTH] for name in _records_among(f"/{'//'.join(recent)}/")]

    def read(self, credential_id: str) -> Record:
        """Return a record as it is in its file.

        Raises ``FileNotFoundError`` if there is none, ``FlawError`` if it is damaged.
        """
        with self.reading() as read:
            return read(credential_id)

    @contextmanager
    def reading(self) -> Iterator[Callable[[str], Record]]:
        """Yield :meth:`read` for a block, with the directory opened and checked once."""
        above = str(self._path)  # a Path for each would take an eighth of all the time
        with private_folder(self._path) as folder:

            def read(credential_id: str) -> Record:
                name = _file_name(credential_id)
                data = read_private(folder, name, f"{above}/{name}", most=LARGEST_RECORD)
                return parse_record(credential_id, data)

            yield read

    def has(self, credential_id: str) -> bool:
        """Return whether there is a file with this ID, whatever its content."""
        with suppress(FileNotFoundError), private_folder(self._path) as folder:
            os.stat(_file_name(credential_id), dir_fd=folder, follow_symlinks=False)
            return True
        return False

    def create(self, credential_id: str, data: bytes) -> None:
        """Write a record; raises ``FileExistsError`` if there is one with this ID."""
        with private_folder(self._path, make=True) as folder:
            files.create(folder, _file_name(credential_id), data)

    def replace(self, credential_id: str, data: bytes) -> None:
        """Write a record, replacing the one with this ID if there is one."""
        with private_folder(self._path, make=True) as folder:
            files.replace(folder, _file_name(credential_id), data)

    def reserve(self, credential_id: str) -> None:
        """Reserve space on the disk for any record with this ID."""
        # Random, as a file system that compresses would not reserve space for zeros.
        room = os.urandom(LARGEST_RECORD)
        with private_folder(self._path, make=True) as folder:
            files.replace(folder, _room_name(credential_id), room)

    def replace_in_room(self, credential_id: str, data: bytes) -> None:
        """Do as :meth:`replace` does, in the space that was reserved, if any was."""
        with private_folder(self._path, make=True) as folder:
            room, name = _room_name(credential_id), _file_name(credential_id)
            try:
                files.fill(folder, room, data)
            except OSError:  # there is none, or a link or a directory in its place
                files.replace(folder, name, data)
            else:
                files.move(folder, room, folder, name)

    def finish(self, credential_id: str) -> None:
        """Put in place a record that a killed process has left in the space reserved for it."""
        room = _room_name(credential_id)
        # It may be random still, or torn.
        with suppress(FlawError, FileNotFoundError), private_folder(self._path) as folder:
            parse_record(credential_id, read_private(folder, room, room, most=LARGEST_RECORD))
            files.move(folder, room, folder, _file_name(credential_id))

    def take(self, credential_id: str, folder: int, name: str) -> None:
        """Replace a record with a file of another folder, which is on the disk."""
        with private_folder(self._path) as records:
            files.move(folder, name, records, _file_name(credential_id))

    def remove(self, credential_id: str) -> bool:
        """Remove a record, and return whether it was there; it may be gone already."""
        with suppress(FileNotFoundError), private_folder(self._path) as folder:
            with suppress(OSError):
                files.remove_unconfirmed(folder, _room_name(credential_id))
            return files.remove(folder, _file_name(credential_id))
        return False

    def remove_leftover(self, credential_id: str) -> None:
        """Try to remove a record that is not shown; left or restored, it does no harm."""
        with suppress(FileNotFoundError, Problem), private_folder(self._path) as folder:
            files.remove_unconfirmed(folder, _file_name(credential_id))

    def prepare(self) -> None:
        """Make sure that a record can be written, and remove what killed writers left."""
        with private_folder(self._path, make=True) as folder:
            files.sweep(folder)
            _sweep_rooms(folder)
            probe = files.temporary_name()
            try:
                files.create(folder, probe, bytes(_PROBE_BYTES))
                files.remove(folder, probe)
            except files.UnconfirmedError as unconfirmed:
                raise unconfirmed.cause from None  # nobody's change is in doubt


def _file_name(credential_id: str) -> str:
    if not is_credential_id(credential_id):
        raise FileNotFoundError(credential_id)  # no file has such a name
    return f"{credential_id}.json"


def _room_name(credential_id: str) -> str:
    return f"{_file_name(credential_id)}{_ROOM}"


def _sweep_rooms(folder: int) -> None:
    """Remove the rooms of records that are gone."""
    names = {*os.listdir(folder)}
    for name in names:
        record = name.removesuffix(_ROOM)
        if record != name and record not in names:
            with suppress(OSError):
                files.remove_unconfirmed(folder, name)


def _ctime(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_ctime_ns
    except OSError:
        return 0  # it has gone meanwhile
