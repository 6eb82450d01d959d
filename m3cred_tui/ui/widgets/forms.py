"""What a form is made of: notices, drop-downs and lines of input.

The first paint shows none of them, and does without this file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.highlighter import Highlighter
from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Button, Input, OptionList, Select, Static

from m3cred_tui.model.text import REPLACEMENT, drawn
from m3cred_tui.ui.widgets.controls import Press

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events
    from textual.app import ComposeResult

    from m3cred_tui.model.credential import Destination
    from m3cred_tui.model.problem import Problem


class Notice(Static):
    """A message in plain text, hidden while it is empty."""

    def __init__(self, text: str = "", *, classes: str = "problem") -> None:
        super().__init__(Content(text), classes=classes)
        self._said = text
        self.display = bool(text)

    def say(self, text: str) -> None:
        """Show ``text``, and draw only if it is new; an empty text hides the widget."""
        if text == self._said:
            return
        self._said = text
        self.update(Content(text))
        self.display = bool(text)


SET_UP, TRY_DEMO = "set-up", "try-demo"


class SetUpOffer(Vertical):
    """Which destinations are not set up, and the ways on: set one up, or try the demo."""

    class Returned(Message):
        """The user came back from the settings."""

    def __init__(self, obstacles: Mapping[Destination, Problem] | None = None) -> None:
        """Take what :meth:`show` does."""
        super().__init__()
        self._notice = Notice()
        self._set_up = Press(id=SET_UP, variant="primary", compact=True)
        self._try_demo = Press("Try the demo", id=TRY_DEMO, compact=True)
        self.show(obstacles or {})

    def compose(self) -> ComposeResult:
        yield from (self._notice, self._set_up, self._try_demo)

    def show(self, obstacles: Mapping[Destination, Problem]) -> None:
        """Say what keeps these destinations from being used; hidden if there are none."""
        self.display = bool(obstacles)
        lacks = [getattr(one, "lack", None) for one in obstacles.values()]
        said = [str(one) for one in obstacles.values()]
        what, self._page = "a destination", "settings"
        if len(obstacles) == 1:
            (one,) = obstacles
            what, self._page = one.label, f"set_up({one.code!r})"
        else:
            said = [lack or text for lack, text in zip(lacks, said, strict=True)]
        self._notice.say("\n".join(f"! {text}" for text in dict.fromkeys(said)))
        self._set_up.label = Content(f"Set up {what}")
        self._try_demo.display = any(lacks)

    @on(Button.Pressed, f"#{SET_UP}")
    @work(exclusive=True, group="settings")
    async def _open_settings(self) -> None:
        await self.app.run_action(f"app.{self._page}")
        self.post_message(self.Returned())

    @on(Button.Pressed, f"#{TRY_DEMO}")
    @work(exclusive=True, group="settings")
    async def _open_demo(self) -> None:
        await self.app.run_action("app.try_demo")


T = TypeVar("T")


class DropDown(Select[T], inherit_bindings=False):
    """A drop-down whose Enter is in the key line; Up and Down move past it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "show_overlay", "Select"),
        Binding("space", "show_overlay", show=False),
        # Before the list's own keys, which Textual does not show, or calls "Dismiss menu".
        Binding("enter", "choose", "Select", priority=True),
        Binding("down", "highlight(1)", "Move", key_display="↑↓", priority=True),
        Binding("up", "highlight(-1)", show=False, priority=True),
        Binding("escape", "close", "Close", priority=True),
    ]

    class Chosen(Message):
        """An option was chosen, perhaps the same one as before."""

    _is_chosen = False

    def on_mount(self) -> None:
        """Watch the list: Select itself only reports a value that changes."""
        self.query_one(OptionList).message_signal.subscribe(self, self._note, immediate=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave these keys to the page while the list is closed."""
        del parameters
        return action not in {"close", "choose", "highlight"} or self.expanded

    def action_choose(self) -> None:
        """Choose the highlighted option."""
        self.query_one(OptionList).action_select()

    def action_highlight(self, by: int) -> None:
        """Highlight the next option, or the one before."""
        options = self.query_one(OptionList)
        (options.action_cursor_down if by > 0 else options.action_cursor_up)()

    def action_close(self) -> None:
        """Close the list without a choice."""
        self.expanded = False
        self.focus()

    def _note(self, message: Message) -> None:
        if isinstance(message, OptionList.OptionSelected):
            self._is_chosen = True

    def watch_expanded(self, expanded: bool) -> None:  # noqa: FBT001  a watcher's parameter
        """Report a choice when the list closes: by then it is the value."""
        if self._is_chosen and not expanded:
            self._is_chosen = False
            self.post_message(self.Chosen())


_LONGEST_PASTE = 8192
"""Characters: twice the longest redirect."""


class TextInput(Input):
    """A line of input that draws every pasted character as a visible one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Continue")]

    def __init__(self, placeholder: str, *, id: str, compact: bool = False) -> None:  # noqa: A002  Textual's name
        super().__init__(
            placeholder=placeholder, id=id, compact=compact, highlighter=_Visible()
        )
        self.cursor_blink = False  # each blink is sent to a remote terminal

    def on_paste(self, event: events.Paste) -> None:
        """Limit what Textual's handler takes to what can be redrawn at every key."""
        event.text = event.text[:_LONGEST_PASTE]


class FilterLine(TextInput):
    """A line of input that redraws the screen once per key."""

    # As Textual's, but without a new layout of the page for each letter, which would be
    # painted a frame later.
    virtual_size: reactive[Size] = reactive(Size(0, 0))


class _Visible(Highlighter):
    """Draws each character as a harmless one of the same width."""

    def __call__(self, text: str | Text) -> Text:
        plain = text if isinstance(text, str) else text.plain
        shown = (one or REPLACEMENT for one in drawn(plain))
        return Text("".join(shown), no_wrap=True, overflow="ignore", end="")

    def highlight(self, text: Text) -> None:
        """Highlight nothing."""
