"""The yardstick for the filter: Textual's own line of input under one line of text."""

from textual.app import App, ComposeResult
from textual.widgets import Input, Static

PAINTED = "input and painted"


class InputApp(App[None]):
    """Takes what is typed; its cursor does not blink, as a blink is no answer to a key."""

    def compose(self) -> ComposeResult:
        yield Static(PAINTED)
        line = Input()
        line.cursor_blink = False
        yield line


if __name__ == "__main__":
    InputApp().run()
