"""Textual's controls, with Enter in the footer and nothing invisible in what is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.highlighter import Highlighter
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Button, Input, Select
from textual.widgets._select import SelectOverlay

from m3cred_tui.model.text import REPLACEMENT, drawn

if TYPE_CHECKING:
    from textual import events

_LONGEST_PASTE = 8192
"""Characters: twice the longest redirect."""
Option = TypeVar("Option")


class Press(Button):
    """A button that says in the footer what Enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "press", "Select")]

    def on_mount(self) -> None:
        """Take an Enter at any time: while Textual's press effect lasts, it takes none."""
        self.active_effect_duration = 0


class DropDown(Select[Option], inherit_bindings=False):
    """A drop-down that says in the footer what Enter does; Up and Down lead past it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "show_overlay", "Select"),
        Binding("space", "show_overlay", show=False),
    ]

    class Chosen(Message):
        """One of the lines was chosen, be it the one that was chosen before."""

    # Select tells of a value only when it changes; its list, a private class, of every choice.
    @on(SelectOverlay.UpdateSelection)
    def _tell(self) -> None:
        self.post_message(self.Chosen())


class Line(Input):
    """A line of input; what is pasted into it reaches the terminal as visible characters."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Go on")]

    def __init__(self, placeholder: str, *, id: str, compact: bool = False) -> None:  # noqa: A002  Textual's name
        super().__init__(
            placeholder=placeholder, id=id, compact=compact, highlighter=_Visible()
        )
        self.cursor_blink = False  # a blink a second is a byte stream to a remote terminal

    def on_paste(self, event: events.Paste) -> None:
        """Have Textual's own handler take no more of it than can be drawn anew at each key."""
        event.text = event.text[:_LONGEST_PASTE]


class _Visible(Highlighter):
    """Shows each character as one that is harmless, so that the cursor stays right."""

    def __call__(self, text: str | Text) -> Text:
        plain = text if isinstance(text, str) else text.plain
        shown = (one or REPLACEMENT for one in drawn(plain))
        return Text("".join(shown), no_wrap=True, overflow="ignore", end="")

    def highlight(self, text: Text) -> None:
        """Change nothing: no part of the line is told from the others."""
