"""The modes of a terminal, whether this job may change them, and whether it takes output."""

from __future__ import annotations

import os
import select
import termios
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

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


class Echo:
    """The echo of a terminal, which can be off during a block and is restored after it.

    Where a signal's handler raises an exception, that may come just before the block begins, or
    amid its end: let the handler restore the echo itself.
    """

    def __init__(self, terminal: int, *, also: int = 0, when: int = termios.TCSAFLUSH) -> None:
        """Note the modes as they are; raises ``termios.error``.

        ``also`` are further local modes to turn off. ``TCSAFLUSH`` discards pending input, such
        as the end of a paste, which is not an answer to what comes next.
        """
        self._terminal = terminal
        self._when = when
        self._before = termios.tcgetattr(terminal)
        self._hidden = [*self._before]
        self._hidden[_LOCAL_FLAGS] = self._before[_LOCAL_FLAGS] & ~(termios.ECHO | also)
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.restore()

    def turn_off(self) -> None:
        """Turn echo off, unless it was restored; raises ``termios.error``.

        Call it again after Ctrl+Z, as the shell may turn echo on, and only in the foreground:
        in the background it would stop this job.
        """
        if not self._is_over:
            termios.tcsetattr(self._terminal, self._when, self._hidden)

    def restore(self) -> None:
        """Restore the modes for good; a terminal that has gone is no error."""
        self._is_over = True
        if is_in_foreground(self._terminal):
            with suppress(termios.error):
                if self._when == termios.TCSAFLUSH:
                    termios.tcflush(self._terminal, termios.TCIFLUSH)
                # Without waiting for pending output, which a stopped terminal never takes.
                termios.tcsetattr(self._terminal, termios.TCSANOW, self._before)
