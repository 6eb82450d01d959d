"""The yardstick for the cursor: Textual's own table with ten rows."""

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Footer, Header

ROWS = 10
HEADINGS = ("Name", "Status", "Destination", "Stripe account", "Created")


def name(row: int) -> str:
    """Return the text of the first column."""
    return f"Acme {row:06}"


class TenRowsApp(App[None]):
    """The same columns as Credentials, in ten rows."""

    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable[str](cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns(*HEADINGS)
        for row in range(1, ROWS + 1):
            mode = "Stripe" if row % 2 else "Stripe (Test Mode)"
            table.add_row(name(row), "✓ authenticated", mode, f"Acme {row} Ltd", "08 Jan")
        table.focus()


if __name__ == "__main__":
    TenRowsApp().run()
