"""The Credentials page: Integrations › Credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from m3cred_tui.model.problem import Problem
from m3cred_tui.store.record import Damaged
from m3cred_tui.ui.columns import NAME
from m3cred_tui.ui.listing import SORTABLE, Listing
from m3cred_tui.ui.screens.page import Page
from m3cred_tui.ui.widgets.controls import Line, Press
from m3cred_tui.ui.widgets.credential_list import CredentialList
from m3cred_tui.ui.widgets.key_line import KeyLine
from m3cred_tui.ui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from m3cred_tui.ui.columns import Row
    from m3cred_tui.ui.services import Services

_EMPTY = (
    "There are no credentials yet.\n\n"
    "An Integration Credential lets m3ter send your Bills to Stripe.\n"
    "Press Enter to create the first one."
)
_NOTHING_FOUND = "No credential matches the filter. Press Esc to see all."
_DELETING = (
    "m3ter can no longer send Bills with it, and it cannot be brought back. "
    "The Stripe account itself stays connected."
)
_SUPPORT = (
    "Support portal: [link='https://support.m3ter.com/']https://support.m3ter.com/[/link]"
)
_FIRST = 256  # more than a screenful; the others are sorted after the first paint
_PROGRESS_FROM = 5_000  # below, reading is over before a progress line could be read


class CredentialsPage(Page[None]):
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

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._listing = Listing(self._read)
        self._trouble: Problem | None = None
        self._look(newest=_FIRST)

    def compose(self) -> ComposeResult:
        yield TitleBar("Credentials", demo=self._services.demo)
        yield Press("Create Integration Credential", id="create", compact=True)
        yield CredentialList(self._listing)
        yield Static(id="message")
        yield Static(_SUPPORT, id="support")
        yield KeyLine()

    def on_mount(self) -> None:
        self._show(selected=None)
        self._focus_next()
        self.call_after_refresh(self._read_rest)

    def on_screen_resume(self) -> None:
        """Notice what has changed meanwhile, here or by another m3cred."""
        if self._listing.has_every_id:
            self._look()
            self._show_again()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what works on a credential only where one is selected."""
        del parameters
        if action == "clear_filter":
            return bool(self.query(Line))
        if action in {"filter", "sort"}:
            return bool(self._listing.total)
        if action in {"copy_id", "delete"}:
            return self.is_mounted and self._list.selected is not None
        return True

    @property
    def _list(self) -> CredentialList:
        return self.query_one(CredentialList)

    def _read(self, credential_id: str) -> Row | None:
        try:
            return self._services.store.read(credential_id)
        except Problem as problem:
            return Damaged(credential_id, str(problem))

    def _look(self, *, newest: int | None = None) -> None:
        """Look which credentials there are now: all of them, or the newest so many."""
        store = self._services.store
        self._trouble = None
        try:
            if newest is None:
                ids = store.ids()
                self._listing.renew(ids, len(ids))
            else:
                self._listing.renew(*store.newest(newest))
        except Problem as problem:
            self._trouble = problem

    def _show(self, selected: str | None) -> None:
        """Show the listing as it is now; focus lies on the next thing to do."""
        self._listing.arrange()
        some = bool(self._listing.shown)
        self._list.display = some
        self._list.show(self._listing, selected)
        message = self.query_one("#message", Static)
        message.display = not some or self._trouble is not None
        if message.display:
            nothing = _NOTHING_FOUND if self._listing.total else _EMPTY
            message.update(Content(str(self._trouble) if self._trouble else nothing))
        self._count()
        self.refresh_bindings()

    def _focus_next(self) -> None:
        (self._list if self._listing.shown else self.query_one("#create")).focus()

    def _count(self) -> None:
        total, shown = self._listing.total, len(self._listing.shown)
        counted = f"{total:,} credential{'' if total == 1 else 's'}" if total else ""
        if self._listing.filter:
            counted = f"{shown:,} of {counted}"
        self.query_one(TitleBar).note = counted

    @work(thread=True, exclusive=True, group="read")
    def _read_rest(self) -> None:
        """Read, after the first paint, what filter, order and names need."""
        if not self._listing.has_every_id:
            self._look()
            self.app.call_from_thread(self._show_again)
        total = self._listing.total
        for left in self._listing.read_rest():
            if not self.is_attached:
                return
            if total >= _PROGRESS_FROM and left and left % _PROGRESS_FROM == 0:
                self.app.call_from_thread(self._progress, total - left, total)
        self.app.call_from_thread(self._read_all)

    def _progress(self, read: int, total: int) -> None:
        self.query_one(TitleBar).note = f"reading {read:,} of {total:,}"

    def _read_all(self) -> None:
        if self._listing.is_arranged:
            self._show_again()
        else:
            self._count()

    def _show_again(self) -> None:
        self._show(self._list.selected)

    @on(Button.Pressed, "#create")
    def action_create(self) -> None:
        """Open Create Integration Credential."""
        from m3cred_tui.ui.screens.create import CreatePage

        page = CreatePage(self._services, self._listing.taken_names)
        self.app.push_screen(page, self._after_create)

    def _after_create(self, credential_id: str | None) -> None:
        if credential_id is not None:
            self._close_filter()
            self._look()
            self._listing.row(credential_id)
            with self.app.batch_update():
                self._show(selected=credential_id)
                self._focus_next()

    @on(CredentialList.Opened)
    def _open(self, message: CredentialList.Opened) -> None:
        from m3cred_tui.ui.screens.details import DetailsPage

        row = self._listing.row(message.credential_id)
        if row is not None:
            self.app.push_screen(DetailsPage(self._services, row), self._after_details)

    def _after_details(self, to_delete: str | None) -> None:
        if to_delete is not None:
            self._delete(to_delete)

    @on(CredentialList.LeftUpwards)
    def _to_button(self) -> None:
        self.query_one("#create").focus()

    def action_copy_id(self) -> None:
        """Send the selected Credential ID to the terminal's clipboard."""
        if (credential_id := self._list.selected) is not None:
            self.app.copy_to_clipboard(credential_id)
            self.notify("Credential ID sent to your terminal's clipboard.", markup=False)

    def action_delete(self) -> None:
        """Delete the selected credential."""
        if (credential_id := self._list.selected) is not None:
            self._delete(credential_id)

    @work
    async def _delete(self, credential_id: str) -> None:
        """Delete a credential, after a confirmation that names it."""
        from m3cred_tui.ui.screens.confirm import Confirm

        row = self._listing.row(credential_id)
        if row is None:
            return
        question = Confirm(
            f"Delete “{NAME.of(row)}”?", _DELETING, no="No, keep it", yes="Yes, delete it"
        )
        if not await self.app.push_screen_wait(question):
            return
        after = self._list.cursor
        try:
            self._services.store.delete(credential_id)
        except Problem as problem:
            self.notify(str(problem), severity="error", markup=False)
        self._look()
        self._show(selected=None)
        self._focus_next()
        self._list.cursor = after

    def action_sort(self) -> None:
        """Sort by the next column."""
        order = SORTABLE.index(self._listing.order) + 1
        self._listing.order = SORTABLE[order % len(SORTABLE)]
        self._show_again()

    async def action_filter(self) -> None:
        """Show the filter line."""
        if not self.query(Input):
            line = Line("Filter by any word of a row", id="filter", compact=True)
            await self.mount(line, after="#create")
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _filter(self, message: Input.Changed) -> None:
        self._listing.filter = message.value
        self._show_again()

    @on(Input.Submitted)
    def _to_list(self) -> None:
        self._list.focus()

    def action_clear_filter(self) -> None:
        """Show every credential again."""
        self._close_filter()
        self._show_again()
        self._focus_next()

    def _close_filter(self) -> None:
        self.query(Input).remove()
        self._listing.filter = ""
