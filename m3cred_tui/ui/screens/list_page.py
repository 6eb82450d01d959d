"""The list on the Credentials page: read, shown, filtered, sorted and marked."""

# ruff: noqa: PLC0415  This page is the first paint, which does not wait for other imports.

from __future__ import annotations

import asyncio
import time
from itertools import takewhile
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.content import Content
from textual.widgets import Input, Static

from m3cred_tui.listing.columns import (
    COLUMNS,
    CREATED,
    NAME,
    is_authenticated,
    is_pending,
    waits_until,
)
from m3cred_tui.listing.listing import SCREENFUL, STEP, Listing, Reading
from m3cred_tui.model.credential import Credential
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.screens.page import Page
from m3cred_tui.ui.terminal.driver import written
from m3cred_tui.ui.widgets.bars import noticing
from m3cred_tui.ui.widgets.controls import Press
from m3cred_tui.ui.widgets.credential_list import CredentialList, SideBySide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer
    from textual.widget import Widget

    from m3cred_tui.listing.columns import Column, Row
    from m3cred_tui.ui.services import Services
    from m3cred_tui.ui.widgets.forms import SetUpOffer

_EMPTY = (
    "There are no credentials yet.\n\n"
    "An Integration Credential lets m3ter send your Bills to Stripe.\n"
    "Press Enter to create the first one."
)
_NOTHING_FOUND = "No credential matches the filter. Press Esc to see all."
_SUPPORT = (
    "Support portal: [link='https://support.m3ter.com/']https://support.m3ter.com/[/link]"
)
_FIRST = 256  # more than a screenful; the others are sorted after the first paint
_WITH_PANE = 120  # columns
_LITTLE = 0.002  # seconds; a frame has 0.016


class CreateButton(Press, inherit_css=False):
    """A compact button with few of Textual's styles: parsing all of them takes 5 ms."""


class ListPage(Page[None]):
    """The credentials in the store, and what changes how they are shown."""

    WATCH_EVERY: ClassVar[float] = 1.0
    """Seconds until the changes of another process are noticed."""

    def __init__(self, services: Services) -> None:
        super().__init__("Credentials", demo=services.demo)
        self._title_bar.team = services.store.team
        self._services = services
        self._listing = Listing(services.store.glance)
        self._list = CredentialList(self._listing, services.now)
        self._pane: Widget | None = None
        self._reading = Reading(services.store, self._listing)
        self._watching: Timer | None = None
        self._filter_line: Input | None = None
        self._offer: SetUpOffer | None = None
        self._before_filter: str | None = None
        """The credential that the cursor was on when the filter was opened."""
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
            yield self._list
            if self.app.size.width >= _WITH_PANE:
                yield self._new_pane()
        yield Static(id="message")
        yield Static(_SUPPORT, id="support")

    def _new_pane(self) -> Widget:
        from m3cred_tui.ui.widgets.pane import DetailsPane

        self._pane = DetailsPane(self._list, self._services.now)
        return self._pane

    def on_resize(self, event: events.Resize) -> None:
        """Show the details beside the list where there is room for them."""
        is_wide = event.size.width >= _WITH_PANE
        if self._pane is not None:
            self._pane.display = is_wide
        elif is_wide:
            self.query_one(SideBySide).mount(self._new_pane())

    def on_mount(self) -> None:
        self._show(selected=None)
        self._focus_next()
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        """Do what the first paint does not need, even behind a page that is open by now."""
        await written(self.app)  # the threads that read would keep the one that writes waiting
        self._sort_as_before()
        self._is_sorting = self._listing.is_arranged
        self._look()
        self._watching = self.set_interval(self.WATCH_EVERY, self._glance)
        self._offer_set_up()

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
    def _has_list(self) -> bool:
        # When the app ends, the page is still on top after its list was removed.
        return self._list.is_attached

    @property
    def _is_seen(self) -> bool:
        return self.is_active and self._has_list

    @property
    def _has_filter(self) -> bool:
        return self._filter_line is not None

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
            for one, text in team.aside(self._services.store, self._aside):
                self._listing.add(one)  # the list that has it cannot be read
                self._show_again()
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
        if self._has_list:
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

    def on_set_up_offer_returned(self) -> None:
        """Look again at what is set up."""
        self._offer_set_up()

    def _offer_set_up(self) -> None:
        """Say on the empty page what is not set up; the first paint does not wait for it."""
        if self._watching is None:
            return
        is_empty = not (self._listing.total or self._trouble)
        obstacles = self._services.obstacles() if is_empty else {}
        if self._offer is not None:
            had_focus = self._offer.has_focus_within
            self._offer.show(obstacles)
            if had_focus and not obstacles:
                self._focus_next()
        elif obstacles:
            from m3cred_tui.ui.widgets.forms import SetUpOffer

            self._offer = SetUpOffer(obstacles)
            self.mount(self._offer, after="#message")

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
            from m3cred_tui.ui.widgets.forms import FilterLine

            self._before_filter = self._list.selected
            if self.has_worker("read") or self._listing.is_behind:
                self._listing.put_in_order()  # the filter finds only rows in order
            line = FilterLine("Filter by any word of a row", id="filter", compact=True)
            self._filter_line = line
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
                self._show_found(self._first_found, more=True)
                self.call_after_refresh(self._search_on, search)
                return
        self._show_found(self._first_found)
        self._count()

    @property
    def _first_found(self) -> str | None:
        """The row for the cursor: the first match, or the one before the filter."""
        return None if self._listing.words else self._before_filter

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
        """Show every credential again, with the cursor where it is, or was before."""
        selected = self._list.selected or self._before_filter
        self._close_filter()
        self._show(selected)
        self._focus_next()

    def _close_filter(self) -> None:
        self.query(Input).remove()
        self._filter_line = None
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

    @property
    def _selected_row(self) -> Row | None:
        selected = self._list.selected if self._has_list else None
        return None if selected is None else self._listing.row(selected)

    @on(CredentialList.LeftUpwards)
    def _to_button(self) -> None:
        self.query_one("#create").focus()

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
