"""The log file, its lines, and how secrets are masked in them."""

import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from m3cred_tui.model.text import clean
from m3cred_tui.store.files import check_private_file, private_folder
from m3cred_tui.system.process import set_aside

_PACKAGE = "m3cred_tui."
_LONGEST_LINE = 1000
_MOST_LINES = 200
_DEEPEST = 40

_HIDDEN = "***"
_SHAPES = (
    # The query and fragment of a URL, its user, and a query on its own.
    (r"(://[^\s?#]*)[?#]\S*", rf"\1?{_HIDDEN}"),
    (r"://[^\s/@]*@", f"://{_HIDDEN}@"),
    (r"([?#&])[^\s?#&=]*=\S*", rf"\1{_HIDDEN}"),
    (
        r"(?i)\b(code|state|token|secret|client_secret|access_token|refresh_token"
        r"|password|passphrase)=\S+",
        rf"\1={_HIDDEN}",
    ),
    (r"(?i)\b(bearer|basic)\s+\S{8,}", rf"\1 {_HIDDEN}"),
    # Stripe's keys, tokens and codes; long ones even without a boundary before them.
    (r"(?i)(?<![a-z0-9])(sk|rk|pk|ac|rt|whsec)_\S+", rf"\1_{_HIDDEN}"),
    (r"(sk|rk|pk|ac|rt|whsec)_(?:live_|test_)?[A-Za-z0-9]{16}\S*", rf"\1_{_HIDDEN}"),
    (r"(?i)(age-secret-key-)\S+", rf"\1{_HIDDEN}"),
    # Anything as random as a state (43 characters of base64url).
    (r"(?<![\w-])(?=[\w-]*[0-9])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{40,}", _HIDDEN),
)


def masked(text: str) -> str:
    """Return ``text`` without anything shaped like a secret, and without URLs' queries."""
    for pattern, shown in _SHAPES:  # compiled at the first use: the app's first paint has none
        text = re.sub(pattern, shown, text)
    return text


def line_of(text: str) -> str:
    """Return ``text`` as one line without secrets or control characters."""
    return masked(clean(text, most=_LONGEST_LINE))


def traceback_of(error: BaseException) -> list[str]:
    """Return the last 200 lines of a traceback, without the values of variables."""
    lines = "".join(traceback.format_exception(error)).splitlines()[-_MOST_LINES:]
    deep = (min(len(line) - len(line.lstrip(" ")), _DEEPEST) for line in lines)
    return [" " * spaces + line_of(line) for spaces, line in zip(deep, lines, strict=True)]


def lines_of(record: logging.LogRecord) -> str:
    """Return a record as one line, followed by the indented lines of its traceback."""
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    source = record.name.removeprefix(_PACKAGE)
    head = f"{moment} {record.process} {record.levelname} {source}"
    lines = [f"{head}: {line_of(record.getMessage())}"]
    if record.exc_info and (error := record.exc_info[1]):
        lines += (f"  {line}" for line in traceback_of(error))
    return "".join(f"{line}\n" for line in lines)


LARGEST_LOG = 1024 * 1024
"""Bytes; a larger log is renamed to ``….1``, replacing the previous one."""

_log = logging.getLogger(__name__)

# O_NONBLOCK: a FIFO at the path of the log must not block the app.
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Log to ``path`` in this block: m3cred's own messages, and uncaught exceptions.

    Of the libraries, only asyncio is logged; httpx, for one, logs whole URLs. Nothing that is
    logged is written to the terminal, which the app draws on.
    """
    handler = _LogFile(path)
    nowhere = logging.NullHandler()  # without it, warnings go to stderr
    loggers = [logging.getLogger(name) for name in ("m3cred_tui", "asyncio")]
    hooks = threading.excepthook, sys.unraisablehook
    loggers[0].setLevel(logging.INFO)
    for logger in loggers:
        logger.addHandler(handler)
    logging.getLogger().addHandler(nowhere)
    threading.excepthook, sys.unraisablehook = _thread_failed, _unraisable
    if names := set_aside():
        _log.warning("ignored in the environment: %s", ", ".join(names))
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = hooks
        logging.getLogger().removeHandler(nowhere)
        for logger in loggers:
            logger.removeHandler(handler)


class _LogFile(logging.Handler):
    """Opens the file for each record.

    A start without messages costs nothing, several processes can write, and a file that was
    moved or swapped is never written to. If it cannot be written, the app continues without it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):  # there is nowhere to report it
            _append(self._path, lines_of(record).encode())


def _append(path: Path, data: bytes) -> None:
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


def _unraisable(failed: "sys.UnraisableHookArgs") -> None:
    _log.error(failed.err_msg or "nobody caught this", exc_info=failed.exc_value)
