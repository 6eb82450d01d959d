"""A page with the list of credentials, which keeps up with the store."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.content import Content
from textual.widgets import Input, Static

from m3cred_tui.listing.listing import SORTABLE, Listing
from m3cred_tui.listing.reading import STEP, Watch, catch_up
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.screens.page import Page
from m3cred_tui.ui.widgets.credential_list import CredentialList
from m3cred_tui.ui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.timer import Timer
    from textual.worker import Worker

    from m3cred_tui.ui.services import Services

_EMPTY = (
    "There are no credentials yet.\n\n"
    "An Integration Credential lets m3ter send your Bills to Stripe.\n"
    "Press Enter to create the first one."
)
_NOTHING_FOUND = "No credential matches the filter. Press Esc to see all."
_FIRST = 256  # more than a screenful; the others are sorted after the first paint
_LITTLE = 0.002  # seconds; a frame has 0.016


class ListPage(Page[None]):
    """Shows what the store holds now, as filtered and sorted by the user.

    Who inherits composes a ``TitleBar``, a ``CredentialList`` of ``self._listing``, a Static
    ``#message`` and, above the list, the button ``#create``.
    """

    WATCH_EVERY: ClassVar[float] = 1.0
    """Seconds after which another process's changes are seen at the latest."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._listing = Listing(services.store.read)
        self._watch = Watch(services.store.stamp)
        self._reading: Worker[None] | None = None
        self._watching: Timer | None = None
        self._trouble = ""
        try:
            self._listing.begin(*services.store.newest(_FIRST))
        except Problem as problem:
            self._trouble = str(problem)

    def on_mount(self) -> None:
        self._show(selected=None)
        self._focus_next()
        self.call_after_refresh(self._begin_to_watch)

    def on_screen_suspend(self) -> None:
        """Look no more: whatever wakes a page below has Textual paint the one on top anew."""
        if self._watching is not None:
            self._watching.pause()

    def on_screen_resume(self) -> None:
        """Show what was found, and what has changed, while another page was on top."""
        if self._watching is not None:
            self._watching.resume()
        if self._reading is not None:
            self._show_again()
            self._glance()

    @property
    def _list(self) -> CredentialList:
        return self.query_one(CredentialList)

    @property
    def _is_seen(self) -> bool:
        # At the end of the app the page is still on top when its list has gone.
        return self.is_active and bool(self.query(CredentialList))

    def _begin_to_watch(self) -> None:
        self._reading = self._catch_up()
        self._watching = self.set_interval(self.WATCH_EVERY, self._glance)

    def _glance(self) -> None:
        """Look at the store again if it may have changed; writes nothing where it has not."""
        if self._is_seen and not self._is_reading and self._watch.is_due():
            self._reading = self._catch_up()

    @property
    def _is_reading(self) -> bool:
        return self._reading is not None and not self._reading.is_finished

    @work(exclusive=True, group="read")
    async def _catch_up(self) -> None:
        """Read, after the first paint, what filter, order and names need."""
        trouble = ""
        try:
            async for left in catch_up(self._services.store, self._listing, self._watch):
                if self._is_seen:  # nothing is written under a question
                    self._show_again()
                    self._tell_progress(left)
        except Problem as problem:
            trouble = str(problem)
            self._watch.failed()
        if trouble != self._trouble:
            self._trouble = trouble
            if self._is_seen:
                self._show_again()

    def _tell_progress(self, left: int) -> None:
        total = self._listing.total
        if left and total >= STEP:  # below, reading is over before this could be read
            self.query_one(TitleBar).note = f"reading {total - left:,} of {total:,}"

    def _show_again(self) -> None:
        self._show(self._list.selected)

    def _show(self, selected: str | None) -> None:
        """Show the listing as it is now, with the cursor on ``selected`` or the first."""
        self._listing.arrange()
        self._show_found(selected)
        self._count()

    def _show_found(self, selected: str | None, *, more: bool = False) -> None:
        some = bool(self._listing.shown)
        if not some and self.focused is self._list:
            self.query_one("#create").focus()
        self._list.display = some
        self._list.show(self._listing, selected, more=more)
        nothing = "" if some else _NOTHING_FOUND if self._listing.total else _EMPTY
        text = self._trouble or nothing
        message = self.query_one("#message", Static)
        if text != str(message.content):
            message.update(Content(text))
        message.display = bool(text)
        self.refresh_bindings()

    def _count(self) -> None:
        total, shown = self._listing.total, len(self._listing.shown)
        counted = f"{total:,} credential{'' if total == 1 else 's'}" if total else ""
        if self._listing.filter:
            counted = f"{shown:,} of {counted}"
        self.query_one(TitleBar).note = counted

    def _focus_next(self) -> None:
        """Put the focus on the next thing to do."""
        (self._list if self._listing.shown else self.query_one("#create")).focus()

    def action_sort(self) -> None:
        """Sort by the next column."""
        order = SORTABLE.index(self._listing.order) + 1
        self._listing.order = SORTABLE[order % len(SORTABLE)]
        self._listing.put_in_order()
        self._show_again()

    async def action_filter(self) -> None:
        """Show the filter line."""
        from m3cred_tui.ui.widgets.filter_line import Line

        if not self.query(Input):
            if self._is_reading:
                self._listing.put_in_order()  # some that were read may not be found yet
            line = Line("Filter by any word of a row", id="filter", compact=True)
            await self.mount(line, after="#create")
            # Not by its message: the letter would be painted first, the rows a frame later.
            self.watch(line, "value", self._filter, init=False)
        self.query_one(Input).focus()

    def _filter(self, text: str) -> None:
        """Show a screenful of what is found; of very many, the others are found after it."""
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
                await asyncio.sleep(_LITTLE)  # in which a key is answered
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
