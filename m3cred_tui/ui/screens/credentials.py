"""The Credentials page: Integrations › Credentials."""

# ruff: noqa: PLC0415  This page is the first paint, which does not wait for other imports.

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import aclosing
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from m3cred_tui.listing.columns import (
    COLUMNS,
    CREATED,
    NAME,
    clock_time,
    has_ended,
    is_authenticated,
    is_pending,
    waits_until,
)
from m3cred_tui.listing.listing import SCREENFUL, STEP, Listing, Reading
from m3cred_tui.model.check import Outcome
from m3cred_tui.model.credential import Credential
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.screens.page import Page
from m3cred_tui.ui.widgets.bars import noticing
from m3cred_tui.ui.widgets.controls import AUTHORIZE_AGAIN, Press, SetUpOffer
from m3cred_tui.ui.widgets.credential_list import CredentialList, FilterLine, SideBySide

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer
    from textual.widget import Widget

    from m3cred_tui.listing.columns import Column, Row
    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.model.credential import Draft
    from m3cred_tui.ui.screens.details import Leaving
    from m3cred_tui.ui.services import Services

_EMPTY = (
    "There are no credentials yet.\n\n"
    "An Integration Credential lets m3ter send your Bills to Stripe.\n"
    "Press Enter to create the first one."
)
_FIELDS = "Send the fields for an Integration Configuration"
_NEXT = (
    "Next: choose it in the Integration Configuration in m3ter; i sends the fields to the "
    "clipboard."
)
_NOTHING_FOUND = "No credential matches the filter. Press Esc to see all."
_SUPPORT = (
    "Support portal: [link='https://support.m3ter.com/']https://support.m3ter.com/[/link]"
)
_NEXT_SECONDS = 120
_FIRST = 256  # more than a screenful; the others are sorted after the first paint
_WITH_PANE = 120  # columns
_LITTLE = 0.002  # seconds; a frame has 0.016


class CreateButton(Press, inherit_css=False):
    """A compact button with few of Textual's styles: parsing all of them takes 5 ms."""


