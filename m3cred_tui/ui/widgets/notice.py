"""A line of text that takes room only while it says something."""

from textual.content import Content
from textual.widgets import Static


class Notice(Static):
    """Says what has happened, in plain text; hidden while there is nothing to say."""

    def __init__(self, text: str = "", *, classes: str = "problem") -> None:
        super().__init__(Content(text), classes=classes)
        self.display = bool(text)

    def say(self, text: str) -> None:
        """Show ``text``; an empty one hides the line."""
        self.update(Content(text))
        self.display = bool(text)
