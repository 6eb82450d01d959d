"""A line of text that takes room only while it says something."""

from textual.content import Content
from textual.widgets import Static


class Notice(Static):
    """Says what has happened, in plain text; hidden while there is nothing to say."""

    def __init__(self, text: str = "", *, classes: str = "problem") -> None:
        super().__init__(Content(text), classes=classes)
        self._said = text
        self.display = bool(text)

    def say(self, text: str) -> None:
        """Show ``text``, and draw nothing anew if it is shown; an empty one hides the line."""
        if text == self._said:
            return
        self._said = text
        self.update(Content(text))
        self.display = bool(text)
