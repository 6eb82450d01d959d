"""Small widgets that several screens use."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.highlighter import Highlighter
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, OptionList, Select, Static

from m3cred_tui.model.text import REPLACEMENT, drawn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.widget import Widget


_GAP = 2


def fields(facts: Sequence[tuple[str, str | Content]]) -> Content:
    """Return one line for each (name, value), the values aligned; ``str`` is plain text."""
    width = max(len(name) for name, _ in facts) + _GAP
    return Content("\n").join(
        Content.assemble(
            (name.ljust(width), "$text-muted"),
            value if isinstance(value, Content) else Content.styled(value, "bold"),
        )
        for name, value in facts
    )


def mode_mark(*, livemode: bool) -> Content:
    """Return the word for Stripe's mode, so that live is not mistaken for test."""
    return (
        Content.styled(" LIVE ", "bold reverse") if livemode else Content.styled("TEST", "bold")
    )


def focus_first(parent: Widget) -> None:
    """Focus the first widget below ``parent`` that takes the focus and is shown."""
    for widget in parent.query("*"):
        if widget.focusable and widget.display:
            widget.focus()
            return


def show_focus(widget: Widget) -> None:
    """Scroll to the focus once it has its new position on the screen of ``widget``."""

    def scroll() -> None:
        if (focused := widget.screen.focused) is not None:
            focused.scroll_visible(animate=False)

    widget.call_after_refresh(scroll)


class Notice(Static):
    """Says what has happened, in plain text; hidden while there is nothing to say."""

    def __init__(self, text: str = "", *, classes: str = "problem") -> None:
        super().__init__(Content(text), classes=classes)
        self._said = text
        self.display = bool(text)

    def say(self, text: str) -> None:
        """Show ``text``, without drawing it again; an empty one hides the line."""
        if text == self._said:
            return
        self._said = text
        self.update(Content(text))
        self.display = bool(text)


_LONGEST_PASTE = 8192
"""Characters: twice the longest redirect."""
T = TypeVar("T")


class Press(Button):
    """A button that says in the footer what Enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "press", "Select")]

    def on_mount(self) -> None:
        """Take an Enter at any time: while Textual's press effect lasts, it takes none."""
        self.active_effect_duration = 0


class DropDown(Select[T], inherit_bindings=False):
    """A drop-down that says in the footer what Enter does; Up and Down lead past it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "show_overlay", "Select"),
        Binding("space", "show_overlay", show=False),
    ]

    class Chosen(Message):
        """One of the lines was chosen, be it the one that was chosen before."""

    _is_chosen = False

    def on_mount(self) -> None:
        """Watch the list: Select itself reports a value only when it changes."""
        self.query_one(OptionList).message_signal.subscribe(self, self._note, immediate=True)

    def _note(self, message: Message) -> None:
        if isinstance(message, OptionList.OptionSelected):
            self._is_chosen = True

    def watch_expanded(self, expanded: bool) -> None:  # noqa: FBT001  a watcher's parameter
        """Report a choice once it is the value: then the list closes."""
        if self._is_chosen and not expanded:
            self._is_chosen = False
            self.post_message(self.Chosen())


class TextInput(Input):
    """A line of input; what is pasted into it reaches the terminal as visible characters."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Continue")]

    def __init__(self, placeholder: str, *, id: str, compact: bool = False) -> None:  # noqa: A002  Textual's name
        super().__init__(
            placeholder=placeholder, id=id, compact=compact, highlighter=_Visible()
        )
        self.cursor_blink = False  # a blink a second is a byte stream to a remote terminal

    def on_paste(self, event: events.Paste) -> None:
        """Pass on to Textual's own handler no more than can be redrawn at each key."""
        event.text = event.text[:_LONGEST_PASTE]


class _Visible(Highlighter):
    """Shows each character as one that is harmless, so that the cursor stays right."""

    def __call__(self, text: str | Text) -> Text:
        plain = text if isinstance(text, str) else text.plain
        shown = (one or REPLACEMENT for one in drawn(plain))
        return Text("".join(shown), no_wrap=True, overflow="ignore", end="")

    def highlight(self, text: Text) -> None:
        """Change nothing: the line has no highlighted parts."""
