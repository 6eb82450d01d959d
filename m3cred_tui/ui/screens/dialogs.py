"""The dialogs: a question, the help screen, and a URL as a QR code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from m3cred_tui.ui.screens.page import Dialog
from m3cred_tui.ui.widgets.controls import Press, fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App, ComposeResult
    from textual.screen import Screen

    from m3cred_tui.browser.terminal import QrCode

_ABOUT = (
    "Enter and the arrow keys are enough everywhere. Tab goes to what is next on the page, "
    "Esc goes back; it asks first where something would be lost."
)
_MORE = (
    "Additional Support: log in to the Support portal, https://support.m3ter.com/, for "
    "additional help and to send questions to our Support team."
)
_AFTER = "On a phone, the last page stays empty: paste its address here. Esc closes."
ROOM = 3
"""Lines that the dialog needs besides the code."""
NO, YES, MORE = range(3)


class Confirm(Dialog[int]):
    """A question; the safe answer, ``NO``, has the focus, and Esc also gives it."""

    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(0)", "No"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
        Binding("pageup", "page('up')", show=False),
        Binding("pagedown", "page('down')", show=False),
    ]

    def __init__(
        self, question: str, consequence: str, *, no: str, yes: str, more: str = ""
    ) -> None:
        """Take plain text; ``no``, ``yes`` and ``more`` are the labels of the answers."""
        super().__init__()
        self._question = question
        self._consequence = consequence
        self._answers = [answer for answer in (no, yes, more) if answer]

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Content(self._question), id="question")
            with VerticalScroll(id="consequence", can_focus=False):
                yield Static(Content(self._consequence))
            with Horizontal(classes="-many" if len(self._answers) > MORE else ""):
                no, *others = self._answers
                yield Press(Content(no), id="no", compact=True)
                for answer, name in zip(others, ("yes", "more"), strict=False):
                    yield Press(Content(answer), id=name, compact=True, variant="error")

    def action_page(self, way: str) -> None:
        """Scroll a question that names many."""
        said = self.query_one("#consequence", VerticalScroll)
        (said.scroll_page_up if way == "up" else said.scroll_page_down)(animate=False)

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        self.dismiss(("no", "yes", "more").index(message.button.id or "no"))


async def agreed(app: App[Any], going: str, lost: Callable[[], str | None]) -> bool:
    """Ask whether to leave what would be ``lost``, in a worker; ask again if that changes.

    An approval that arrives from Stripe while the question is open changes it.
    """
    asked = None
    while (loss := lost()) and loss != asked:
        question = Confirm(f"{going}?", loss, no="Stay", yes=going)
        if not await app.push_screen_wait(question):
            return False
        asked = loss
    return True


class Help(ModalScreen[None]):
    """Lists the keys; any of Esc, Enter, q and ? closes it."""

    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,question_mark", "dismiss", "Close", show=False),
    ]

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self._keys = [
            (below.app.get_key_display(binding), binding.tooltip or binding.description)
            for _, binding, *_ in below.active_bindings.values()
            if binding.show or binding.tooltip
        ]

    def compose(self) -> ComposeResult:
        with VerticalScroll() as keys:
            keys.border_title, keys.border_subtitle = "Keys", "Esc closes"
            yield Static(fields(self._keys))
            yield Static(Content(_ABOUT), classes="note")
            yield Static(Content(_MORE), classes="note")


class Qr(ModalScreen[None]):
    """The code, black on white in every theme, as cameras expect it."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,r,q", "dismiss", "Back", show=False)
    ]

    def __init__(self, code: QrCode) -> None:
        super().__init__()
        self._code = code

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Content.styled("\n".join(self._code.lines), "#000000 on #ffffff"))
            yield Static(Content(_AFTER))
