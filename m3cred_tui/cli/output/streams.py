"""Standard output and standard error, whatever they are connected to."""

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

_FAILED = 1
_NOBODY_READS = 141
"""What a shell says of a program that SIGPIPE ended, as it ends ``ls | head -1``."""

_USUAL_WIDTH = 80
# Every other file's errors are Problems, so one of these comes from a standard stream.
_NOT_WRITTEN = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


def guarded(do: Callable[[], int]) -> int:
    """Run a command; return its exit status once its output has been written.

    The reader may go away (``m3cred list | head -1``), and the disk behind standard output may
    be full. A character that the locale cannot encode is written as a question mark.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until the end
    if sys.stdout is None:  # before anything is done whose result would be lost
        sys.stderr.write("m3cred: standard output is closed.\n")
        return _FAILED
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
    try:
        try:
            return do()
        finally:  # argparse leaves by SystemExit
            sys.stdout.flush()
    except KeyboardInterrupt:
        from m3cred_tui.system.terminal import leave_blocked_streams  # noqa: PLC0415 - seldom

        leave_blocked_streams()
        raise
    except OSError as error:
        if error.errno not in _NOT_WRITTEN:
            raise
        return _told(error)
    finally:
        for stream in (sys.stdout, sys.stderr):
            _flush_or_discard(stream)


def width_of(stream: TextIO) -> int | None:
    """Return how many cells a line of the terminal has; ``None`` without a terminal."""
    if not stream.isatty():
        return None
    wish = os.environ.get("COLUMNS", "")
    if wish.isascii() and wish.isdigit() and 0 < len(wish) <= len("9999") and int(wish):
        return int(wish)
    with suppress(OSError):
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_WIDTH
    return _USUAL_WIDTH


def is_dumb() -> bool:
    """Return whether the terminal can only write one line after the other."""
    return os.environ.get("TERM", "") in {"", "dumb"}


def coloured(text: str, colour: int, stream: TextIO) -> str:
    """Return the text in this colour if the stream takes colours (https://no-color.org)."""
    is_plain = os.environ.get("NO_COLOR") or is_dumb() or not stream.isatty()
    return text if is_plain else f"\x1b[{colour}m{text}\x1b[0m"


def _flush_or_discard(stream: TextIO) -> None:
    """Discard output that cannot be written, as Python would complain about it at exit."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _told(error: OSError) -> int:
    """Report why standard output cannot be written, unless its reader has gone."""
    if isinstance(error, BrokenPipeError):
        return _NOBODY_READS
    from m3cred_tui.store.problems import plain_reason  # noqa: PLC0415 - seldom, and 10 ms

    with suppress(OSError):
        sys.stderr.write(f"m3cred: standard output takes no more: {plain_reason(error)}.\n")
    return _FAILED
