"""The details of one credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from m3cred_tui.model.credential import Credential
from m3cred_tui.ui.columns import NAME, STATUS
from m3cred_tui.ui.screens.page import Page
from m3cred_tui.ui.widgets.fields import fields, mode_mark
from m3cred_tui.ui.widgets.key_line import KeyLine
from m3cred_tui.ui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from m3cred_tui.ui.columns import Row
    from m3cred_tui.ui.services import Services

_USE = (
    "For a native Integration Configuration that sends Bills to Stripe: choose this "
    "credential there to authenticate the integration."
)
_NO_EDITING = "A credential cannot be edited; create another one and delete this one."


class DetailsPage(Page[str]):
    """Every field of a credential; ends with its ID when it is to be deleted."""

    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "dismiss", "Back", tooltip="Back to Credentials"),
        Binding("y", "copy_id", "Copy ID", tooltip="Send the Credential ID to the clipboard"),
        Binding("d", "delete", "Delete", tooltip="Delete this credential"),
    ]

    def __init__(self, services: Services, row: Row) -> None:
        super().__init__()
        self._demo = services.demo
        self._row = row

    def compose(self) -> ComposeResult:
        row = self._row
        yield TitleBar("Credentials", NAME.of(row), demo=self._demo)
        with VerticalScroll():
            if isinstance(row, Credential):
                yield Static(fields(_facts(row)))
                yield Static(Content(_USE), classes="note")
                yield Static(Content(_NO_EDITING), classes="note")
            else:
                yield Static(fields([("Credential ID", row.id), ("Damaged", row.reason)]))
        yield KeyLine()

    def action_delete(self) -> None:
        """Go back to have the credential deleted."""
        self.dismiss(self._row.id)

    def action_copy_id(self) -> None:
        """Send the Credential ID to the terminal's clipboard."""
        self.app.copy_to_clipboard(self._row.id)
        self.notify("Credential ID sent to your terminal's clipboard.", markup=False)


def _facts(credential: Credential) -> list[tuple[str, str | Content]]:
    account = credential.account
    return [
        ("Name", credential.name),
        ("Credential ID", credential.id),
        ("Entity type", credential.entity_type.label),
        ("Destination", credential.destination.label),
        ("Stripe account", account.name or "not told by Stripe"),
        ("Account ID", account.id),
        ("Country", account.country or "not told by Stripe"),
        ("Mode", mode_mark(livemode=account.livemode)),
        ("Status", STATUS.of(credential)),
        ("Created", f"{credential.created_at.astimezone():%Y-%m-%d %H:%M:%S %Z}"),
        ("Created by", credential.created_by),
    ]
