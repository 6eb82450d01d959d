"""Small widgets that several screens use."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button

from m3cred_tui.listing.columns import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.widget import Widget


AUTHORIZE_AGAIN = "Press a to authorize again."
COPY_FIELDS = "Send the integration fields to the clipboard"
_GAP = 2


def fields(facts: Sequence[tuple[str, str | Content]], room: int = 0) -> Content:
    """Return a name and its value per line, the values aligned; ``str`` is plain text.

    In a ``room`` of so many columns, what is longer than a line goes on below its beginning.
    """
    width = max(len(name) for name, _ in facts) + _GAP
    below = "\n" + " " * width

    def lines(text: str) -> list[str]:
        if room <= width + _GAP:
            return text.splitlines()
        return [one for line in text.splitlines() for one in wrap(line, room - width)]

    return Content("\n").join(
        Content.assemble(
            (name.ljust(width), "$text-muted"),
            value
            if isinstance(value, Content)
            else Content.styled(below.join(lines(value)), "bold"),
        )
        for name, value in facts
    )


def mode_mark(*, livemode: bool) -> Content:
    """Return the word for Stripe's mode; nothing on the page is louder than live."""
    if livemode:
        # Reversed, as a background would be lost without colours.
        return Content.styled(" ● LIVE ", "bold $error on $live-foreground reverse")
    return Content.styled("TEST", "$text-muted")


_OF_LEVEL = {
    Level.OK: "bold $text-success",
    Level.PENDING: "bold",
    Level.WARNING: "bold $text-warning",
    Level.REVOKED: "bold $text-error",
}


def coloured(text: str, level: Level) -> Content:
    """Return a status in the colour of what it means; its sign says the same."""
    return Content.styled(text, _OF_LEVEL[level])


def focus_first(parent: Widget) -> None:
    """Focus the first visible descendant of ``parent`` that can be focused."""
    for widget in parent.query("*"):
        if widget.focusable and widget.display:
            widget.focus()
            return


def show_focus(widget: Widget) -> None:
    """Scroll to the focus of this screen, once it has its new position."""

    def scroll() -> None:
        if (focused := widget.screen.focused) is not None:
            focused.scroll_visible(animate=False)

    widget.call_after_refresh(scroll)


class Press(Button):
    """A button whose Enter is in the key line."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "press", "Select")]

    def on_mount(self) -> None:
        """Take Enter at any time: during Textual's press effect, a button ignores it."""
        self.active_effect_duration = 0
