"""The lines of standard input, while other things go on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from m3cred_tui.callback.paste_problems import LONGEST_PASTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    Lines = asyncio.Queue[str | None]

_INPUT = 0
_AT_ONCE = 65_536
_LONGEST_LINE = 4 * LONGEST_PASTE  # bytes; what is longer comes in pieces, and is no address
_LOCAL = 3  # of what tcgetattr returns


def is_typed() -> bool:
    """Tell whether standard input is a terminal at which somebody can answer."""
    return sys.stdin is not None and sys.stdin.isatty() and _is_in_foreground(_INPUT)


def can_ask() -> bool:
    """Tell whether somebody sees a question, and can answer it."""
    return is_typed() and sys.stderr.isatty()


@contextmanager
def incoming(*, shown: bool) -> Iterator[Lines]:
    """Yield a queue of the lines that come in this block, and ``None`` after the last one.

    What is typed is seen on the terminal only if it is to be ``shown``. A job in the background
    of a terminal, which would be stopped if it read, gets none.
    """
    lines: Lines = asyncio.Queue()
    with ExitStack() as after:
        if sys.stdin is None or (sys.stdin.isatty() and not is_typed()):
            lines.put_nowait(None)
        else:
            if is_typed() and not shown:
                after.enter_context(_nothing_shown(_INPUT))
            after.enter_context(_reading(_INPUT, lines))
        yield lines


@contextmanager
def _reading(file: int, lines: Lines) -> Iterator[None]:
    """Read what is there, without ever waiting for it."""
    loop = asyncio.get_running_loop()
    rest = bytearray()

    def read() -> None:
        if not _read_some(file, rest, lines):
            loop.remove_reader(file)

    try:
        loop.add_reader(file, read)
        task = None
    except PermissionError:  # epoll takes no plain file, from which reading never waits
        task = asyncio.create_task(_read_all(file, rest, lines))
    try:
        yield
    finally:
        loop.remove_reader(file)
        if task is not None:
            task.cancel()


async def _read_all(file: int, rest: bytearray, lines: Lines) -> None:
    while _read_some(file, rest, lines):  # noqa: ASYNC110 - nothing tells of a plain file
        await asyncio.sleep(0)


def _read_some(file: int, rest: bytearray, lines: Lines) -> bool:
    """Put the lines that have come into the queue, and tell whether more may come."""
    try:
        data = os.read(file, _AT_ONCE)
    except BlockingIOError:
        return True
    except OSError:  # EIO: the terminal has gone
        data = b""
    *whole, last = (bytes(rest) + data).split(b"\n")
    if last and (not data or len(last) > _LONGEST_LINE):
        whole.append(last)
        last = b""
    rest[:] = last
    for line in whole:
        lines.put_nowait(line.decode(errors="replace"))
    if not data:
        lines.put_nowait(None)
    return bool(data)


@contextmanager
def _nothing_shown(terminal: int) -> Iterator[None]:
    before = termios.tcgetattr(terminal)
    hidden = [*before]
    hidden[_LOCAL] = before[_LOCAL] & ~termios.ECHO

    def hide() -> None:
        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)

    loop = asyncio.get_running_loop()
    # After Ctrl+Z, the shell may have the terminal show what is typed.
    loop.add_signal_handler(signal.SIGCONT, hide)
    hide()
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGCONT)
        # What is still on its way there, such as the end of a paste, is no answer to what
        # comes next.
        if _is_in_foreground(terminal):
            with suppress(termios.error):
                termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _is_in_foreground(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # it is not the controlling terminal: nobody stops who reads
        return True
