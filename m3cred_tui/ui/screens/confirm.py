"""A question that can be answered with no, with yes, and perhaps with more than yes."""

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


NO, YES, MORE = range(3)


class Confirm(ModalScreen[int]):
    """Asks; the safe answer, ``NO``, has the focus, and Esc gives it, too."""

    CSS_PATH = "confirm.tcss"
    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(0)", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(
        self, question: str, consequence: str, *, no: str, yes: str, more: str = ""
    ) -> None:
        """Take plain text only; ``no``, ``yes`` and ``more`` say what the answers do."""
        super().__init__()
        self._question = question
        self._consequence = consequence
        self._answers = [answer for answer in (no, yes, more) if answer]

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Content(self._question), id="question")
            yield Static(Content(self._consequence), id="consequence")
            with Horizontal(classes="-many" if len(self._answers) > MORE else ""):
                no, *others = self._answers
                yield Button(Content(no), id="no", compact=True)
                for answer, name in zip(others, ("yes", "more"), strict=False):
                    yield Button(Content(answer), id=name, compact=True, variant="error")

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        self.dismiss(("no", "yes", "more").index(message.button.id or "no"))


async def agreed(app: App[Any], going: str, lost: Callable[[], str | None]) -> bool:
    """Ask whether to go where something is ``lost``, in a worker; ask again if that changes.

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
