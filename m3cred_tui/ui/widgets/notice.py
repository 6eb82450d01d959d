"""A line of text that takes room only while it says something."""

from textual.content import Content
from textual.widgets import Static


class Notice(Static):
    """Says what has happened, in plain text; hidden while there is nothing to say."""

    DEFAULT_CLASSES = "problem"

    def __init__(self, text: str = "", *, id: str | None = None) -> None:  # noqa: A002  Textual's
        super().__init__(Content(text), id=id)
        self.display = bool(text)

    def say(self, text: str) -> None:
        """Show ``text``; an empty one hides the line."""
        self.update(Content(text))
        self.display = bool(text)
