"""The list of credentials, which draws only its visible lines, and its filter line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from m3cred_tui.listing.columns import (
    GAP,
    STATUS,
    Level,
    is_pending,
    level_of,
    share,
    status_cell,
)
from m3cred_tui.listing.search import found_in
from m3cred_tui.model.credential import Credential

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from textual import events

    from m3cred_tui.listing.columns import Column, Row
    from m3cred_tui.listing.listing import Listing
    from m3cred_tui.model.check import CheckResult

_HEADING_LINES = 1
_CURSOR, _MARK, _BOTH = "▌", "•", "◆"
_MARGIN = len(_CURSOR)
_MATCH = Style(bold=True, underline=True)


_MOVES = (
    Binding("up,k", "move(-1)", "Up", show=False),
    Binding("down,j", "move(1)", "Down", show=False),
    Binding("pageup", "move_page(-1)", "Page up", show=False),
    Binding("pagedown", "move_page(1)", "Page down", show=False),
    Binding("home,g", "move_to(0)", "First", show=False),
    Binding("end,G", "move_to(-1)", "Last", show=False),
)
_MOVE_OF = {key: move.action for move in _MOVES for key in move.key.split(",")}


class CredentialList(ScrollView, can_focus=True):
    """A line per credential below the headings; the cursor line is highlighted."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "credentials--heading",
        "credentials--cursor",
        "credentials--live",
        "credentials--warning",
        "credentials--revoked",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Details"),
        Binding("enter", "go_on", "Resume"),
        *_MOVES,
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    drawings: reactive[int] = reactive(0, repaint=False)
    """Counts up when other rows are drawn, or the same with more that is known of them."""
    # As Textual's, but without a new layout of the page when the number of rows changes.
    virtual_size: reactive[Size] = reactive(Size(0, 0), repaint=False)

    class Opened(Message):
        """The user wants the details of a credential."""

        def __init__(self, credential_id: str) -> None:
            super().__init__()
            self.credential_id = credential_id

    class LeftUpwards(Message):
        """The user pressed Up on the first line."""

    class HeadingPressed(Message):
        """The user clicked on the heading of a column."""

        def __init__(self, column: Column) -> None:
            super().__init__()
            self.column = column

    def __init__(self, listing: Listing, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.listing = listing
        self._now = now
        self._drawn: object = None
        """What decides the visible lines, to draw none that is the same."""
        self._row_styles: dict[str, Style] = {}

    @property
    def selected(self) -> str | None:
        """The ID of the credential under the cursor."""
        shown = self.listing.shown
        return shown[self.cursor] if 0 <= self.cursor < len(shown) else None

    def show(self, listing: Listing, selected: str | None, *, more: bool = False) -> None:
        """Show ``listing``, with the cursor on ``selected``; ``None`` is the first row.

        If that row is gone, the cursor stays at its position. In a list that was scrolled,
        the cursor keeps its line. ``more`` says that other rows will follow: the scrollbar
        waits for them.
        """
        before, top = self.cursor, int(self.scroll_offset.y)
        self.listing = listing
        if not more:
            self.on_resize()
        self.cursor = self._place(selected)
        if top:
            self._scroll(top + self.cursor - before)
        self._scroll_to_cursor()
        rows = [listing.row(one) for one in self._ids_in_sight]
        drawn = listing.ordered_by, self.columns, listing.words, rows
        if drawn != self._drawn:
            self._drawn = drawn
            self.drawings += 1
            self.refresh(self.size.region)  # the scrollbar draws itself

    @property
    def columns(self) -> Sequence[tuple[Column, int]]:
        """The columns that are shown, each with its width."""
        width, listing = self.size.width - 2 * _MARGIN, self.listing
        return share(max(1, width), listing.hidden, listing.rows.longest)

    @property
    def _ids_in_sight(self) -> Sequence[str]:
        top, seen = int(self.scroll_offset.y), self.size.height - _HEADING_LINES
        return self.listing.shown[top : top + max(0, seen)]

    def _place(self, selected: str | None) -> int:
        if selected is None:
            return 0
        try:
            return self.listing.shown.index(selected)
        except ValueError:
            return self.cursor

    def on_mount(self) -> None:
        self.on_resize()

    def on_resize(self) -> None:
        """Make room for all rows, as wide as the window."""
        lines = len(self.listing.shown) + _HEADING_LINES
        self.virtual_size = Size(self.size.width, lines)
        if self.show_vertical_scrollbar != (lines > self.container_size.height):
            self.refresh(layout=True)
        elif self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = lines
            self._scroll(int(self.scroll_offset.y))  # not past the last row

    async def on_key(self, event: events.Key) -> None:
        """Move the cursor here: the way through the page and the app takes a fifth longer."""
        if action := _MOVE_OF.get(event.key):
            event.stop()
            event.prevent_default()
            await self.run_action(action)

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, len(self.listing.shown) - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        if self._is_pending(before) != self._is_pending(now):
            self.refresh_bindings()
        if not self._scroll_to_cursor():
            self._refresh_row(before)
            self._refresh_row(now)

    def action_move(self, by: int) -> None:
        """Move the cursor; up from the first line leaves the list."""
        if by < 0 and self.cursor == 0:
            self.post_message(self.LeftUpwards())
        self.cursor += by

    def action_move_page(self, by: int) -> None:
        """Move the cursor by as many lines as are visible."""
        self.cursor += by * max(1, self.size.height - _HEADING_LINES)

    def action_move_to(self, row: int) -> None:
        """Move the cursor to a row; -1 is the last."""
        self.cursor = row % max(1, len(self.listing.shown))

    def _is_pending(self, row: int) -> bool:
        shown = self.listing.shown
        return 0 <= row < len(shown) and is_pending(self.listing.row(shown[row]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Name Enter after what it does to the credential under the cursor."""
        del parameters
        return action not in {"open", "go_on"} or (action == "go_on") == self._is_pending(
            self.cursor
        )

    def action_go_on(self) -> None:
        """Resume the pending credential."""
        self.action_open()

    def action_open(self) -> None:
        """Open the credential under the cursor."""
        if self.selected is not None:
            self.post_message(self.Opened(self.selected))

    def on_click(self, event: events.Click) -> None:
        """Select with a click, open with a double click; sort with one on a heading."""
        if event.y < _HEADING_LINES:
            self._click_heading(event.x)
            return
        row = self._row_at(event.y)
        if row == self.cursor and event.chain > 1:
            self.action_open()
        elif row is not None:
            self.cursor = row

    def _click_heading(self, x: int) -> None:
        start = _MARGIN
        for column, width in self.columns:
            if start <= x < start + width + GAP:
                self.post_message(self.HeadingPressed(column))
            start += width + GAP

    def render_line(self, y: int) -> Strip:
        """Draw line ``y`` of the window: the headings, or the row scrolled to it."""
        width = self.size.width
        if y < _HEADING_LINES:
            return self._heading(width)
        row = self._row_at(y)
        if row is None:
            return Strip.blank(width, self.rich_style)
        return self._line(row, width)

    def _row_at(self, y: int) -> int | None:
        row = int(self.scroll_offset.y) + y - _HEADING_LINES
        return row if y >= _HEADING_LINES and row < len(self.listing.shown) else None

    def _heading(self, width: int) -> Strip:
        style = self._row_style("heading")
        cells = [" " * _MARGIN]
        for column, cell_width in self.columns:
            heading = column.heading if len(column.heading) <= cell_width else column.short
            if column is self.listing.order:
                heading += "▴" if self.listing.is_reversed else "▾"  # which fits into the gap
            cells.append(set_cell_size(heading, cell_width + GAP))
        return Strip([Segment(set_cell_size("".join(cells), width), style)], width)

    def redraw(self) -> None:
        """Draw the visible lines again, as more is known about them now."""
        self.drawings += 1
        self.refresh(self.size.region)

    def _line(self, row_number: int, width: int) -> Strip:
        row = self.listing.row(self.listing.shown[row_number])
        on_cursor = row_number == self.cursor
        check = None if row is None else self.listing.checks.of(row.id)
        cells = self._cells(row, check, width - 2 * _MARGIN)
        text = self._sign(row_number) + cells + " " * _MARGIN
        style = self._style(row, check, on_cursor=on_cursor)
        if words := self.listing.words:
            return Strip(_marked(text, words, style), width)
        return Strip([Segment(text, style)], width)

    def _cells(self, row: Row | None, check: CheckResult | None, width: int) -> str:
        """Return the line of a row, each column cut to its width with an ellipsis."""
        if row is None:
            return _cut("(deleted elsewhere)", width)
        if not isinstance(row, Credential):
            return _cut(f"{STATUS.of(row)} ({row.id})", width)
        now, columns = self._now(), self.columns
        texts = [
            _cut(
                status_cell(row, wide, check, now)
                if column is STATUS
                else column.of(row, wide, check),
                wide,
            )
            for column, wide in columns
        ]
        used = sum(wide + GAP for _, wide in columns) - GAP
        return (" " * GAP).join(texts) + " " * (width - used)

    def _sign(self, row_number: int) -> str:
        """Return what the margin of a row says, for those who see no colour, too."""
        is_marked = self.listing.shown[row_number] in self.listing.marks
        if row_number == self.cursor:
            return _BOTH if is_marked else _CURSOR
        return _MARK if is_marked else " "

    def toggle_mark(self) -> None:
        """Mark the credential under the cursor, or not, and go to the next."""
        if self.selected is not None:
            self.listing.marks ^= {self.selected}
            self._refresh_row(self.cursor)
            self.cursor += 1

    def _style(self, row: Row | None, check: CheckResult | None, *, on_cursor: bool) -> Style:
        if on_cursor:
            return self._row_style("cursor")
        if row is None:
            return self._row_style("revoked")
        level = level_of(row, check, self._now())
        if level in {Level.WARNING, Level.REVOKED}:
            return self._row_style(level.name.lower())
        is_live = isinstance(row, Credential) and row.destination.livemode
        return self._row_style("live" if is_live else "")

    def _row_style(self, component: str) -> Style:
        """Return a style; Textual would compute it again for each key."""
        if component not in self._row_styles:
            self._row_styles[component] = (
                self.get_component_rich_style(f"credentials--{component}")
                if component
                else self.rich_style
            )
        return self._row_styles[component]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._row_styles.clear()

    def _refresh_row(self, row: int) -> None:
        line = row - int(self.scroll_offset.y) + _HEADING_LINES
        if _HEADING_LINES <= line < self.size.height:
            self.refresh(Region(0, line, self.size.width, 1))

    def _scroll_to_cursor(self) -> bool:
        seen = self.size.height - _HEADING_LINES
        top = int(self.scroll_offset.y)
        if top <= self.cursor < top + seen or seen <= 0:
            return False
        self._scroll(self.cursor if self.cursor < top else self.cursor - seen + 1)
        return True

    def _scroll(self, top: int) -> None:
        self.scroll_to(y=max(0, top), animate=False, force=True)


class SideBySide(Widget):
    """The list, and in a wide window the details of its selected row."""


def _marked(text: str, words: Sequence[str], style: Style) -> list[Segment]:
    """Return a line whose parts that the filter has found are marked."""
    parts, at, mark = [], 0, style + _MATCH
    for start, end in found_in(text, words):
        if end > at:
            parts += [Segment(text[at:start], style), Segment(text[max(at, start) : end], mark)]
            at = end
    return [part for part in (*parts, Segment(text[at:], style)) if part.text]


def _cut(text: str, width: int) -> str:
    padded = set_cell_size(text, width)
    if padded.rstrip() == text.rstrip():
        return padded
    return set_cell_size(text, width - 1) + "…"
