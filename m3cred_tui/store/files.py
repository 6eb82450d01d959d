"""Private files: checked as ssh does, and changed so that a crash leaves the old or the new.

A folder is an open descriptor, and names are relative to it, so that nobody can swap the path
in between. What was opened is checked, never its name, which may mean something else by then.
"""

import errno
import fcntl
import os
import re
import shlex
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from m3cred_tui.model.text import clean
from m3cred_tui.store.problems import (
    OutcomeUnknown,
    StoreUnusable,
    plain_reason,
    reason_unfollowed,
)

_is_temporary = re.compile(r"\.[0-9a-f]{16}\.tmp").fullmatch
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_PRIVATE = 0o600
_NO_CALL = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_NO_LINKS = {errno.EPERM, *_NO_CALL}  # FAT says that they are not permitted
_OLD_FILE = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnconfirmedError(Exception):
    """The change was made, but the disk did not confirm it; ``cause`` says why."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def make_folder(path: Path) -> None:
    """Make the directory and its missing parents, for this user alone.

    Nothing is made in another user's directory, such as ``HOME`` after ``sudo -E``:
    raises :class:`StoreUnusable`, or ``OSError``.
    """
    if not os.path.lexists(path.parent):
        make_folder(path.parent)
    above = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if os.fstat(above).st_uid not in {0, os.geteuid()}:
            raise StoreUnusable(path, _of_another_user(path.parent))
        with suppress(FileExistsError):  # another process may have made it
            path.mkdir(mode=0o700)
        _sync(above)
    finally:
        close_read(above)


def create(folder: int, name: str, data: bytes, mode: int = _PRIVATE) -> None:
    """Write a new file, completely or not at all, by default for this user alone.

    Raises ``FileExistsError`` when the name is taken, any other ``OSError`` when nothing was
    changed, and :class:`UnconfirmedError` when the file exists but may not survive a crash.
    """
    temporary = temporary_name()
    try:
        _write(folder, temporary, data, mode)
        _link(folder, temporary, name)
    finally:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
    _confirm(folder)


def create_anywhere(folder: int, name: str, data: bytes, mode: int = _PRIVATE) -> None:
    """Do the same on any file system, such as FAT on a stick, which has no hard links.

    There, a crash may leave a part of the file. What the file system has no call to confirm
    counts as confirmed.
    """
    try:
        try:
            create(folder, name, data, mode)
        except OSError as error:
            if error.errno != errno.EMLINK:
                raise
            _write(folder, name, data, mode)
            _confirm(folder)
    except UnconfirmedError as unconfirmed:
        if unconfirmed.cause.errno not in _NO_CALL:
            raise


def lacking(folder: int) -> list[str]:
    """Return what the store needs and the file system of a folder does not have.

    It is tried with a file of its own. Raises ``OSError`` when even that cannot be made.
    """
    temporary, link = temporary_name(), temporary_name()
    file = os.open(temporary, _NEW_FILE, _PRIVATE, dir_fd=folder)
    needs: dict[str, Callable[[], object]] = {
        "locks": lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB),
        "hard links": lambda: _link(folder, temporary, link),
        "confirmed changes of directories": lambda: _sync(folder),
    }
    found = []
    try:
        for need, use in needs.items():
            try:
                use()
            except OSError:
                found.append(need)
    finally:
        close_read(file)
        for name in (temporary, link):
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
    return found


def replace(folder: int, name: str, data: bytes, mode: int = _PRIVATE) -> None:
    """Replace the file of that name, which stays until the new one is complete.

    Raises ``OSError`` when nothing was changed, and :class:`UnconfirmedError` when the file
    was replaced but a crash may bring the old one back.
    """
    temporary = temporary_name()
    try:
        _write(folder, temporary, data, mode)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    _confirm(folder)


def fill(folder: int, name: str, data: bytes) -> None:
    """Overwrite a file that is at least as large, which needs no more space on the disk.

    A crash may leave it torn. Raises ``OSError``.
    """
    _fill(os.open(name, _OLD_FILE, dir_fd=folder), data)


def move(folder: int, name: str, into: int, new_name: str) -> None:
    """Replace a file in another folder with this one, which needs no more space on the disk.

    Raises ``OSError`` when nothing was changed, and :class:`UnconfirmedError` as
    :func:`replace` does.
    """
    os.replace(name, new_name, src_dir_fd=folder, dst_dir_fd=into)
    _confirm(into)


def remove(folder: int, name: str) -> bool:
    """Remove a file, and return whether it was there; it may be gone already.

    Raises ``OSError`` when nothing was changed, and :class:`UnconfirmedError` when it was
    removed but a crash may bring it back.
    """
    was_there = remove_unconfirmed(folder, name)
    # Even if it was gone: the process that removed it may not have got this far.
    _confirm(folder)
    return was_there


def remove_unconfirmed(folder: int, name: str) -> bool:
    """Do the same for a file that does no harm if a crash brings it back."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def sweep(folder: int) -> None:
    """Remove what killed writers left; call it only while no other process can write.

    A file that cannot be removed does no harm.
    """
    for name in os.listdir(folder):
        if _is_temporary(name):
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)


