"""What the terminal already shows, so that only changes are rendered and sent."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import get_character_cell_size
from textual._compositor import Compositor
from textual.geometry import Region

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.screen import Screen
    from textual.strip import Strip


class _ChangedLines(Compositor):
    """Renders the changed lines that are seen; Textual's renders every widget whole."""

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterator[tuple[Region, Region, list[Strip]]]:
        changed = crop or self.size.region
        lines = Region(0, changed.y, self.size.width, changed.height)
        above: list[Region] = []
        for widget, (region, clip) in self.visible_widgets.items():  # the topmost first
            seen = clip.intersection(lines)
            part = region.intersection(seen)
            if part and not any(one.contains_region(part) for one in above):
                above.append(part)
                yield region, seen, widget.render_lines(part.translate(-region.offset))


def render_only_changes(screen: Screen[Any]) -> None:
    """Have a screen that was not shown yet render only what has changed."""
    screen._compositor = _ChangedLines()  # noqa: SLF001  Textual offers no other way


_PARAMETER = re.compile(
    r"(?P<foreground>38;(?:5;\d+|2;\d+;\d+;\d+)|3[0-79]|9[0-7])"
    r"|(?P<background>48;(?:5;\d+|2;\d+;\d+;\d+)|4[0-79]|10[0-7])"
    r"|(?P<attribute>[1-9]\d*)"
)
_SEEN_ON_BLANKS = frozenset(("4", "7", "9", "21", "53"))


class Rendition(NamedTuple):
    """How text is drawn, as SGR parameters."""

    foreground: str = "39"
    background: str = "49"
    attributes: tuple[str, ...] = ()


PLAIN = Rendition()


@lru_cache(maxsize=1024)
def rendition(parameters: str) -> Rendition:
    """Parse the parameters that were sent since the last reset."""
    foreground, background, attributes = PLAIN
    for one in _PARAMETER.finditer(parameters):
        match one.lastgroup:
            case "foreground":
                foreground = one[0]
            case "background":
                background = one[0]
            case _:
                attributes += (one[0],)
    return Rendition(foreground, background, attributes)


@lru_cache(maxsize=1024)
def of_blank(how: Rendition) -> Rendition:
    """Return the part of a rendition that is visible on a blank."""
    is_seen = not _SEEN_ON_BLANKS.isdisjoint(how.attributes)
    return how if is_seen else Rendition(background=how.background)


@lru_cache(maxsize=1024)
def for_blank(wanted: Rendition, now: Rendition) -> Rendition:
    """Return how to draw a blank: what is invisible on it does not change."""
    if wanted.attributes or of_blank(now).attributes:
        return wanted
    return now._replace(background=wanted.background)


@lru_cache(maxsize=1024)
def change(before: Rendition, after: Rendition) -> str:
    """Return the sequence that changes one rendition to the other."""
    if before == after:
        return ""
    parts: list[str] = []
    if before.attributes != after.attributes:
        if before.attributes:
            parts.append("0")
            before = PLAIN
        parts += after.attributes
    if before.foreground != after.foreground:
        parts.append(after.foreground)
    if before.background != after.background:
        parts.append(after.background)
    return f"\x1b[{';'.join(parts)}m"


Cell = tuple[str, Rendition, str]
"""A character with its combining marks, its rendition and its link; the second cell of a wide
character has no text."""
Cells = list[Cell | None]
"""``None`` is an unknown cell."""

_TOKEN = re.compile(
    r"\x1b\[(?P<line>\d+);(?P<column>\d+)H"
    r"|\x1b\[(?P<sgr>[\d;]*)m"
    r"|\x1b\]8;[^;\x1b\x07]*;(?P<link>[^\x1b\x07]*)(?:\x1b\\|\x07)"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<feed>\n)"
)
# Synchronized output; title, pointer and clipboard. Sequences passed through tmux or screen
# are not among them: these may insert them in the middle of a sequence of their own.
_DRAWS_NOTHING = re.compile(
    r"(?:\x1b\[\?2026[hl]|\x1b\](?:[012]|22|52);[^\x1b\x07]*(?:\x1b\\|\x07))*"
)
_PLAINLY = "\x1b[0m"
_GAP = 4  # cells that are sent again rather than jumped over, which takes six bytes or more


