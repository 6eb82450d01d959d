"""The Credentials page: Integrations › Credentials."""

from __future__ import annotations

import asyncio
from itertools import takewhile
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.events import ScreenResume
from textual.widgets import Button, Input, Static

from m3cred_tui.listing.columns import is_pending, waits_until
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.screens.deleting import DeletingPage
from m3cred_tui.ui.terminal.outside import send_to_clipboard
from m3cred_tui.ui.widgets.controls import Press
from m3cred_tui.ui.widgets.credential_list import CredentialList
from m3cred_tui.ui.widgets.key_line import KeyLine
from m3cred_tui.ui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from m3cred_tui.listing.columns import Row
    from m3cred_tui.model.credential import Credential

_OFFER_SECONDS = 20
_SUPPORT = (
    "Support portal: [link='https://support.m3ter.com/']https://support.m3ter.com/[/link]"
)


def _offer(pending: list[Credential]) -> str:
    name = f"“{pending[0].name}”"
    if len(pending) > 1:
        return f"{len(pending)} credentials are not created yet."
    if pending[0].account is None:
        return f"{name} waits for Stripe until {waits_until(pending[0]):%H:%M}."
    return f"Stripe has approved {name}, not created yet."


class CredentialsPage(DeletingPage):
    """Lists the credentials; everything else starts here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "create", "Create", tooltip="Create Integration Credential"),
        Binding("slash", "filter", "Filter", key_display="/", tooltip="Filter the list"),
        Binding("y", "copy_id", "Copy", tooltip="Send the Credential ID to the clipboard"),
        Binding("d", "delete", "Delete", tooltip="Delete the selected credential"),
        Binding("s", "sort", "Sort", show=False, tooltip="Sort the list by the next column"),
        Binding("escape", "clear_filter", "Show all"),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def compose(self) -> ComposeResult:
        yield TitleBar("Credentials", demo=self._services.demo)
        yield Press("Create Integration Credential", id="create", compact=True)
        yield CredentialList(self._listing)
        yield Static(id="message")
        yield Static(_SUPPORT, id="support")
        yield KeyLine()

    def on_mount(self) -> None:  # beside that of the list, which Textual calls, too
        self.call_after_refresh(self._tell_what_was_left)

    def _pending(self) -> list[Credential]:
        """Return what waits for the user or for Stripe; such rows are the first ones."""
        rows = map(self._listing.row, self._listing.ids)
        return [row for row in takewhile(is_pending, rows) if is_pending(row)]

    async def _tell_what_was_left(self) -> None:
        """Tell of what was left before, after the removal of what is over."""
        await self._expire()
        self._offer_pending()
        await self._tell_unfinished()

    def _offer_pending(self) -> None:
        pending = self._pending()
        if pending:
            text = f"{_offer(pending)} Press Enter to go on."
            self.notify(text, markup=False, timeout=_OFFER_SECONDS)

    async def _expire(self) -> None:
        """Remove authorizations whose time is over, tell of each once, and come back later."""
        now = self._services.now()
        ends = [waits_until(one) for one in self._pending() if one.account is None]
        try:
            if any(end <= now for end in ends):
                gone = await asyncio.to_thread(self._services.store.requests.expire, now)
                for one in gone:
                    self._listing.drop(one.id)
                    text = f"“{one.name}” was not approved in ten minutes and is removed."
                    self.notify(text, markup=False, timeout=_OFFER_SECONDS)
                self._show_again()
        except Problem as problem:
            self.notify(str(problem), severity="error", markup=False)
        later = [(end - now).total_seconds() for end in ends if end > now]
        if later:
            self.set_timer(min(later) + 1, self._expire)

    @on(ScreenResume)
    async def _see_what_ran_out(self) -> None:
        if self.is_mounted and self._pending():
            await self._expire()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what works on a credential only where one is selected."""
        del parameters
        if action in {"check", "check_all", "stop_checking"}:
            return self.can_check(action)
        if action == "clear_filter":
            return bool(self.query(Input)) and not self.is_checking
        if action in {"filter", "sort"}:
            return bool(self._listing.total)
        if action in {"copy_id", "delete"}:
            return self.is_mounted and self._list.selected is not None
        return True

    @on(Button.Pressed, "#create")
    def action_create(self) -> None:
        """Open Create Integration Credential."""
        from m3cred_tui.ui.screens.create import CreatePage

        page = CreatePage(self._services, self._listing.taken_names)
        self.app.push_screen(page, self._after_create)

    def _after_create(self, credential_id: str | None) -> None:
        if credential_id is not None:
            self._close_filter()
            self._listing.add(credential_id)
            with self.app.batch_update():
                self._show(selected=credential_id)
                self._focus_next()

    @on(CredentialList.Opened)
    def _open(self, message: CredentialList.Opened) -> None:
        row = self._listing.row(message.credential_id)
        if row is None:
            self._glance()
        elif is_pending(row):
            self._go_on(row)
        else:
            self._open_details(row)

    def _go_on(self, pending: Credential) -> None:
        from m3cred_tui.ui.screens.create import CreatePage

        self.app.clear_notifications()  # the one that said to press Enter
        page = CreatePage(self._services, self._listing.taken_names, pending)
        self.app.push_screen(page, self._after_create)

    def _open_details(self, row: Row) -> None:
        from m3cred_tui.ui.screens.details import DetailsPage

        page = DetailsPage(self._services, row, self._listing.learn)
        self.app.push_screen(page, self._after_details)

    def _after_details(self, to_delete: str | None) -> None:
        if to_delete is not None:
            self._delete(to_delete)

    @on(CredentialList.LeftUpwards)
    def _to_button(self) -> None:
        self.query_one("#create").focus()

    @work(exclusive=True, group="copy")
    async def action_copy_id(self) -> None:
        """Send the selected Credential ID to the terminal's clipboard."""
        if (credential_id := self._list.selected) is not None:
            ways = self._services.ways
            said = await send_to_clipboard(self.app, ways, credential_id, what="Credential ID")
            self.notify(said, markup=False)
