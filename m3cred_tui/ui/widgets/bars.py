"""The top and the bottom line of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.screen import Screen

SEPARATOR = " › "


class TitleBar(Widget):
    """One line: the breadcrumb at the left, a note and the DEMO mark at the right."""

    place: reactive[tuple[str, ...]] = reactive(())
    """The breadcrumb below Integrations, as plain text."""
    note: reactive[str] = reactive("")

    def __init__(self, *place: str, demo: bool) -> None:
        super().__init__()
        self.set_reactive(TitleBar.place, place)
        self._demo = demo

    def render(self) -> Content:
        """Draw both ends on one line; the breadcrumb is cut if they do not fit."""
        right = Content(self.note)
        if self._demo:
            mark = Content.styled(" DEMO ", "bold $text-warning reverse")
            right = Content.assemble(right, "  ", mark) if self.note else mark
        room = max(0, self.content_size.width - cell_len(right.plain) - 1)
        breadcrumb = SEPARATOR.join(("Integrations", *self.place))
        left = Content(breadcrumb).truncate(room, ellipsis=True, pad=True)
        return Content.assemble(left.stylize("bold"), " ", right)


_KEY = "key"
_WIDE, _NARROW = "  ", " "
_LAST = 3  # Back, Help and Quit

_Shown = tuple[str, str, str]
"""Key, display and description."""


class KeyLine(Widget):
    """One line with the keys that work now; a click on one presses it.

    Textual's own Footer is a widget for each key, rebuilt whenever the focus moves; that cost
    a third of the time to the first whole screen, and of every key after it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[_Shown] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._update)

    def _update(self, screen: Screen[object]) -> None:
        shown = _keys(screen)
        if shown != self._shown:  # the same line is not drawn again
            self._shown = shown
            self.refresh()

    def render(self) -> Content:
        """Draw the keys at the left, and the command palette's at the right if it fits."""
        width = self.content_size.width
        fitting = _fitting(self._shown, width)
        right = Content.assemble(("^p", "$footer-key-foreground bold"), " palette")
        rooms = width - right.cell_length - len(_WIDE), width  # with the palette, if possible
        gap = next(
            (
                gap
                for room in rooms
                for gap in (_WIDE, _NARROW)
                if _length(fitting, gap) <= room
            ),
            _NARROW,
        )
        keys = Content(gap).join(
            Content.assemble((display, "$footer-key-foreground bold"), f" {does}").stylize(
                Style.from_meta({_KEY: key})
            )
            for key, display, does in fitting
        )
        palette = self.app.COMMAND_PALETTE_BINDING
        room = width - keys.cell_length - right.cell_length
        if room < len(gap):
            return keys
        return Content.assemble(
            keys, " " * room, right.stylize(Style.from_meta({_KEY: palette}))
        )

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        if key := event.style.meta.get(_KEY):
            self.app.simulate_key(key)


def _length(shown: Sequence[_Shown], gap: str) -> int:
    return cell_len(gap.join(f"{display} {does}" for _, display, does in shown))


def _fitting(shown: Sequence[_Shown], width: int) -> Sequence[_Shown]:
    """Drop keys from the middle until the others fit; Help, which lists all, stays."""
    fitting = list(shown)
    while len(fitting) > _LAST and _length(fitting, _NARROW) > width:
        del fitting[-_LAST - 1]
    return fitting


def _keys(screen: Screen[object]) -> list[_Shown]:
    """Return the keys to show: the first of each action."""
    shown: dict[str, _Shown] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.show and active.enabled and binding.description:
            display = screen.app.get_key_display(binding)
            shown.setdefault(binding.action, (binding.key, display, binding.description))
    return list(shown.values())
