"""The yardstick: a Textual app with one line of text."""

from textual.app import App, ComposeResult
from textual.widgets import Static

PAINTED = "bare and painted"


class BareApp(App[None]):
    """Does nothing but start."""

    def compose(self) -> ComposeResult:
        yield Static(PAINTED)


if __name__ == "__main__":
    BareApp().run()
