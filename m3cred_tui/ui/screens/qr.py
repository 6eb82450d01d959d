"""A URL as a QR code, for a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from m3cred_tui.browser.terminal import QrCode

_AFTER = "On a phone, the last page stays empty: paste its address here. Esc closes."
ROOM = 3
"""Lines beside the code."""


class Qr(ModalScreen[None]):
    """The code, black on white whatever the theme, as cameras expect it."""

    CSS_PATH = "qr.tcss"
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
