"""Changing a directory so that a crash at any moment leaves the old or the new state.

A folder is an open descriptor; names are relative to it, so that nobody can swap the path
in between.
"""

import fcntl
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

_is_temporary = re.compile(r"\.[0-9a-f]{16}\.tmp").fullmatch
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD_FILE = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnconfirmedError(Exception):
    """The change was made, but the disk did not confirm it; ``cause`` says why."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def make_folder(path: Path) -> None:
    """Make the directory, and those above it that are missing, for this user alone."""
    try:
        path.mkdir(mode=0o700)
    except FileNotFoundError:
        make_folder(path.parent)
        with suppress(FileExistsError):  # another process may be as far as this one
            path.mkdir(mode=0o700)
    except FileExistsError:
        return
    above = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _sync(above)
    finally:
        close_read(above)


def create(folder: int, name: str, data: bytes) -> None:
    """Write a new file that is there whole or not at all, for this user alone.

    Raises ``FileExistsError`` when the name is taken, any other ``OSError`` when nothing was
    changed, and :class:`UnconfirmedError` when the file is there but may not survive a crash.
    """
    temporary = temporary_name()
    try:
        _write(folder, temporary, data)
        # A link, unlike a rename, refuses a name that is taken.
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    finally:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
    _confirm(folder)


def replace(folder: int, name: str, data: bytes) -> None:
    """Write a file in the place of the one of that name, which is there until then.

    Raises ``OSError`` when nothing was changed, and :class:`UnconfirmedError` when the new
    file is there but the old one may be back after a crash.
    """
    temporary = temporary_name()
    try:
        _write(folder, temporary, data)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    _confirm(folder)


def fill(folder: int, name: str, data: bytes) -> None:
    """Write over a file of at least as many bytes, which cannot want for room on the disk.

    A crash may leave it torn. Raises ``OSError``.
    """
    file = os.open(name, _OLD_FILE, dir_fd=folder)
    try:
        _write_all(file, data)
        os.ftruncate(file, len(data))
        _sync(file)
    finally:
        os.close(file)


def move(folder: int, name: str, into: int, new_name: str) -> None:
    """Put a file that is on the disk in the place of one in another folder, without new room.

    Raises ``OSError`` when nothing was changed, and :class:`UnconfirmedError` as
    :func:`replace` does.
    """
    os.replace(name, new_name, src_dir_fd=folder, dst_dir_fd=into)
    _confirm(into)


def remove(folder: int, name: str) -> bool:
    """Remove a file, and tell whether it was there; one that is gone already is fine.

    Raises ``OSError`` when nothing was changed, and :class:`UnconfirmedError` when it is
    removed but may be back after a crash.
    """
    was_there = remove_unconfirmed(folder, name)
    # Also when it was gone: whoever removed it may not have got as far as this.
    _confirm(folder)
    return was_there


def remove_unconfirmed(folder: int, name: str) -> bool:
    """Do what :func:`remove` does for a file that does no harm when a crash brings it back."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def sweep(folder: int) -> None:
    """Remove what writers that were killed have left; only while no other one can write.

    What cannot be removed stays: it is in nobody's way.
    """
    for name in os.listdir(folder):
        if _is_temporary(name):
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)


def close_read(descriptor: int) -> None:
    """Close what was only read: that it fails says nothing of what was done meanwhile."""
    try:  # noqa: SIM105 - a list closes many, and suppress() takes longer than a close
        os.close(descriptor)
    except OSError:
        pass


def temporary_name() -> str:
    """Return a name that no other file has, and that is no record's."""
    return f".{os.urandom(8).hex()}.tmp"


def _write(folder: int, name: str, data: bytes) -> None:
    file = os.open(name, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        _write_all(file, data)
        _sync(file)
    finally:
        os.close(file)


def _write_all(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]


def _confirm(folder: int) -> None:
    try:
        _sync(folder)
    except OSError as error:
        raise UnconfirmedError(error) from error


def _sync(descriptor: int) -> None:
    """Bring it to the disk itself; never tried again, as a second try may succeed falsely."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync stops at the drive's cache there
    else:
        os.fsync(descriptor)
