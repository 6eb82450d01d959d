"""The base of the stages of Create Integration Credential."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import var
from textual.widgets import Button, Static

from m3cred_tui.model.credential import Draft
from m3cred_tui.ui.widgets.controls import Press, focus_first, show_focus

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer

    from m3cred_tui.browser.terminal import QrCode

ROOM_BESIDE = 108, 34
"""Columns and lines of a window, below which nothing is shown at the side of a stage."""
_SOON = 2.0  # seconds
_PAGE_DOWN = "Scroll to what is below the window's edge"


class Stage(VerticalScroll, can_focus=False):
    """A panel with a title, controls, and the button that continues."""

    LABEL: ClassVar[str]
    """The name of the stage in the stepper."""
    TITLE: ClassVar[str]
    """The panel's title."""

    DEFAULT_CLASSES = "stage"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down,right", "move(1)", show=False),
        Binding("pagedown", "page_down", "Page down", show=False, tooltip=_PAGE_DOWN),
    ]

    waits: var[bool] = var(default=False)
    """Whether Stripe is waited for, which needs all the room that a small window has."""
    qr_code: var[QrCode | None] = var(None)
    """What to show at the side of the stage, if there is room."""

    @dataclass
    class Completed(Message):
        """The stage is completed; ``draft`` holds everything entered so far."""

        draft: Draft

    @dataclass(repr=False)  # the URL holds the state
    class QrWanted(Message):
        """The user wants to see a URL as a QR code."""

        url: str

    @dataclass
    class Asked(Message):
        """The user must agree to something; ``answer`` is called with whether they did."""

        question: str
        consequence: str
        answer: Callable[[bool], object]
        yes: str = "Yes, replace it"

    @dataclass
    class Released(Message):
        """What was to be renewed is gone: ``draft`` is for a new credential."""

        draft: Draft

    @dataclass
    class Created(Message):
        """The last stage is completed: the credential is in the store."""

        credential_id: str

    def __init__(self) -> None:
        super().__init__()
        self.draft = Draft()
        self._after_paste: Timer | None = None
        """Runs while an Enter belongs to the paste before it."""

    def compose(self) -> ComposeResult:
        yield Static(Content(self.TITLE), classes="title")
        yield from self.compose_panel()

    def compose_panel(self) -> ComposeResult:
        """Yield the widgets below the title."""
        raise NotImplementedError

    async def arrive(self, draft: Draft) -> None:
        """Take what was entered in the stages before."""
        self.draft = draft

    def entered(self) -> Draft | None:
        """Return the draft with this stage's input; if it is not valid, say why."""
        return self.draft

    @on(Button.Pressed, "#next")
    def complete(self) -> None:
        """Continue with the next stage if this one is complete."""
        draft = self.entered()
        if draft is not None:
            self.post_message(self.Completed(draft))

    def take_focus(self) -> None:
        """Focus the next thing to do."""
        focus_first(self)

    def watch_virtual_size(self) -> None:
        """Keep the focus in sight when there is more or less on the stage."""
        show_focus(self)

    def action_move(self, step: int) -> None:
        """Focus the next or previous control of this stage, in a circle."""
        controls = [one for one in self.screen.focus_chain if self in one.ancestors]
        if self.screen.focused in controls:
            place = controls.index(self.screen.focused) + step
            controls[place % len(controls)].focus()

    def expect_enter(self) -> None:
        """Take an Enter that follows soon as the end of a paste, whatever has the focus."""
        self._forget_paste()
        self._after_paste = self.set_timer(_SOON, self._forget_paste)

    def is_enter_expected(self) -> bool:
        """Return whether that Enter has not come yet, and leave it to what is shown next."""
        is_expected = self._after_paste is not None
        self._forget_paste()
        return is_expected

    def on_key(self, event: events.Key) -> None:
        if self._after_paste is not None and event.key == "enter":
            event.stop()
        self._forget_paste()

    def _forget_paste(self) -> None:
        if self._after_paste is not None:
            self._after_paste.stop()
            self._after_paste = None

    def leave(self) -> None:
        """End the work in progress."""

    @property
    def typed(self) -> Draft:
        """The draft with the current input, valid or not."""
        return self.draft

    @property
    def kept(self) -> Draft | None:
        """The draft that is on disk already, to be resumed later."""
        return None

    @property
    def would_lose(self) -> str | None:
        """One sentence about what leaving the stage would lose; ``None`` for nothing."""
        return None


def next_button() -> Button:
    """Return the button that completes a stage."""
    return Press("Next", id="next", variant="primary")


def note(text: str) -> Static:
    """Return a note in plain text."""
    return Static(Content(text), classes="note")
