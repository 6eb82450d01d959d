"""A terminal: a program on a pty of its own, and the screen that a person would see."""

import asyncio
import errno
import fcntl
import os
import pty
import re
import resource
import select
import signal
import struct
import termios
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

import pyte

PATIENCE = 15.0
"""Seconds that a loaded machine may take for what is expected at once."""

SOON = 5.0
"""Seconds for an end that takes a tenth of one on an idle machine, and for one terminal that is
not read, two."""

ENTER, ESC, UP, DOWN, RIGHT, LEFT = "\r", "\x1b", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
TAB, CTRL_C, CTRL_L, CTRL_Q = "\t", "\x03", "\x0c", "\x11"
CTRL_S, CTRL_Z, CTRL_BACKSLASH = "\x13", "\x1a", "\x1c"

# pyte stumbles over these: leave the kitty keyboard protocol, save and restore modes.
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[(?:<\d*u|\?[\d;]*[rs])")
_UNFINISHED = re.compile(rb"\x1b(?:\[[<?\d;]*)?\Z")
_SETTLED = 0.2  # seconds without room in a terminal that nobody reads

# What proc(5) says of a thread that runs or would run, or waits for a disk.
_STATE_OF_WORK = re.compile(r"\) [RD] ")

Seen = Callable[[str], bool]


class Output(NamedTuple):
    """Bytes as they came, and when (seconds of the monotonic clock)."""

    at: float
    data: bytes


class _Screen(pyte.Screen):
    """A screen whose terminal answers, as every real one does, when it is asked what it is."""

    def __init__(self, columns: int, lines: int, answer: Callable[[str], object]) -> None:
        self._shown: dict[int, str] = {}
        super().__init__(columns, lines)
        self._answer = answer

    @property
    def display(self) -> list[str]:
        """Read only those lines again that have changed; pyte's reads all of them."""
        for number in self.dirty:
            cells = self.buffer[number]
            self._shown[number] = "".join(cells[at].data for at in range(self.columns))
        self.dirty.clear()
        return [self._shown[number] for number in range(self.lines)]

    def write_process_input(self, data: str) -> None:
        self._answer(data)


class Terminal:
    """A program, the keyboard before it and the screen behind it; see :func:`terminal`."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], columns: int, lines: int
    ) -> None:
        self.answers: Callable[[str], object] = self.press
        self._screen: pyte.Screen = _Screen(columns, lines, self._answer)
        self._stream = pyte.ByteStream(self._screen)
        self._unfinished = b""
        self._changed = asyncio.Event()
        self._status: int | None = None
        self.written: list[Output] = []
        self._raw = bytearray()
        self.closed = False
        self._master, slave = pty.openpty()
        os.set_blocking(self._master, False)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.modes = termios.tcgetattr(slave)
        self._line = os.ttyname(slave)
        self.pid = _spawn(command, environ, self._line)
        os.close(slave)
        asyncio.get_running_loop().add_reader(self._master, self._read)

    @property
    def text(self) -> str:
        """The screen, without the blanks at the ends of its lines."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def reads(self, wanted: str) -> bool:
        """Say whether these words stand on the screen, wrapped or not."""
        return _spells(wanted)(self.text)

    @property
    def highlighted(self) -> str:
        """What stands in reverse video, as the button does that has the focus."""
        cells = (self._screen.buffer[line] for line in range(self._screen.lines))
        return "\n".join(
            "".join(line[at].data for at in range(self._screen.columns) if line[at].reverse)
            for line in cells
        )

    @property
    def raw(self) -> bytes:
        """Every byte since the start."""
        return bytes(self._raw)

    @property
    def cursor_shown(self) -> bool:
        return not self._screen.cursor.hidden

    def press(self, *keys: str) -> Self:
        """Type all at once, as a person who does not look up."""
        os.write(self._master, "".join(keys).encode())
        return self

    async def shows(self, wanted: str | Seen, patience: float = PATIENCE) -> str:
        """Wait until ``wanted`` stands on the screen; return the screen."""
        seen = _spells(wanted) if isinstance(wanted, str) else wanted
        try:
            async with asyncio.timeout(patience):
                while not seen(self.text):
                    assert not self.closed, f"the program ended without {wanted!r}\n{self}"
                    await self.output()
        except TimeoutError:
            raise AssertionError(f"not shown: {wanted!r}\n{self}") from None
        return self.text

    async def focuses(self, button: str, patience: float = PATIENCE) -> None:
        """Wait until the button with this label has the focus, and so takes an Enter."""
        await self.shows(button, patience)
        await self.shows(lambda _screen: button in self.highlighted, patience)

    def catch_up(self) -> None:
        """Take in what has been written up to now, without waiting for more."""
        while not self.closed and self._read():
            pass

    async def output(self) -> None:
        """Wait for the next bytes, or for the end of the program."""
        self._changed.clear()
        await self._changed.wait()

    async def settles(self, silence: float = 0.15, patience: float = PATIENCE) -> None:
        """Wait until nothing was written for ``silence`` seconds, for want of work to do."""
        async with asyncio.timeout(patience):
            while await self.writes_within(silence) or self._has_work():
                pass

    async def writes_within(self, seconds: float) -> bool:
        """Wait for output for so long; return whether any came."""
        try:
            async with asyncio.timeout(seconds):
                await self.output()
        except TimeoutError:
            return False
        return True

    def resize(self, columns: int, lines: int) -> None:
        self._screen.resize(lines, columns)
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    async def ends_unread(self, patience: float) -> int:
        """Wait for a program whose terminal is frozen to end; return its exit status."""
        return await asyncio.wait_for(asyncio.to_thread(self._wait), patience)

    async def ends(self, patience: float = PATIENCE) -> int:
        """Wait for the program to end; return its exit status, negative for a signal."""
        async with asyncio.timeout(patience):
            while not self.closed:
                await self.output()
            return await asyncio.to_thread(self._wait)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def pause(self) -> None:
        """Take nothing from the program, as a frozen terminal does."""
        asyncio.get_running_loop().remove_reader(self._master)

    def freeze(self) -> None:
        """Take nothing any more, with as much on the way as there is room for."""
        self.pause()
        line = os.open(self._line, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        # The kernel moves what was written to the other end, and has room again for a while.
        while select.select([], [line], [], _SETTLED)[1]:
            with suppress(BlockingIOError):
                while os.write(line, b"."):
                    pass
        os.close(line)

    def resume(self) -> None:
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def hang_up(self) -> None:
        """Take the line away, as a dropped connection does."""
        if self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            self._master = -1
        self._close()

    def line_discipline(self) -> list[object]:
        """Return the terminal's modes as they are now."""
        return termios.tcgetattr(self._master)

    def echoes(self) -> bool:
        """Say whether what is typed is shown by the terminal itself."""
        flags = self.line_discipline()[3]
        assert isinstance(flags, int)
        return bool(flags & termios.ECHO)

    async def hides(self, patience: float = PATIENCE) -> None:
        """Wait until the terminal shows nothing of what is typed."""
        async with asyncio.timeout(patience):
            while self.echoes():
                await self.writes_within(0.01)

    def __str__(self) -> str:
        frame = "-" * self._screen.columns
        return f"{frame}\n{self.text}\n{frame}"

    def _answer(self, own: str) -> None:
        self.answers(own)

    def _read(self) -> bool:
        """Take in one byte if there is one; return whether there was.

        A line may bring as little at a time, and a test that looks before everything has come
        that it looks for is to fail always, not once in a thousand times.
        """
        try:
            data = os.read(self._master, 1)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:  # what Linux says when the program has gone
                raise
            data = b""
        if data:
            self.written.append(Output(time.monotonic(), data))
            self._raw += data
            self._draw(data)
            self._changed.set()
        else:
            asyncio.get_running_loop().remove_reader(self._master)
            self._close()
        return bool(data)

    def _draw(self, data: bytes) -> None:
        data = self._unfinished + data
        unfinished = _UNFINISHED.search(data)
        whole = unfinished.start() if unfinished else len(data)
        self._unfinished = data[whole:]
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data[:whole]))

    def _has_work(self) -> bool:
        """Say whether the program would run on, as on a loaded machine (Linux only)."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/stat")
        return any(_STATE_OF_WORK.search(_text_of(thread)) for thread in threads)

    def _close(self) -> None:
        self.closed = True
        self._changed.set()

    def _wait(self) -> int:
        if self._status is None:
            _, status = os.waitpid(self.pid, 0)
            self._status = os.waitstatus_to_exitcode(status)
        return self._status


@asynccontextmanager
async def terminal(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    columns: int = 80,
    lines: int = 24,
) -> AsyncIterator[Terminal]:
    """Run ``command`` in a terminal of its own; end it with the context."""
    shown = Terminal(command, environ, columns, lines)
    try:
        yield shown
    finally:
        if shown._status is None:
            with suppress(ProcessLookupError):
                os.kill(shown.pid, signal.SIGKILL)
            shown._wait()
        shown.hang_up()


def limit_memory(pid: int, more: int) -> None:
    """Allow a process so many bytes of address space more than it has (Linux only)."""
    pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[0]
    limit = int(pages) * resource.getpagesize() + more
    resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))


def rests(pid: int) -> None:
    """Wait until a process has nothing to do, or no way to do it."""
    before = -1.0
    end = time.monotonic() + PATIENCE
    while (now := _processor_seconds(pid)) != before and time.monotonic() < end:
        before = now
        time.sleep(0.5)


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return float(fields[11]) + float(fields[12])


def _spawn(command: Sequence[str], environ: Mapping[str, str], tty: str) -> int:
    """Start a session whose controlling terminal is ``tty``, as that is what it opens first."""
    return os.posix_spawn(
        command[0],
        list(command),
        environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, tty, os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
        ],
        setsid=True,
    )


def _text_of(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # the thread has ended
        return ""


def _spells(wanted: str) -> Seen:
    """Look for words in a row, which may be wrapped beside a sidebar or within a frame."""
    gap = r"(?: +|[^\w\n]*\n(?: *|.*? {2,}))"
    words = re.compile(gap.join(map(re.escape, wanted.split())))
    return lambda text: words.search(text) is not None
