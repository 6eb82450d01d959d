"""What is shown while the window is too small for the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import ModalScreen
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult


class TooSmall(ModalScreen[None]):
    """One sentence, until the window is large enough; what lies below keeps its state."""

    def __init__(self, least_width: int, least_height: int) -> None:
        super().__init__()
        self._least_width = least_width
        self._least_height = least_height

    def on_screen_resume(self) -> None:
        """Go when the window was made larger below a question."""
        size = self.app.size
        if size.width >= self._least_width and size.height >= self._least_height:
            self.dismiss()

    def compose(self) -> ComposeResult:
        yield Static(
            f"m3cred needs a window of {self._least_width} columns and {self._least_height} "
            "lines; please make this one larger. Nothing you entered is lost."
        )
