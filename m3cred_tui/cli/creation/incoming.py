"""The lines of standard input, while other things go on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from m3cred_tui.callback.pasted import LONGEST_PASTE
from m3cred_tui.cli.output.prompts import is_in_foreground

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Lines = asyncio.Queue[str | None]

_INPUT = 0
_AT_ONCE = 65_536
_LONGEST_LINE = 4 * LONGEST_PASTE  # bytes; what is longer comes in pieces, and is no address
_LOCAL = 3  # of what tcgetattr returns
_LOOK_SECONDS = 0.5


def is_typed() -> bool:
    """Tell whether standard input is a terminal at which somebody can answer."""
    return sys.stdin is not None and sys.stdin.isatty() and is_in_foreground(_INPUT)


def can_ask() -> bool:
    """Tell whether somebody sees a question, and can answer it."""
    return is_typed() and sys.stderr.isatty()


@contextmanager
def incoming(*, shown: bool) -> Iterator[Lines]:
    """Yield a queue of the lines that come in this block, and ``None`` after the last one.

    What is typed is seen on the terminal only if it is to be ``shown``. In the background of a
    terminal, a job would be stopped if it read: one that begins there gets no lines, and one
    that is sent there gets the next ones when it is back.
    """
    lines: Lines = asyncio.Queue()
    with ExitStack() as after:
        if sys.stdin is None or (sys.stdin.isatty() and not is_typed()):
            lines.put_nowait(None)
        elif sys.stdin.isatty():
            begin = _begin_shown if shown else after.enter_context(_nothing_shown(_INPUT))
            after.enter_context(_reading_typed(_INPUT, lines, begin))
        else:
            after.enter_context(_reading(_INPUT, lines))
        yield lines


@contextmanager
def _reading_typed(terminal: int, lines: Lines, begin: Callable[[], None]) -> Iterator[None]:
    """Read what is typed while the job is in the foreground; ``begin`` each time it gets there.

    In the background it would be stopped for that, and nobody would answer the browser.
    """
    loop = asyncio.get_running_loop()
    rest = bytearray()
    has_ended = False
    later = ExitStack()

    def read() -> None:
        nonlocal has_ended
        if not is_in_foreground(terminal):
            turn()
        elif not _read_some(terminal, rest, lines):
            has_ended = True
            loop.remove_reader(terminal)

    def turn() -> None:
        later.close()
        if not is_in_foreground(terminal):
            loop.remove_reader(terminal)
            # Not every shell sends SIGCONT to a job that runs when it gets the terminal back.
            later.callback(loop.call_later(_LOOK_SECONDS, turn).cancel)
            return
        begin()
        if not has_ended:
            loop.add_reader(terminal, read)

    try:
        # Before the terminal is touched: from then on, somebody may send the job to the
        # background and have it continue there, and nothing else tells of that.
        loop.add_signal_handler(signal.SIGCONT, turn)
        turn()
        yield
    finally:
        loop.remove_signal_handler(signal.SIGCONT)
        loop.remove_reader(terminal)
        later.close()


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


def _begin_shown() -> None:
    """Leave the terminal as it is, which shows what is typed."""


@contextmanager
def _nothing_shown(terminal: int) -> Iterator[Callable[[], None]]:
    """Yield what hides what is typed; after Ctrl+Z, the shell may have it shown."""
    before = termios.tcgetattr(terminal)
    hidden = [*before]
    hidden[_LOCAL] = before[_LOCAL] & ~termios.ECHO

    def hide() -> None:
        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)

    try:
        yield hide
    finally:
        # What is still on its way there, such as the end of a paste, is no answer to what
        # comes next.
        if is_in_foreground(terminal):
            with suppress(termios.error):
                termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