def close_read(descriptor: int) -> None:
    """Close what was only read; a failure means nothing for what was done meanwhile."""
    try:  # noqa: SIM105 - a list closes many, and suppress() takes longer than a close
        os.close(descriptor)
    except OSError:
        pass


def temporary_name() -> str:
    """Return a name that no other file has and no record can have."""
    return f".{os.urandom(8).hex()}.tmp"


def _write(folder: int, name: str, data: bytes, mode: int) -> None:
    """Write a new file; nothing of it stays if that fails."""
    file = os.open(name, _NEW_FILE, mode, dir_fd=folder)
    try:
        _fill(file, data)
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise


def _fill(file: int, data: bytes) -> None:
    """Make this the whole content of an open file, and close it."""
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(file, left) :]
        os.ftruncate(file, len(data))
        _sync(file)
    finally:
        os.close(file)


def _link(folder: int, name: str, new_name: str) -> None:
    """Give a file a second name; a link, unlike a rename, refuses one that is taken."""
    try:
        os.link(name, new_name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_LINKS:
            raise OSError(errno.EMLINK, os.strerror(errno.EMLINK)) from error
        raise


def _confirm(folder: int) -> None:
    try:
        _sync(folder)
    except OSError as error:
        raise UnconfirmedError(error) from error


def _sync(descriptor: int) -> None:
    """Flush it to the disk itself; never retried, as a second attempt may succeed falsely."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync stops at the drive's cache there
    else:
        os.fsync(descriptor)


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a FIFO in place of a file must not stop the program.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NOT_OF_THE_FILE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
_MOST_LINKS = 40  # the limit of Linux
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class FlawError(Exception):
    """A flaw in one file, and the command that fixes it, if there is one."""

    def __init__(self, reason: str, fix: str = "") -> None:
        run = f"; run: {clean(fix, most=4096)}" if fix else ""
        super().__init__(reason + run)
        self.reason = reason
        self.fix = fix


@contextmanager
def flaws_refused(path: Path | str) -> Iterator[None]:
    """Raise a :class:`FlawError` in a block as a :class:`StoreUnusable` of this path."""
    try:
        yield
    except FlawError as flaw:
        raise StoreUnusable(path, flaw.reason, flaw.fix) from None


@contextmanager
def private_folder(path: Path, *, make: bool = False) -> Iterator[int]:
    """Open a directory of this user alone for a block; yields its descriptor.

    Raises ``FileNotFoundError`` if there is none, unless ``make`` is set. Any other ``OSError``
    but ``FileExistsError`` is raised as :class:`StoreUnusable`, and :class:`UnconfirmedError`
    as :class:`OutcomeUnknown`, also from the block.
    """
    try:
        if make and not os.path.lexists(path):
            make_folder(path)
        try:
            folder = os.open(path, _FOLDER)
        except OSError:
            _refuse_what_is_there(path)
            raise
        try:
            with flaws_refused(path):
                _check_private(os.fstat(folder), path, "700")
            yield folder
        finally:
            close_read(folder)
    except UnconfirmedError as unconfirmed:
        raise OutcomeUnknown(path, plain_reason(unconfirmed.cause)) from unconfirmed
    except OSError as error:
        absent = isinstance(error, FileNotFoundError) and not make
        if absent:
            _refuse_dangling(path)
        if absent or isinstance(error, FileExistsError):
            raise
        raise StoreUnusable(path, plain_reason(error)) from error


def _refuse_what_is_there(path: Path) -> None:
    """Raise a :class:`StoreUnusable` where it can say more than the system's error."""
    try:
        status = path.lstat()
    except OSError:
        return
    if stat.S_ISLNK(status.st_mode):
        _refuse_dangling(path)
        reason = "it is a symbolic link; put the directory itself in its place"
        raise StoreUnusable(path, reason)
    if not stat.S_ISDIR(status.st_mode):
        raise StoreUnusable(path, "it is not a directory")
    with flaws_refused(path):
        _check_private(status, path, "700")


def _refuse_dangling(path: Path) -> None:
    """Refuse a path where a link on the way has no target, as if that is not mounted."""
    with suppress(OSError):
        for one in (path, *path.parents):
            if one.is_symlink() and not one.exists():
                raise StoreUnusable(one, "it is a link to nothing")


def read_private(folder: int, name: str, path: Path | str, *, most: int) -> bytes:
    """Read a regular file of this user alone in an open folder; ``path`` is for the messages.

    Raises ``FileNotFoundError`` if there is none, and :class:`FlawError` if it is not such a
    file, has more than ``most`` bytes or cannot be read.
    """
    try:
        file = os.open(name, _FILE, dir_fd=folder)
        try:
            status = os.fstat(file)
            check_private_file(status, path)
            if status.st_size > most:
                raise FlawError(f"it has {status.st_size:,} bytes; {most:,} is the most")
            return _read(file, status.st_size)
        finally:
            close_read(file)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _NOT_OF_THE_FILE:
            raise StoreUnusable(Path(path), plain_reason(error)) from error
        raise FlawError(reason_unfollowed(error)) from error


def _read(file: int, size: int) -> bytes:
    data = os.read(file, size)
    while 0 < len(data) < size and (more := os.read(file, size - len(data))):
        data += more
    return data


def check_private_file(status: os.stat_result, path: Path | str) -> None:
    """Raise :class:`FlawError` unless it is a regular file of this user alone."""
    if not stat.S_ISREG(status.st_mode):
        raise FlawError("it is not a regular file")
    _check_private(status, path, "600")


def check_way(path: Path) -> None:
    """Refuse a directory that another user could replace in one of its parents.

    As sshd does (``safe_path``): each directory above belongs to root or to this user, and
    nobody else may write to it. Wider permissions are accepted with a sticky bit, which keeps
    users from each other's files, and for a group without other members. Links are followed,
    and the directories that hold them are checked, too. Raises :class:`StoreUnusable`, or
    ``OSError``.
    """
    me = os.geteuid()
    for above, status in _way(path.parent):
        is_link = stat.S_ISLNK(status.st_mode)
        if status.st_uid not in (0, me):
            what = "symbolic link" if is_link else "directory"
            raise StoreUnusable(path, _of_another_user(above, what))
        if is_link or status.st_mode & stat.S_ISVTX:
            continue
        bits = "o" * bool(status.st_mode & stat.S_IWOTH)
        if status.st_mode & stat.S_IWGRP and not _is_alone_in(status.st_gid):
            bits = f"g{bits}"
        if bits:
            reason = f"other users can write to the directory {above} above it"
            raise StoreUnusable(path, reason, f"chmod {bits}-w {shlex.quote(above)}")


def _way(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Walk from the root to a directory as the kernel does; yield each link on the way."""
    yield "/", os.stat("/")  # noqa: PTH116 - here and below: a Path takes ten times as long
    here, links = "", 0
    ahead = str(path.absolute()).split("/")[::-1]
    while ahead:
        part = ahead.pop()
        if part in ("", "."):
            continue
        if part == "..":
            here = here.rpartition("/")[0]
            continue
        entry = f"{here}/{part}"
        status = os.lstat(entry)
        yield entry, status
        if not stat.S_ISLNK(status.st_mode):
            here = entry
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = os.readlink(entry)  # noqa: PTH115
        here = "" if target.startswith("/") else here
        ahead += target.split("/")[::-1]


def _is_alone_in(group: int) -> bool:
    """Return whether it is this user's own group; by name and members, like Debian's sshd."""
    import grp  # noqa: PLC0415 - rarely needed: few directories are group-writable
    import pwd  # noqa: PLC0415 - the same

    try:
        me, entry = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
    except KeyError:
        return False
    # By name, too, as getpwall does not return every user of a directory service.
    is_own = me.pw_gid == group and me.pw_name == entry.gr_name
    others = {one.pw_name for one in pwd.getpwall() if one.pw_gid == group} | {*entry.gr_mem}
    return is_own and others <= {me.pw_name}


def _of_another_user(above: Path | str, what: str = "directory") -> str:
    return (
        f"the {what} {above} above it belongs to another user; if HOME names that user's "
        "directory, set it to your own"
    )


def _check_private(status: os.stat_result, path: Path | str, bits: str) -> None:
    """Raise :class:`FlawError` unless this user owns it, and nobody else has access."""
    if status.st_uid != os.geteuid():
        # No command: taking it over may lock out the owner of what is around it.
        me, other = os.geteuid(), status.st_uid
        raise FlawError(f"it belongs to another user (uid {other}), and you are uid {me}")
    if status.st_mode & _OTHERS:
        raise FlawError(
            "other users have access to it", f"chmod {bits} {shlex.quote(str(path))}"
        )
