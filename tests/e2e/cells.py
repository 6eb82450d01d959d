"""The cells of a terminal's screen, where a column is a column whatever stands before it."""

import unicodedata
from functools import cache

import pyte
from pyte.screens import Char, wcwidth

from tests.e2e.terminal import Terminal

_character = cache(Char)


class Cells(pyte.Screen):
    """pyte's screen without colours, and fast.

    Its own drawing, besides, drops what follows a mark of combining class 0.
    """

    def __init__(self, columns: int, lines: int) -> None:
        self._lines = [""] * lines
        super().__init__(columns, lines)

    def draw(self, data: str) -> None:
        line, column = self.buffer[self.cursor.y], self.cursor.x
        for one in data:
            width = wcwidth(one)
            if width <= 0 and column and unicodedata.combining(one):
                line[column - 1] = _character(line[column - 1].data + one)
            elif 0 < width <= self.columns - column:  # the app switches wrapping off
                line[column] = _character(one)
                if width > 1:
                    line[column + 1] = _character("")
                column += width
        self.cursor.x = column
        self.dirty.add(self.cursor.y)

    @property
    def display(self) -> list[str]:
        for line in self.dirty:
            self._lines[line] = self.words(line, 0, self.columns)
        self.dirty.clear()
        return self._lines

    def words(self, line: int, column: int, length: int) -> str:
        """Return what stands in so many cells; the second one of a wide character is empty."""
        cells = self.buffer[line]
        return "".join(cells[at].data for at in range(column, column + length))

    def line_with(self, words: str) -> int:
        """Return the first line that has these words."""
        return next(number for number, line in enumerate(self.display) if words in line)


def watch(app: Terminal) -> Cells:
    """Have the terminal that was just started show its output in cells."""
    cells = Cells(app._screen.columns, app._screen.lines)
    app._screen, app._stream = cells, pyte.ByteStream(cells)
    return cells
