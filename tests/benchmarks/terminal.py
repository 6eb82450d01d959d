"""A program on a terminal of its own, and when its bytes come down the line."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS, LINES = 80, 24
_CHUNK = 65_536
_TICK = 0.1
_PATIENCE = 60.0


class NeverShownError(Exception):
    """What a measurement waits for did not come; ``tail`` is the last that did."""

    def __init__(self, awaited: str, tail: bytes) -> None:
        super().__init__(f"{awaited} did not come; the last bytes were {tail[-600:]!r}")


class Burst(NamedTuple):
    """Bytes that came together: when the first and the last were read, and how many."""

    first: float
    last: float
    size: int


class Terminal:
    """A program on a pseudo-terminal of 80 by 24; killed at the end of the block.

    Nothing answers the program's questions to its terminal, as on a plain one.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start ``command`` with exactly this environment; the clock starts before the fork."""
        self.started = time.perf_counter()
        self.pid, self._line = pty.fork()
        if self.pid == 0:  # nothing may come back from here
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
                os.execve(command[0], list(command), dict(environment))
            finally:
                os._exit(127)
        self.received = 0
        """How many bytes have come."""
        self._tail = b""
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if not self._ended:
            self.kill()

    def kill(self) -> float:
        """Kill the program; return the seconds of processor time that it has used."""
        self._ended = True
        os.kill(self.pid, signal.SIGKILL)
        _, _, used = os.wait4(self.pid, 0)
        os.close(self._line)
        return used.ru_utime + used.ru_stime

    def send(self, keys: bytes) -> float:
        """Press ``keys``; return when."""
        pressed = time.perf_counter()
        os.write(self._line, keys)
        return pressed

    def until(self, text: str, patience: float = _PATIENCE) -> float:
        """Read until ``text`` has come, counted from here; return when it had."""
        marker = text.encode()
        came, end = b"", time.perf_counter() + patience
        while (now := time.perf_counter()) < end:
            came += self._read(end - now)
            if marker in came:
                return time.perf_counter()
        raise NeverShownError(repr(text), self._tail)

    def burst(self, patience: float = _PATIENCE, gap: float = 0.03) -> Burst | None:
        """Return the next bytes, until none come for ``gap``; ``None`` if none ever do."""
        size, first, last = 0, 0.0, 0.0
        wait = patience
        while data := self._read(wait):
            last = time.perf_counter()
            first, size, wait = first or last, size + len(data), gap
        return Burst(first, last, size) if size else None

    def bursts(self, seconds: float) -> list[Burst]:
        """Return everything that comes in so many seconds."""
        end, found = time.perf_counter() + seconds, []
        while (left := end - time.perf_counter()) > 0:
            if burst := self.burst(left):
                found.append(burst)
        return found

    def settle(self, quiet: float = 0.8, patience: float = _PATIENCE) -> None:
        """Wait until the program neither writes nor computes for ``quiet`` seconds."""
        end = time.perf_counter() + patience
        since, before = time.perf_counter(), -1
        while (now := time.perf_counter()) - since < quiet:
            used = self._ticks()
            if self._read(_TICK) or used > before + 1:  # its clocks may tick now and then
                since, before = time.perf_counter(), used
            if now > end:
                raise NeverShownError("rest", self._tail)

    def _ticks(self) -> int:
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])  # user and system time, see proc(5)

    def _read(self, wait: float) -> bytes:
        """Return what has come, or the first that comes within ``wait``; nothing at the end."""
        ready, _, _ = select.select([self._line], [], [], max(0.0, wait))
        if not ready:
            return b""
        try:
            data = os.read(self._line, _CHUNK)
        except OSError as error:  # how Linux tells that the program has left
            raise NeverShownError("more from a program that has ended", self._tail) from error
        self.received += len(data)
        self._tail = (self._tail + data)[-4_000:]
        return data
