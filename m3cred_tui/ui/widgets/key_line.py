"""The bottom line: which keys do what here.

Textual's own Footer is a widget for each key, made anew whenever the focus moves; that cost a
third of the time to the first whole screen, and of every key after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

if TYPE_CHECKING:
    from textual import events
    from textual.screen import Screen

_KEY = "key"
_WIDE, _NARROW = "  ", " "


class KeyLine(Widget):
    """One line with the keys that work now; a click on one presses it."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[tuple[str, str, str]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._update)

    def _update(self, screen: Screen[object]) -> None:
        shown = _keys(screen)
        if shown != self._shown:  # nothing is written to the terminal for the same line
            self._shown = shown
            self.refresh()

    def render(self) -> Content:
        """Put the keys at the left, and the command palette's at the right if it fits."""
        texts = [f"{display} {does}" for _, display, does in self._shown]
        width = self.content_size.width
        gap = _WIDE if cell_len(_WIDE.join(texts)) <= width else _NARROW
        keys = Content(gap).join(
            Content.assemble((display, "$footer-key-foreground bold"), f" {does}").stylize(
                Style.from_meta({_KEY: key})
            )
            for key, display, does in self._shown
        )
        palette = self.app.COMMAND_PALETTE_BINDING
        right = Content.assemble(("^p", "$footer-key-foreground bold"), " palette")
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


def _keys(screen: Screen[object]) -> list[tuple[str, str, str]]:
    """Return key, display and description of what is shown; the first key of each action."""
    shown: dict[str, tuple[str, str, str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.show and active.enabled and binding.description:
            display = screen.app.get_key_display(binding)
            shown.setdefault(binding.action, (binding.key, display, binding.description))
    return list(shown.values())
