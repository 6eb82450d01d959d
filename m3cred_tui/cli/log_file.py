"""The log: one file of this user alone, which never grows beyond its size."""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST_LOG = 1024 * 1024
"""Bytes; then it becomes ``….1``, in the place of the one before."""

_OURS = "m3cred_tui"
_OTHERS = ("asyncio",)
_log = logging.getLogger(__name__)

# O_NONBLOCK: a FIFO in the place of the log must not stop the app.
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Log to ``path`` in this block: what m3cred says, and what nobody caught.

    Of other libraries, only asyncio may say something; httpx, for one, logs whole URLs. What
    is logged is never written to the terminal, which the app draws on.
    """
    handler = _LogFile(path)
    nowhere = logging.NullHandler()  # without it, warnings go to stderr
    loggers = [logging.getLogger(name) for name in (_OURS, *_OTHERS)]
    hooks = threading.excepthook, sys.unraisablehook
    loggers[0].setLevel(logging.INFO)
    for logger in loggers:
        logger.addHandler(handler)
    logging.getLogger().addHandler(nowhere)
    threading.excepthook, sys.unraisablehook = _thread_failed, _unraisable
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = hooks
        logging.getLogger().removeHandler(nowhere)
        for logger in loggers:
            logger.removeHandler(handler)


class _LogFile(logging.Handler):
    """Opens the file for each record.

    So a start without a word costs nothing, several processes can write, and a file that was
    moved or swapped is never written to. Where it cannot be written, the app goes on without.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        from m3cred_tui.cli.log_line import lines_of

        with suppress(Exception):  # nobody is there to be told
            _append(self._path, lines_of(record).encode())


def _append(path: Path, data: bytes) -> None:
    from m3cred_tui.store.files import check_private_file, private_folder

    with private_folder(path.parent, make=True) as folder:
        _make_room(folder, path.name, len(data))
        file = os.open(path.name, _APPEND, 0o600, dir_fd=folder)
        try:
            check_private_file(os.fstat(file), path)
            os.write(file, data)
        finally:
            os.close(file)


def _make_room(folder: int, name: str, size: int) -> None:
    with suppress(FileNotFoundError):
        if os.stat(name, dir_fd=folder, follow_symlinks=False).st_size + size > LARGEST_LOG:
            os.replace(name, f"{name}.1", src_dir_fd=folder, dst_dir_fd=folder)


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_type is not SystemExit:
        name = failed.thread.name if failed.thread else "unknown"
        _log.error("the thread %s has failed", name, exc_info=failed.exc_value)


def _unraisable(failed: sys.UnraisableHookArgs) -> None:
    _log.error(failed.err_msg or "nobody caught this", exc_info=failed.exc_value)
