"""The line at the top of a page."""

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

SEPARATOR = " › "


class TitleBar(Widget):
    """One line: the breadcrumb at the left, a note and the DEMO mark at the right."""

    note: reactive[str] = reactive("")

    def __init__(self, *place: str, demo: bool) -> None:
        """Show ``place``, the breadcrumb below Integrations, as plain text."""
        super().__init__()
        self._breadcrumb = SEPARATOR.join(("Integrations", *place))
        self._demo = demo

    def render(self) -> Content:
        """Put both ends on one line; the breadcrumb gives way."""
        right = Content(self.note)
        if self._demo:
            mark = Content.styled(" DEMO ", "bold $text-warning reverse")
            right = Content.assemble(right, "  ", mark) if self.note else mark
        room = max(0, self.content_size.width - cell_len(right.plain) - 1)
        left = Content(self._breadcrumb).truncate(room, ellipsis=True, pad=True)
        return Content.assemble(left.stylize("bold"), " ", right)
