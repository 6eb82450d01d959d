"""A line on standard error that says how far something is."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PAUSE = 0.1  # seconds; a slow line is not to wait for this
_TO_START_AND_CLEAR = "\r\x1b[K"


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Give what shows a line in the place of the one before; the last is cleared at the end.

    Where standard error is no terminal, nothing is written.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM", "") in {"", "dumb"}:
        yield lambda _line: None
        return
    due = 0.0

    def show(line: str) -> None:
        nonlocal due
        if time.monotonic() >= due:
            _write(_TO_START_AND_CLEAR + line)
            due = time.monotonic() + _PAUSE

    try:
        yield show
    finally:
        _write(_TO_START_AND_CLEAR)


def _write(text: str) -> None:
    with suppress(OSError):  # the terminal may have gone
        sys.stderr.write(text)
        sys.stderr.flush()
