"""The modes of a terminal, whether this job may change them, and whether it takes output."""

from __future__ import annotations

import os
import select
import termios
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOCAL_FLAGS = 3  # of what tcgetattr returns
_OUTPUT, _ERRORS = 1, 2
_PATIENCE = 0.5  # seconds


def is_in_foreground(terminal: int) -> bool:
    """Return whether this job may read the terminal and change its modes."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # not the controlling terminal, so no job is stopped
        return True


def can_be_continued() -> bool:
    """Return whether a shell with job control started this job, and can continue it.

    Otherwise the job is the whole session, as with ``ssh -t HOST m3cred``.
    """
    return os.getpgrp() != os.getsid(0)


def takes_output(descriptor: int, patience: float = 0.0) -> bool:
    """Return whether a write would wait for at most ``patience`` seconds."""
    try:
        return bool(select.select([], [descriptor], [], patience)[1])
    except (OSError, ValueError):  # it is closed
        return True


def leave_blocked_streams(patience: float = _PATIENCE) -> None:
    """Discard further output to streams that nobody reads.

    Call it before ending, which a stopped or unread terminal would delay. Called by a signal's
    handler, it also releases the write that is waiting.
    """
    for descriptor in (_OUTPUT, _ERRORS):
        if not takes_output(descriptor, patience):
            with suppress(OSError):  # too many files are open
                nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
                os.dup2(nothing, descriptor)
                os.close(nothing)


@contextmanager
def echo_off(
    terminal: int, *, also: int = 0, when: int = termios.TCSAFLUSH
) -> Iterator[Callable[[], None]]:
    """Yield a function that turns echo off; the terminal is restored after the block.

    Call the function again after Ctrl+Z, as the shell may turn echo on, and only in the
    foreground: in the background it would stop this job. ``also`` are further local modes to
    turn off. ``TCSAFLUSH`` discards pending input, such as the end of a paste, which is not an
    answer to what comes next. Raises ``termios.error``, but not at the end, as the terminal may
    be gone.
    """
    before = termios.tcgetattr(terminal)
    hidden = [*before]
    hidden[_LOCAL_FLAGS] = before[_LOCAL_FLAGS] & ~(termios.ECHO | also)
    try:
        yield lambda: termios.tcsetattr(terminal, when, hidden)
    finally:
        if is_in_foreground(terminal):
            with suppress(termios.error):
                if when == termios.TCSAFLUSH:
                    termios.tcflush(terminal, termios.TCIFLUSH)
                # Without waiting for pending output, which a stopped terminal never takes.
                termios.tcsetattr(terminal, termios.TCSANOW, before)
