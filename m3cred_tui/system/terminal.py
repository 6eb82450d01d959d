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
    """Tell whether this job may read the terminal and change its modes."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # it is not the controlling terminal: nobody is stopped
        return True


@contextmanager
def echo_off(
    terminal: int, *, also: int = 0, when: int = termios.TCSAFLUSH
) -> Iterator[Callable[[], None]]:
    """Yield what hides what is typed; the terminal is as before after the block.

    Call it again after Ctrl+Z, as the shell may have the terminal show what is typed, and only
    in the foreground: in the background it would stop this job. ``also`` are local modes to be
    turned off, too. ``TCSAFLUSH`` drops what is still on its way there, such as the end of a
    paste, which is no answer to what comes next. Raises ``termios.error``, but not at the end,
    as the terminal may be gone.
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
