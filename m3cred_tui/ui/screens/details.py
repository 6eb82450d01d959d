"""The details of one credential."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from enum import Enum, auto
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from m3cred_tui.authorize.problems import CodeSent
from m3cred_tui.browser.opening import BrowserDidNotOpen
from m3cred_tui.listing.columns import (
    NAME,
    is_authenticated,
    local,
    opened_part,
)
from m3cred_tui.listing.history import history_of
from m3cred_tui.model.credential import M3TER_MUST_KNOW, Credential, Status
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.screens.page import Page
from m3cred_tui.ui.screens.renaming import Rename
from m3cred_tui.ui.terminal.outside import send_fields, send_id
from m3cred_tui.ui.widgets.controls import AUTHORIZE_AGAIN, COPY_FIELDS, fields
from m3cred_tui.ui.widgets.pane import facts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from m3cred_tui.listing.columns import Row
    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.ui.services import Services

_USE = (
    "Next: choose this credential in the native Integration Configuration that sends Bills to "
    f"Stripe, or give m3ter's API the integration fields, which i sends to the clipboard. "
    f"{M3TER_MUST_KNOW}"
)
_NO_EDITING = (
    "Nothing but the name of a credential can be changed; create another one and delete this "
    "one."
)


class Leaving(Enum):
    """What the list does with the credential once its details are closed."""

    DELETE = auto()
    REAUTHORIZE = auto()


class DetailsPage(Page[Leaving]):
    """All fields of a credential; returns what the list has to do with it."""

    CSS_PATH = "details.tcss"
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "dismiss", "Back", tooltip="Back to Credentials"),
        Binding("a", "reauthorize", "Authorize", tooltip="Authorize this credential again"),
        Binding("v", "check", "Check", tooltip="Check this credential at Stripe"),
        Binding("y", "copy_id", "Copy ID", tooltip="Send the Credential ID to the clipboard"),
        Binding("i", "copy_integration", "Fields", tooltip=COPY_FIELDS),
        Binding("n", "rename", "Rename", tooltip="Give this credential another name"),
        Binding("d", "delete", "Delete", tooltip="Delete this credential"),
        Binding("o", "open_dashboard", "Dashboard", tooltip="Open the account at Stripe"),
    ]

    def __init__(
        self,
        services: Services,
        row: Row,
        learned: Callable[[Row], None],
        is_taken: Callable[[str], bool],
    ) -> None:
        """Take the row of the list; ``learned`` is called with it once it was opened.

        ``is_taken`` is what ``name_problem`` takes.
        """
        super().__init__("Credentials", NAME.of(row), demo=services.demo)
        self._services = services
        self._row = row
        self._learned = learned
        self._is_taken = is_taken
        self._part, self._opened = opened_part(is_sealed=not services.store.team)
        self._sealed = "…"
        self._checked = "…"
        self._dashboard: str | None = None
        self._check: CheckResult | None = None

    def compose_body(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(id="facts")
            yield Static(classes="note", id="use")
            yield Static(Content(_NO_EDITING), classes="note", id="editing")

    def on_mount(self) -> None:
        self._show()
        self._open_sealed_part()
        self._read_check()
        self._find_dashboard()

    def on_resize(self) -> None:
        """Wrap long values again."""
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to check and to use a credential only once it is created."""
        del parameters
        if action == "open_dashboard":
            return self._dashboard is not None
        for_created = {"check", "copy_integration", "rename", "reauthorize"}
        return action not in for_created or is_authenticated(self._row)

    def _show(self) -> None:
        if not self.display:  # the page is closing, and its widgets may be gone
            return
        row = self._row
        if isinstance(row, Credential):
            facts = facts_of(row, self._check, self._services.now())
            if url := self._dashboard:
                facts.append(("At Stripe", Content.styled(url, Style(bold=True, link=url))))
            facts += [(self._part, self._sealed), ("Last check", self._checked)]
            if history := history_of(row, self._check):
                facts.append(("History", "\n".join(one.line for one in history)))
        else:
            facts = [("Credential ID", row.id), ("Damaged", row.reason)]
        shown = self.query_one("#facts", Static)
        shown.update(fields(facts, shown.content_size.width))
        use, editing = self.query_one("#use", Static), self.query_one("#editing")
        use.display = editing.display = isinstance(row, Credential)
        use.update(Content(_USE))
        if isinstance(row, Credential) and row.status is Status.UNKNOWN:
            use.update(Content(str(CodeSent(row))))
            editing.display = False

    @work
    async def _open_sealed_part(self) -> None:
        """Check that the sealed part agrees with the fields shown."""
        try:
            row = await asyncio.to_thread(self._services.store.verified, self._row.id)
        except Problem as problem:
            self._sealed = f"not {self._opened}: {problem}"
        else:
            if row is None:
                told = "another m3cred has deleted the credential."
                self._sealed = f"not {self._opened}: {told}"
            else:
                self._row = row
                self._sealed = f"{self._opened}, agrees with the fields above"
                self._learned(row)
        self._show()

    @work(exclusive=True, group="check")
    async def _read_check(self) -> None:
        checks = await asyncio.to_thread(self._services.store.checks.read)
        self._show_check(checks.get(self._row.id))

    @work(exclusive=True, group="check")
    async def action_check(self) -> None:
        """Check this credential at Stripe."""
        self._checked = "asking Stripe…"
        self._show()
        checking = self._services.upkeep().check([self._row.id])
        result = None
        try:
            async with aclosing(checking) as results:
                async for _, result in results:
                    self._show_check(result)
        except Problem as problem:
            self.notify(str(problem), severity="error", markup=False)
            self._show_check(result)
        self._open_sealed_part()  # its tokens may have been renewed

    def _show_check(self, result: CheckResult | None) -> None:
        self._check = result
        if result is None:
            self._checked = "never checked"
        else:
            told = result.told_with(AUTHORIZE_AGAIN)
            told = f". {told}" if told else ""
            self._checked = f"{result.label}, {local(result.at)}{told}"
        self._show()
        self.refresh_bindings()

    @work
    async def action_rename(self) -> None:
        """Give this credential another name."""
        if is_authenticated(self._row):
            question = Rename(self._services, self._row, self._is_taken)
            if renamed := await self.app.push_screen_wait(question):
                self._row = renamed
                self._learned(renamed)
                self._title_bar.place = "Credentials", renamed.name
                self._show()

    @work(exclusive=True, group="dashboard")
    async def _find_dashboard(self) -> None:
        if isinstance(self._row, Credential):
            url = await asyncio.to_thread(self._services.dashboard_url, self._row)
            if url is not None:
                self._dashboard = url
                self._show()
                self.refresh_bindings()

    @work(exclusive=True, group="dashboard")
    async def action_open_dashboard(self) -> None:
        """Open the account in Stripe's Dashboard; its address is on the page in any case."""
        if self._dashboard is None:
            return
        try:
            await self._services.open_browser(self._dashboard)
        except BrowserDidNotOpen as problem:
            self.notify(str(problem), severity="warning", markup=False)

    def action_delete(self) -> None:
        """Close, and have the list delete the credential."""
        self.dismiss(Leaving.DELETE)

    def action_reauthorize(self) -> None:
        """Close, and have the list authorize the credential again."""
        self.dismiss(Leaving.REAUTHORIZE)

    @work(exclusive=True, group="copy")
    async def action_copy_id(self) -> None:
        """Send the Credential ID to the terminal's clipboard."""
        said = await send_id(self.app, self._services.ways, self._row)
        self.notify(said, markup=False)

    @work(exclusive=True, group="copy")
    async def action_copy_integration(self) -> None:
        """Send the integration fields, as JSON."""
        if is_authenticated(self._row):
            said = await send_fields(self.app, self._services.ways, self._row)
            self.notify(said, markup=False)
