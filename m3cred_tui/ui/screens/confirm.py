"""A question that can be answered with no or yes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App, ComposeResult


class Confirm(ModalScreen[bool]):
    """Asks; the safe answer has the focus, Esc gives it too."""

    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, question: str, consequence: str, *, no: str, yes: str) -> None:
        """Take plain text only; ``no`` and ``yes`` say what the two answers do."""
        super().__init__()
        self._question = question
        self._consequence = consequence
        self._no = no
        self._yes = yes

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Content(self._question), id="question")
            yield Static(Content(self._consequence), id="consequence")
            with Horizontal():
                yield Button(Content(self._no), id="no", compact=True)
                yield Button(Content(self._yes), id="yes", compact=True, variant="error")

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        self.dismiss(message.button.id == "yes")


async def agreed(app: App[Any], going: str, lost: Callable[[], str | None]) -> bool:
    """Ask whether to go where something is ``lost``, in a worker; ask anew if that changes.

    An approval that comes from Stripe while the question is open is another loss than the
    one the user was asked about.
    """
    asked = None
    while (loss := lost()) and loss != asked:
        question = Confirm(f"{going}?", loss, no="Stay", yes=going)
        if not await app.push_screen_wait(question):
            return False
        asked = loss
    return True
