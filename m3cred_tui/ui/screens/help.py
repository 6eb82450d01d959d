"""The help screen: every key of the page below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from m3cred_tui.ui.widgets.controls import fields

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.screen import Screen

_ABOUT = (
    "Enter and the arrow keys are enough everywhere. Tab goes to what is next on the page, "
    "Esc goes back; it asks first where something would be lost."
)
_MORE = (
    "Additional Support: log in to the Support portal, https://support.m3ter.com/, for "
    "additional help and to send questions to our Support team."
)


class Help(ModalScreen[None]):
    """Lists the keys; any of Esc, Enter, q and ? closes it."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,question_mark", "dismiss", "Close", show=False),
    ]

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self._keys = [
            (below.app.get_key_display(active.binding), _means(active.binding))
            for active in below.active_bindings.values()
            if active.binding.show or active.binding.tooltip
        ]

    def compose(self) -> ComposeResult:
        with VerticalScroll() as keys:
            keys.border_subtitle = "Esc closes"
            yield Static("Keys", classes="title")
            yield Static(fields(self._keys))
            yield Static(Content(_ABOUT), classes="note")
            yield Static(Content(_MORE), classes="note")


def _means(binding: Binding) -> str:
    return binding.tooltip or binding.description