class CredentialsPage(Page[None]):
    """The credentials in the store, filtered and sorted; everything else starts here."""

    WATCH_EVERY: ClassVar[float] = 1.0
    """Seconds until the changes of another process are noticed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "check", "Check", show=False, tooltip="Check this one at Stripe"),
        Binding(
            "V",
            "check_all",
            "Check all",
            show=False,
            tooltip="Check all listed that are created",
        ),
        Binding("escape", "stop_checking", "Stop"),
        Binding("a", "renew_ended", "Authorize again"),
        Binding("c", "create", "Create", tooltip="Create Integration Credential"),
        Binding("slash", "filter", "Filter", key_display="/", tooltip="Filter the list"),
        Binding("y", "copy_id", "Copy", tooltip="Send the Credential ID to the clipboard"),
        Binding(
            "a",
            "reauthorize",
            "Authorize again",
            show=False,
            tooltip="Authorize the selected credential again",
        ),
        Binding("d", "delete", "Delete", tooltip="Delete the selected credential"),
        Binding("i", "copy_integration", "JSON", show=False, tooltip=_FIELDS),
        Binding("n", "rename", "Rename", tooltip="Give the selected credential another name"),
        Binding("s", "sort", "Sort", show=False, tooltip="Sort the list by the next column"),
        Binding("f5", "look_again", "Read again", show=False, tooltip="Read the list again"),
        Binding("S", "reverse", "Reverse", show=False, tooltip="Reverse the order of the list"),
        Binding("space", "mark", "Mark", tooltip="Mark this one, to check or delete several"),
        Binding("escape", "clear_filter", "Show all"),
        Binding("escape", "unmark", "Unmark"),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, services: Services) -> None:
        super().__init__("Credentials", demo=services.demo)
        self._title_bar.team = services.store.team
        self._services = services
        self._listing = Listing(services.store.glance)
        self._reading = Reading(services.store, self._listing)
        self._watching: Timer | None = None
        self._is_sorting = False
        """Whether the rows take the order of the last start, and the first one the cursor."""
        self._trouble = ""
        """Why the store cannot be read."""
        self._aside: set[str] = set()
        """The approvals that are only on this machine, and that the user was told of."""
        try:
            newest = services.store.newest(_FIRST)
            if newest.total <= SCREENFUL:
                self._sort_as_before()
            self._listing.begin(*newest)
        except Problem as problem:
            self._trouble = str(problem)

    def compose_body(self) -> ComposeResult:
        yield CreateButton("Create Integration Credential", id="create", compact=True)
        with SideBySide():
            credentials = CredentialList(self._listing, self._services.now)
            yield credentials
            if self.app.size.width >= _WITH_PANE:
                yield self._pane(credentials)
        yield Static(id="message")
        yield Static(_SUPPORT, id="support")

    def _pane(self, credentials: CredentialList) -> Widget:
        from m3cred_tui.ui.widgets.pane import DetailsPane

        return DetailsPane(credentials, self._services.now)

    def on_resize(self, event: events.Resize) -> None:
        """Show the details beside the list where there is room for them."""
        is_wide = event.size.width >= _WITH_PANE
        panes = self.query("DetailsPane")
        for pane in panes:
            pane.display = is_wide
        if is_wide and not panes:
            self.query_one(SideBySide).mount(self._pane(self._list))

    def on_mount(self) -> None:
        self._show(selected=None)
        self._focus_next()
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        """Do what the first paint does not need, even behind a page that is open by now."""
        self._sort_as_before()
        self._is_sorting = self._listing.is_arranged
        self._look()
        self._watching = self.set_interval(self.WATCH_EVERY, self._glance)
        self._offer_set_up()
        await self._report_unfinished()

    def on_screen_suspend(self) -> None:
        """Pause: activity on a covered page makes Textual repaint the one on top."""
        if self._watching is not None:
            self._watching.pause()

    async def on_screen_resume(self) -> None:
        """Show what changed while another page was on top."""
        if self._watching is not None:
            self._watching.resume()
            self._show_again()
            self._glance()
            if self._pending():
                await self._expire()

    @property
    def _list(self) -> CredentialList:
        return self.query_one(CredentialList)

    @property
    def _is_seen(self) -> bool:
        # When the app ends, the page is still on top after its list was removed.
        return self.is_active and bool(self.query(CredentialList))

    def _glance(self) -> None:
        """Read what may have changed, unless another page is on top."""
        if self._is_seen:
            self._look()

    def _look(self) -> None:
        if not self.has_worker("read") and self._reading.is_due():
            self._read()
        stamp = self._services.store.checks.stamp()
        if stamp != self._listing.checks.stamp:
            self._listing.checks.stamp = stamp
            self._read_checks()

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        """Read what the filter, the order and the check of names need."""
        trouble = ""
        try:
            async for left in self._reading.catch_up():
                self._show_read(left)
        except Problem as problem:
            trouble = str(problem)
        if trouble != self._trouble:
            self._trouble = trouble
            self._show_read(left=0)
        if self._services.store.team and self._is_seen:
            from m3cred_tui.ui.screens import team

            if not self.has_worker("check"):
                self._count()  # what was known before is confirmed, or no longer
            for text in team.aside(self._services.store, self._aside):
                self.notify(text, markup=False)

    def _show_read(self, left: int) -> None:
        if not self._is_seen:  # nothing is drawn behind a dialog
            return
        is_at_top = self._is_sorting and self._list.cursor == 0
        self._show(None if is_at_top else self._list.selected)
        self._is_sorting = self._is_sorting and bool(left)
        total = self._listing.total
        if left and total >= STEP:  # fewer are read before anybody could read this
            self._title_bar.note = f"reading {total - left:,} of {total:,}"

    @work(exclusive=True, group="checks")
    async def _read_checks(self) -> None:
        """Read the results of the last checks, including those of other processes."""
        checks = await asyncio.to_thread(self._services.store.checks.read)
        if self._listing.take_checks(checks):
            self._show_checks()
        elif checks and self._is_seen:
            self._list.redraw()

    def _show_checks(self) -> None:
        """Find and sort the rows by the status that they have now."""
        if self._listing.is_arranged:
            self._listing.put_in_order()
        if self._is_seen:
            self._show_again()
            self._list.redraw()

    def _show_again(self) -> None:
        self._show(self._list.selected)

    def _show(self, selected: str | None) -> None:
        """Show the current listing, with the cursor on ``selected`` or the first row."""
        self._listing.arrange()
        self._show_found(selected)
        self._count()
        noticing(self.app).forget_notices(self._has_changed)

    def _has_changed(self, row: Row) -> bool:
        now = self._listing.row(row.id)
        return now is None or (is_pending(now), NAME.of(now)) != (is_pending(row), NAME.of(row))

    def _show_found(self, selected: str | None, *, more: bool = False) -> None:
        some = bool(self._listing.shown)
        if not some and self.focused is self._list:
            self.query_one("#create").focus()
        self._list.display = self.query_one(SideBySide).display = some
        self._list.show(self._listing, selected, more=more)
        nothing = "" if some else _NOTHING_FOUND if self._listing.total else _EMPTY
        text = self._trouble or nothing
        message = self.query_one("#message", Static)
        if text != str(message.content):
            message.update(Content(text))
        message.display = bool(text)
        self.query_one("#support").set_class(not some, "-below")
        self._offer_set_up()
        self.refresh_bindings()

    @on(SetUpOffer.Returned)
    def _offer_set_up(self) -> None:
        """Say on the empty page what is not set up; the first paint does not wait for it."""
        if self._watching is None:
            return
        is_empty = not (self._listing.total or self._trouble)
        obstacles = self._services.obstacles() if is_empty else {}
        if not self.query(SetUpOffer) and obstacles:
            self.mount(SetUpOffer(obstacles), after="#message")
        for offer in self.query(SetUpOffer):
            had_focus = offer.has_focus_within
            offer.show(obstacles)
            if had_focus and not obstacles:
                self._focus_next()

    def _count(self) -> None:
        total, shown = self._listing.total, len(self._listing.shown)
        counted = f"{total:,} credential{'' if total == 1 else 's'}" if total else ""
        if self._listing.filter:
            counted = f"{shown:,} of {counted}"
        if common := self._listing.common():
            counted += f": {', '.join(common)}"
        if marked := self._listing.marked:
            counted = f"{len(marked):,} marked, {counted}"
        if self._services.store.team:
            from m3cred_tui.ui.screens import team

            counted = team.counted(counted, self._services)
        self._title_bar.note = counted

    def _focus_next(self) -> None:
        """Focus the list or, if it is empty, the button."""
        (self._list if self._listing.shown else self.query_one("#create")).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only the keys that do something now."""
        del parameters
        offered: bool = True
        match action:
            case "stop_checking":
                offered = self.has_worker("check")
            case "clear_filter":
                offered = bool(self.query(Input)) and not self.has_worker("check")
            case "unmark":
                is_free = not (self.query(Input) or self.has_worker("check"))
                offered = bool(self._listing.marked) and is_free
            case "mark":
                offered = self.is_mounted and self.focused is self._list
            case "check_all":
                offered = bool(self._listing.shown)
            case "filter" | "sort" | "reverse":
                offered = bool(self._listing.total)
            case "copy_integration" | "rename" | "reauthorize" | "renew_ended":
                row, has_to = self._selected_row, action == "renew_ended"
                offered = is_authenticated(row) and not (has_to and not self._has_ended(row))
            case "check" if not self._listing.marked:
                offered = isinstance(self._selected_row, Credential)
            case "copy_id" | "delete":
                offered = self.is_mounted and self._list.selected is not None
        return offered

    def action_look_again(self) -> None:
        """Read the list again now; a team's is read every few seconds."""
        self._reading.look_again()
        self._look()

    def action_sort(self) -> None:
        """Sort by the next column that is shown; first of all by the time of creation."""
        columns = [column for column, _ in self._list.columns if column is not CREATED]
        columns.insert(0, CREATED)
        here = columns.index(self._listing.order) if self._listing.order in columns else 0
        self._sort(columns[(here + 1) % len(columns)])

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._sort(self._listing.order, is_reversed=not self._listing.is_reversed)

    @on(CredentialList.HeadingPressed)
    def _sort_by(self, message: CredentialList.HeadingPressed) -> None:
        """Sort by the column that was clicked; a second click reverses."""
        again = message.column is self._listing.order
        self._sort(message.column, is_reversed=again and not self._listing.is_reversed)

    def _sort(self, column: Column, *, is_reversed: bool = False) -> None:
        self._listing.sort(column, is_reversed=is_reversed)
        self._show_again()
        view = self._services.view
        view.order, view.is_reversed = column.heading, is_reversed

    def _sort_as_before(self) -> None:
        """Sort as at the last start; by columns of texts that are not read yet, later."""
        listing, view = self._listing, self._services.view
        known = {column.heading: column for column in COLUMNS}
        listing.order = known.get(view.order, CREATED)
        listing.is_reversed = view.is_reversed

    async def action_filter(self) -> None:
        """Show the filter line."""
        if not self.query(Input):
            if self.has_worker("read"):
                self._listing.put_in_order()  # the filter finds only rows in order
            line = FilterLine("Filter by any word of a row", id="filter", compact=True)
            await self.mount(line, after="#create")
            # Its message would arrive after the letter is painted, and the rows a frame later.
            self.watch(line, "value", self._filter, init=False)
        self.query_one(Input).focus()

    def _filter(self, text: str) -> None:
        """Show the first screenful of matches immediately, and find the others after that."""
        self._listing.filter = text
        began = time.perf_counter()
        search = self._listing.search()
        for _slice in search:
            enough = len(self._listing.shown) >= self.size.height
            if enough and time.perf_counter() - began > _LITTLE:
                self._show_found(selected=None, more=True)
                self.call_after_refresh(self._search_on, search)
                return
        self._show_found(selected=None)
        self._count()

    @work(exclusive=True, group="search")
    async def _search_on(self, search: Iterator[None]) -> None:
        began = time.perf_counter()
        for _slice in search:
            if time.perf_counter() - began > _LITTLE:
                await asyncio.sleep(_LITTLE)  # so that keys are handled
                began = time.perf_counter()
        self._show_found(self._list.selected)
        self._count()

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

    def action_mark(self) -> None:
        """Mark the selected credential, or not."""
        self._list.toggle_mark()
        self._count()
        self.refresh_bindings()

    def action_unmark(self) -> None:
        """Remove all marks."""
        self._listing.marks.clear()
        self._list.redraw()
        self._count()
        self.refresh_bindings()

    def action_check(self) -> None:
        """Check the marked credentials at Stripe, or else the selected one."""
        if marked := self._listing.marked:
            self._check(marked)
            return
        if (credential_id := self._list.selected) is None:
            return
        row = self._listing.row(credential_id)
        if isinstance(row, Credential) and not is_authenticated(row):
            text = f"“{row.name}” is pending: there is nothing to check until it is created."
            self.notify(text, markup=False)
        else:
            self._check([credential_id])

    def action_check_all(self) -> None:
        """Check all listed credentials except pending ones."""
        self._check(list(self._listing.shown))

    @work(exclusive=True, group="check")
    async def _check(self, credential_ids: Sequence[str]) -> None:
        """Check these at Stripe, instead of any that are being checked."""
        results: dict[str, CheckResult] = {}
        told, failed = list[str](), False
        self.call_after_refresh(self.refresh_bindings)
        self._show_checked(0, len(credential_ids))
        try:
            pending = {*await asyncio.to_thread(self._services.store.pending_ids)}
            credential_ids = [one for one in credential_ids if one not in pending]
            if not credential_ids:
                told = ["There are no credentials to check: all of them are pending."]
            checks = self._services.upkeep().check(credential_ids)
            async with aclosing(checks):
                async for credential_id, result in checks:
                    results[credential_id] = result
                    self._listing.take_checks({credential_id: result})
                    self._show_checked(len(results), len(credential_ids))
        except Problem as problem:
            told, failed = [str(problem)], True
        self._end_checking()
        if results:
            first = self._listing.row(next(iter(results)))
            told.append(_summary(results, getattr(first, "name", "")))
        if told:
            self.notify(
                " ".join(told),
                severity="error" if failed else "information",
                markup=False,
            )

    def _show_checked(self, done: int, total: int) -> None:
        if self._is_seen:
            self._list.redraw()
            self._title_bar.note = f"checking {done:,} of {total:,}"

    def _end_checking(self) -> None:
        self._show_checks()
        self._count()
        self.call_after_refresh(self.refresh_bindings)

    def action_stop_checking(self) -> None:
        """Stop checking; the results so far are kept."""
        self.workers.cancel_group(self, "check")
        self._end_checking()

    @property
    def _selected_row(self) -> Row | None:
        selected = self._list.selected if self.is_mounted else None
        return None if selected is None else self._listing.row(selected)

    @work
    async def action_rename(self) -> None:
        """Give the selected credential another name."""
        from m3cred_tui.ui.screens.renaming import Rename

        if is_authenticated(row := self._selected_row):
            question = Rename(self._services, row, self._listing.is_taken)
            if renamed := await self.app.push_screen_wait(question):
                self._listing.learn(renamed)
                self._show(selected=renamed.id)

    def _has_ended(self, row: Row) -> bool:
        return has_ended(row, self._listing.checks.of(row.id), self._services.now())

    def action_renew_ended(self) -> None:
        """Authorize the selected credential again, which cannot be used otherwise."""
        self.action_reauthorize()

    def action_reauthorize(self) -> None:
        """Authorize the selected credential again, or resume that."""
        if is_authenticated(row := self._selected_row):
            self._reauthorize(row)

    def _reauthorize(self, credential: Credential) -> None:
        from m3cred_tui.authorize.renewal import draft_to_renew

        renewals = (row for row in self._pending() if row.renews == credential.id)
        self._open_create(next(filter(is_pending, renewals), draft_to_renew(credential)))

    def action_delete(self) -> None:
        """Delete the marked credentials, or else the selected one."""
        if marked := self._listing.marked:
            self._delete(marked)
        elif (credential_id := self._list.selected) is not None:
            self._delete([credential_id])

    @work
    async def _delete(self, credential_ids: Sequence[str]) -> None:
        from m3cred_tui.ui.screens.deletion import delete

        rows = [row for row in map(self._listing.row, credential_ids) if row is not None]
        if not rows:
            self._glance()
        elif deleted := await delete(self.app, self._services, rows):
            for credential_id in deleted:
                self._listing.drop(credential_id)
            self._show_again()

    @on(Button.Pressed, "#create")
    def action_create(self) -> None:
        """Open Create Integration Credential."""
        self._open_create()

    def _open_create(self, begun: Draft | Credential | None = None) -> None:
        from m3cred_tui.ui.screens.create import CreatePage

        page = CreatePage(self._services, self._listing.is_taken, begun)
        self.app.push_screen(page, self._after_create)

    def _after_create(self, credential_id: str | None) -> None:
        if credential_id is not None:
            self._close_filter()
            self._listing.add(credential_id)
            with self.app.batch_update():
                self._show(selected=credential_id)
                self._focus_next()
            row = self._listing.row(credential_id)
            if is_authenticated(row) and row.approval:
                self._check([credential_id])  # the last check was of its old tokens
            elif is_authenticated(row):
                noticing(self.app).notify(
                    f"“{row.name}” is created. {_NEXT}",
                    timeout=_NEXT_SECONDS,
                    markup=False,
                    about=[row],
                )

    @on(CredentialList.Opened)
    def _open(self, message: CredentialList.Opened) -> None:
        row = self._listing.row(message.credential_id)
        if row is None:
            self._glance()
        elif is_pending(row):
            # One of them says to press Enter.
            noticing(self.app).forget_notices(lambda one: one.id == row.id)
            self._open_create(row)
        else:
            self._open_details(row)

    def _open_details(self, row: Row) -> None:
        from m3cred_tui.ui.screens.details import DetailsPage

        page = DetailsPage(self._services, row, self._listing.learn, self._listing.is_taken)
        self.app.push_screen(page, partial(self._after_details, row.id))

    def _after_details(self, credential_id: str, leaving: Leaving | None) -> None:
        from m3cred_tui.ui.screens.details import Leaving

        row = self._listing.row(credential_id)
        if leaving is Leaving.DELETE:
            self._delete([credential_id])
        elif leaving is Leaving.REAUTHORIZE and is_authenticated(row):
            self._reauthorize(row)

    @on(CredentialList.LeftUpwards)
    def _to_button(self) -> None:
        self.query_one("#create").focus()

    @work(exclusive=True, group="copy")
    async def action_copy_id(self) -> None:
        """Send the selected Credential ID to the terminal's clipboard."""
        from m3cred_tui.ui.terminal.outside import send_to_clipboard

        if (credential_id := self._list.selected) is not None:
            ways = self._services.ways
            said = await send_to_clipboard(self.app, ways, credential_id, what="Credential ID")
            self.notify(said, markup=False)

    @work(exclusive=True, group="copy")
    async def action_copy_integration(self) -> None:
        """Send the fields of the selected credential for an Integration Configuration."""
        from m3cred_tui.ui.terminal.outside import send_fields

        if is_authenticated(row := self._selected_row):
            said = await send_fields(self.app, self._services.ways, row)
            self.notify(said, markup=False)

    async def _report_unfinished(self) -> None:
        """Remove expired requests, then report what is unfinished."""
        from m3cred_tui.ui.screens.deletion import report_unfinished

        await self._expire()
        if pending := [one for one in self._pending() if is_pending(one)]:
            if self._listing.is_arranged:
                self._is_sorting = False
                self._show(selected=pending[0].id)  # elsewhere than in the first row
            text = f"{_offer(pending, self._services.now())} Press Enter to continue."
            noticing(self.app).notify(text, markup=False, about=pending)
        await report_unfinished(self.app, self._services, self._listing.row)

    def _pending(self) -> list[Credential]:
        """Return what is not created yet, whose rows come first."""
        rows = map(self._listing.row, self._listing.ids)
        first = takewhile(lambda row: not is_authenticated(row), rows)
        return [row for row in first if isinstance(row, Credential)]

    async def _expire(self) -> None:
        """Remove expired requests and report each; run again when the next one expires."""
        now = self._services.now()
        pending = self._pending()
        ends = [end for one in pending if (end := waits_until(one))]
        try:
            # One whose code was sent may have been approved, by a process that was killed.
            if any(end <= now for end in ends) or not all(map(is_pending, pending)):
                gone = await asyncio.to_thread(self._services.store.requests.expire, now)
                for one in gone:
                    self._listing.drop(one.id)
                    then = "stays as it was" if one.renews else "is removed"
                    text = f"“{one.name}” was not approved in ten minutes and {then}."
                    self.notify(text, markup=False)
                self._show_again()
        except Problem as problem:
            self.notify(str(problem), severity="error", markup=False)
        later = [(end - now).total_seconds() for end in ends if end > now]
        if later:
            self.set_timer(min(later) + 1, self._expire)


def _offer(pending: list[Credential], now: datetime) -> str:
    name = f"“{pending[0].name}”"
    if len(pending) > 1:
        return f"{len(pending)} credentials are not created yet."
    renews = pending[0].renews
    if end := waits_until(pending[0]):
        again = ", to be authorized again" if renews else ""
        return f"{name} waits for Stripe until {clock_time(end, now)}{again}."
    not_yet = " again, not confirmed" if renews else ", not created"
    return f"Stripe has approved {name}{not_yet} yet."


def _summary(results: dict[str, CheckResult], name: str) -> str:
    if len(results) == 1:
        [result] = results.values()
        return f"“{name}”: {result.told_with(AUTHORIZE_AGAIN) or result.label}"
    is_revoked = any(result.outcome is Outcome.REVOKED for result in results.values())
    counted = Counter(result.label for result in results.values())
    found = ", ".join(f"{count:,} {label}" for label, count in counted.most_common())
    offer = ". Press a on a revoked one to authorize it again." if is_revoked else ""
    return f"Checked {len(results):,}: {found}{offer}"