class KnownCells:
    """The known cells of a terminal."""

    def __init__(self) -> None:
        self._rows: dict[int, Cells] = {}
        self._uneven: set[int] = set()
        """The rows with a cell that has no character, or several."""
        self._rendition, self._link = PLAIN, ""
        self._cursor: tuple[int, int] | None = None
        self._is_void = False

    def forget(self) -> None:
        """Forget all cells, as the window has changed. Any thread may call this."""
        self._is_void = True

    def changes(self, data: str) -> str:
        """Return output with the same effect as ``data``, without what is shown already."""
        if self._is_void:
            self._rows, self._cursor = {}, None
            self._uneven.clear()
        drawing = _Drawing(self._rows)
        if not drawing.take(data):
            self._is_void = self._is_void or not _DRAWS_NOTHING.fullmatch(data)
            return self._draw_plainly() + data
        parts = [_PLAINLY if self._is_void else ""]
        self._is_void = False
        for line, row in drawing.rows.items():
            before = self._rows.get(line, [])
            if row != before:
                self._rows[line] = row
                was_even = line not in self._uneven
                if line in drawing.uneven or not was_even:
                    self._note(line, is_even=_is_even(row))
                is_even = was_even and line not in self._uneven
                for begin, end in _runs(before, row, is_even=is_even):
                    parts += (self._move(line, begin), self._send(row[begin:end]))
                    self._cursor = line, end
        if self._link:
            parts.append(self._link_to(""))
        parts.append(self._move(*drawing.cursor))
        return "".join(parts)

    def _note(self, line: int, *, is_even: bool) -> None:
        if is_even:
            self._uneven.discard(line)
        else:
            self._uneven.add(line)

    def _send(self, cells: Cells) -> str:
        parts: list[str] = []
        now = self._rendition
        for text, wanted, link in filter(None, cells):
            if link != self._link:
                parts.append(self._link_to(link))
            if wanted != now:
                before, now = now, for_blank(wanted, now) if text == " " else wanted
                parts.append(change(before, now))
            parts.append(text)
        self._rendition = now
        return "".join(parts)

    def _move(self, line: int, column: int) -> str:
        if self._cursor == (line, column):
            return ""
        self._cursor = line, column
        return f"\x1b[{line + 1};{column + 1}H"

    def _link_to(self, link: str) -> str:
        self._link = link
        # With one id, the lines of a wrapped link are one link to the terminal.
        return f"\x1b]8;id=m3cred;{link}\x1b\\" if link else "\x1b]8;;\x1b\\"

    def _draw_plainly(self) -> str:
        before, self._rendition = self._rendition, PLAIN
        return "" if before == PLAIN else _PLAINLY


class _Drawing:
    """The rows that some output changes, in their new state."""

    def __init__(self, rows: dict[int, Cells]) -> None:
        self._before = rows
        self.rows: dict[int, Cells] = {}
        self.uneven: set[int] = set()
        """Those into which such a cell was drawn."""
        self.cursor = -1, -1

    def take(self, data: str) -> bool:
        """Apply ``data``; return whether it only draws, at explicit positions."""
        end, sgr, link = 0, "", ""
        while token := _TOKEN.match(data, end):
            end = token.end()
            if token["text"] is not None:
                if self.cursor[0] < 0:
                    return False
                self._draw(_cells(token["text"], rendition(sgr), link))
            elif token["line"] is not None:
                self.cursor = int(token["line"]) - 1, int(token["column"]) - 1
            elif token["sgr"] is not None:
                sgr = f"{sgr};{token['sgr']}" if token["sgr"] not in {"", "0"} else ""
            elif token["link"] is not None:
                link = token["link"]
            else:
                self.cursor = self.cursor[0] + 1, 0
        return end == len(data) and self.cursor[0] >= 0

    def _draw(self, drawn: tuple[Sequence[Cell], bool]) -> None:
        line, column = self.cursor
        cells, is_even = drawn
        if not is_even:
            self.uneven.add(line)
        row = self.rows.get(line)
        if row is None:
            row = self.rows[line] = [*self._before.get(line, ())]
        row += [None] * (column - len(row))
        row[column : column + len(cells)] = cells
        self.cursor = line, column + len(cells)


@lru_cache(maxsize=4096)  # most texts are sent repeatedly
def _cells(text: str, how: Rendition, link: str) -> tuple[Sequence[Cell], bool]:
    """Return the cells of a text, and whether each has exactly one character."""
    cells: list[Cell] = []
    blank = " ", of_blank(how), link
    for one in text:
        if one == " ":
            cells.append(blank)
        elif width := get_character_cell_size(one):
            cells.append((one, how, link))
            cells += [("", how, link)] * (width - 1)
        elif cells:
            at = -1 if cells[-1][0] else -2
            cells[at] = (cells[at][0] + one, how, link)
    return cells, _is_even(cells)


def _runs(before: Cells, after: Cells, *, is_even: bool) -> Iterator[tuple[int, int]]:
    """Yield the begin and end of each run to send; cells in between are equal or unknown."""
    known = len(before)
    changed = [
        at
        for at, cell in enumerate(after)
        if cell is not None and (at >= known or cell != before[at])
    ]
    if not changed:
        return
    if not is_even:
        # Terminals disagree on where the following cells are: all of them are sent.
        first = max(at for at in range(changed[0] + 1) if (after[at] or ("",))[0])
        changed = [at for at in range(first, len(after)) if after[at] is not None]
    begin = end = changed[0]
    for at in changed:
        if at != end and (at - end > _GAP or None in after[end:at]):
            yield begin, end
            begin = at
        end = at + 1
    yield begin, end


def _is_even(row: Sequence[Cell | None]) -> bool:
    """Return whether each cell has exactly one character."""
    return not [None for cell in row if cell is not None and len(cell[0]) != 1]
