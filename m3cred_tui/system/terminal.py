"""The modes of a terminal, and whether this job may change them."""

from __future__ import annotations

import os
import termios
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOCAL_FLAGS = 3  # of what tcgetattr returns


def is_in_foreground(terminal: int) -> bool:
    """Return whether this job may read the terminal and change its modes."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # not the controlling terminal, so no job is stopped
        return True


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
                termios.tcsetattr(terminal, when, before)
