"""Where the address is pasted that the browser ended on."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.message import Message
from textual.widgets import Input

from m3cred_tui.callback.pasted import LONGEST_PASTE
from m3cred_tui.ui.widgets.controls import TextInput

if TYPE_CHECKING:
    from textual import events


class PasteLine(TextInput):
    """Masks what is pasted, and tells of it at once, however many lines it comes in."""

    @dataclass(repr=False)  # the text holds an authorization code
    class Pasted(Message):
        """Something was pasted; ``final`` where it came as a whole.

        ``goes_on`` says that the next key may be on its way, so that nothing is wrong yet.
        """

        text: str
        _: KW_ONLY
        final: bool
        goes_on: bool = False

    def __init__(self) -> None:
        super().__init__("Paste the address here", id="paste", compact=True)
        self.password = True
        self.select_on_focus = False

    def take(self, text: str) -> None:
        """Take a paste that came while something else had the focus, too."""
        whole = " ".join(f"{self.value} {text}"[:LONGEST_PASTE].splitlines())
        with self.prevent(Input.Changed):
            self.value = whole
        self.cursor_position = len(whole)
        self.post_message(self.Pasted(whole, final=True))

    def clear_away(self) -> None:
        """Leave nothing of it: it has been used, or is of no use."""
        with self.prevent(Input.Changed):
            self.clear()

    def on_paste(self, event: events.Paste) -> None:
        """Take all of its lines, of which Textual's own handler takes the first."""
        event.prevent_default()
        event.stop()
        self.take(event.text)

    @on(Input.Changed)
    @on(Input.Submitted)
    def _typed(self, message: Input.Changed | Input.Submitted) -> None:
        """Take it as it is typed, by a terminal without bracketed paste; Enter ends a line."""
        message.stop()
        if self.value:
            goes_on = isinstance(message, Input.Changed)
            self.post_message(self.Pasted(self.value, final=False, goes_on=goes_on))
