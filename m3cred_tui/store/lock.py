"""One change at a time, among all processes that use one data directory."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from m3cred_tui.store.files import (
    check_private_file,
    check_way,
    close_read,
    flaws_refused,
    private_folder,
)
from m3cred_tui.store.problems import StoreBusy, StoreUnusable, plain_reason, reason_unfollowed

_NAME = "lock"
_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
_PATIENCE = 20.0
"""Seconds; a change takes milliseconds: a process that holds it longer is stopped or stuck."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.01  # a process that pauses longer starves in a crowd


@contextmanager
def locked(data: Path, name: str = _NAME, *, patience: float | None = None) -> Iterator[None]:
    """Hold the lock of the data directory for a block; both are made if missing.

    The file is never removed: a lock on a removed file excludes nobody. The system releases
    the lock when its process ends, however it ends. Raises :class:`StoreBusy` when another
    process holds it for longer than ``patience``, and :class:`StoreUnusable`.
    """
    path = data / name
    with ExitStack() as stack:
        with private_folder(data, make=True) as folder:
            check_way(data)
            try:
                file = os.open(path.name, _OPEN, 0o600, dir_fd=folder)
            except OSError as error:
                if not os.path.lexists(path):
                    raise  # it could not be made: the directory is to blame
                raise StoreUnusable(path, reason_unfollowed(error)) from error
            stack.callback(close_read, file)
            with flaws_refused(path):
                check_private_file(os.fstat(file), path)
        _take(file, path, _PATIENCE if patience is None else patience)
        yield


def _take(file: int, path: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise StoreBusy(path) from None
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                raise StoreUnusable(path, "this file system has no locks") from None
            raise StoreUnusable(path, plain_reason(error)) from error
        else:
            return
