"""Reads lines of standard input without blocking, and an address from them."""

import asyncio
import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from m3cred_tui.authorize.events import Paste
from m3cred_tui.callback.pasted import LONGEST_PASTE, PasteIncomplete
from m3cred_tui.cli.output.prompts import is_typed
from m3cred_tui.model.problem import Problem
from m3cred_tui.system.terminal import Echo, is_in_foreground

Lines = asyncio.Queue[str | Problem | None]


class TooMuchInput(Problem, code="TooMuchInput"):
    """Only the beginning of what comes on standard input is read."""

    text = "There is too much on standard input to be an address, so no more of it is read."


_INPUT = 0
_AT_ONCE = 65_536
_LONGEST_LINE = 4 * LONGEST_PASTE  # bytes; what is longer comes in pieces, and is no address
_MOST_BYTES = 4 * _LONGEST_LINE  # of all that is read
_MOST_LINES = 100  # of one wrapped address
_LOOK_SECONDS = 0.5


@contextmanager
def incoming() -> Iterator[Lines]:
    """Yield a queue of the lines that come in this block, and ``None`` after the last one.

    The terminal does not echo them. In its background, a job would be stopped if it read: one
    that begins there gets no lines, and one that is sent there gets the next ones when it is
    back.
    """
    lines: Lines = asyncio.Queue()
    with ExitStack() as after:
        if sys.stdin is None or (sys.stdin.isatty() and not is_typed()):
            lines.put_nowait(None)
        elif sys.stdin.isatty():
            echo = after.enter_context(Echo(_INPUT))
            _read_typed(_INPUT, lines, echo.turn_off, after)
        else:
            _read(_INPUT, lines, after)
        yield lines


def _read_typed(
    terminal: int, lines: Lines, hide: Callable[[], None], after: ExitStack
) -> None:
    """Read what is typed while the job is in the foreground, and ``hide`` it, until ``after``.

    In the background it would be stopped for that, and nobody would answer the browser.
    """
    loop = asyncio.get_running_loop()
    reading = _Reading(lines)
    has_ended = False
    later = after.enter_context(ExitStack())
    after.callback(loop.remove_reader, terminal)
    after.callback(loop.remove_signal_handler, signal.SIGCONT)

    def read() -> None:
        nonlocal has_ended
        if not is_in_foreground(terminal):
            turn()
        elif not reading.goes_on(terminal):
            has_ended = True
            loop.remove_reader(terminal)

    def turn() -> None:
        later.close()
        if not is_in_foreground(terminal):
            loop.remove_reader(terminal)
            # Not every shell sends SIGCONT to a job that runs when it gets the terminal back.
            later.callback(loop.call_later(_LOOK_SECONDS, turn).cancel)
            return
        with suppress(termios.error):  # it may have gone
            hide()
        if not has_ended:
            loop.add_reader(terminal, read)

    # Before the terminal is touched: from then on, somebody may send the job to the background
    # and have it continue there, and nothing else reports that.
    loop.add_signal_handler(signal.SIGCONT, turn)
    turn()


def _read(file: int, lines: Lines, after: ExitStack) -> None:
    """Read what is there, without ever waiting for it, until ``after``."""
    loop = asyncio.get_running_loop()
    reading = _Reading(lines)

    def read() -> None:
        if not reading.goes_on(file):
            loop.remove_reader(file)

    try:
        loop.add_reader(file, read)
        after.callback(loop.remove_reader, file)
    except PermissionError:  # epoll takes no plain file, from which reading never waits
        after.callback(asyncio.create_task(_read_all(file, reading)).cancel)


async def _read_all(file: int, reading: "_Reading") -> None:
    while reading.goes_on(file):  # noqa: ASYNC110 - nothing tells of a plain file
        await asyncio.sleep(0)


class _Reading:
    """Puts lines into a queue as they come, up to as many as an address can have by far."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._rest = b""
        self._left = _MOST_BYTES

    def goes_on(self, file: int) -> bool:
        """Read what has come, and return whether more may come."""
        try:
            data = os.read(file, min(_AT_ONCE, self._left))
        except BlockingIOError:
            return True
        except OSError:  # EIO: the terminal has gone
            data = b""
        self._left -= len(data)
        is_over = not data or not self._left
        *whole, last = (self._rest + data).split(b"\n")
        if last and (is_over or len(last) > _LONGEST_LINE):
            whole.append(last)
            last = b""
        self._rest = last
        for line in whole:
            self._lines.put_nowait(line.decode(errors="replace"))
        if data and is_over:
            self._lines.put_nowait(TooMuchInput())
        if is_over:
            self._lines.put_nowait(None)
        return not is_over


SILENCE = 0.5
"""Seconds after which no other line of a wrapped address follows."""


async def take_address(lines: Lines, paste: Paste, tell: Callable[[Problem], object]) -> bool:
    """Hand lines over until they are an address that is taken; return whether one was.

    A wrapped address comes in several lines. A wrong one is reported, and the next line begins
    a new one; an incomplete one is reported once no more of it comes. What comes faster than
    anybody types is reported once.
    """
    report = _once_in_a_while(tell)
    held, told, count = "", "", 0
    while True:
        line = await lines.get()
        await asyncio.sleep(0)  # a queue that is never empty would keep everything else waiting
        if isinstance(line, Problem):
            tell(line)
            continue
        held, count = f"{held}{line or ''}\n".lstrip(), count + 1
        if held and held != told:
            is_last = line is None or count == _MOST_LINES
            problem = _refusal(paste, held, final=is_last)
            if isinstance(problem, PasteIncomplete) and not is_last:
                if await _more_comes(lines):
                    continue
                problem = _refusal(paste, held, final=True)
            if problem is None:
                return True
            report(problem)
            is_kept = isinstance(problem, PasteIncomplete) and not is_last
            held, told, count = (held, held, count) if is_kept else ("", "", 0)
        if line is None:
            return False


def _once_in_a_while(tell: Callable[[Problem], object]) -> Callable[[Problem], None]:
    """Return what reports a problem, unless another one came a moment before."""
    at = -SILENCE

    def report(problem: Problem) -> None:
        nonlocal at
        before, at = at, asyncio.get_running_loop().time()
        if at - before >= SILENCE:
            tell(problem)

    return report


def _refusal(paste: Paste, text: str, *, final: bool) -> Problem | None:
    try:
        paste(text, final=final)
    except Problem as problem:
        return problem
    return None


async def _more_comes(lines: Lines) -> bool:
    if lines.empty():
        await asyncio.sleep(SILENCE)
    return not lines.empty()
