"""Reading the log file, which may be rotated meanwhile."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from m3cred_tui.model.text import clean
from m3cred_tui.store.files import check_private_file, private_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LONGEST_LINE = 2000
_DEEPEST = 40
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class LogReader:
    """Yields the lines of the log: of the file that was rotated last, and of the current one.

    Each call of :meth:`lines` yields what has been written since the one before. A line that is
    not complete yet waits for its end.
    """

    def __init__(self, path: Path, *, last: int | None = None) -> None:
        """Take the path of the current file; it need not be there yet.

        With ``last``, begin at so many bytes before its end, at the next whole line.
        """
        self._path = path
        self._last = last
        self._file: int | None = None
        self._begun = b""

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def lines(self) -> Iterator[str]:
        """Yield each new line, safe to draw; raises ``StoreUnusable``."""
        with suppress(FileNotFoundError), private_folder(self._path.parent) as folder:
            if self._file is None and self._last is None:
                with suppress(FileNotFoundError):
                    self._file = self._opened(folder, f"{self._path.name}.1")
                    yield from self._new()
            while not self._is_current(folder):  # what was rotated is read to its end
                yield from self._new()
                file = self._opened(folder, self._path.name)
                self.close()
                self._file = file
                self._skip(file)
        yield from self._new()

    def _skip(self, file: int) -> None:
        """Go to the end of what need not be read, once."""
        if self._last and (begin := os.fstat(file).st_size - self._last) > 0:
            os.lseek(file, begin - 1, os.SEEK_SET)
            while (one := os.read(file, 1)) not in (b"\n", b""):
                del one
        self._last = None

    def _is_current(self, folder: int) -> bool:
        now = os.stat(self._path.name, dir_fd=folder, follow_symlinks=False)
        return self._file is not None and os.path.samestat(os.fstat(self._file), now)

    def _opened(self, folder: int, name: str) -> int:
        file = os.open(name, _READ, dir_fd=folder)
        try:
            check_private_file(os.fstat(file), self._path)
        except BaseException:
            os.close(file)
            raise
        return file

    def _new(self) -> Iterator[str]:
        while self._file is not None and (data := os.read(self._file, 1 << 16)):
            *whole, self._begun = (self._begun + data).split(b"\n")
            for line in whole:
                yield _drawn(line.decode(errors="replace"))


def _drawn(line: str) -> str:
    """Return a line as it is safe to draw, with the indentation of a traceback."""
    deep = min(len(line) - len(line.lstrip(" ")), _DEEPEST)
    return " " * deep + clean(line, most=_LONGEST_LINE)
