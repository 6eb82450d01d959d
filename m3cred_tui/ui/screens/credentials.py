"""Integrations › Credentials: the keys of the page, and what they do to a credential."""

# ruff: noqa: PLC0415  This page is the first paint, which does not wait for other imports.

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widgets import Button

from m3cred_tui.listing.columns import (
    clock_time,
    has_ended,
    is_authenticated,
    is_pending,
    waits_until,
)
from m3cred_tui.model.check import Outcome
from m3cred_tui.model.credential import Credential
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.screens.list_page import ListPage
from m3cred_tui.ui.widgets.bars import noticing
from m3cred_tui.ui.widgets.controls import AUTHORIZE_AGAIN, COPY_FIELDS
from m3cred_tui.ui.widgets.credential_list import CredentialList

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from m3cred_tui.listing.columns import Row
    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.model.credential import Draft
    from m3cred_tui.ui.screens.details import Leaving

_NEXT = (
    "Next: choose it in the Integration Configuration in m3ter; i sends its integration fields "
    "to the clipboard."
)
_NEXT_SECONDS = 120


class CredentialsPage(ListPage):
    """The list of credentials, and what is done to them; everything else starts here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "check_marked", "Check", tooltip="Check the marked ones at Stripe"),
        Binding("v", "check", "Check", show=False, tooltip="Check this one at Stripe"),
        Binding(
            "V",
            "check_all",
            "Check all",
            show=False,
            tooltip="Check all listed but pending ones",
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
        Binding("i", "copy_integration", "Fields", show=False, tooltip=COPY_FIELDS),
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

    async def _begin(self) -> None:
        await super()._begin()
        await self._report_unfinished()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only the keys that do something now."""
        del parameters
        offered: bool = True
        match action:
            case "stop_checking":
                offered = self.has_worker("check")
            case "clear_filter":
                offered = self._has_filter and not self.has_worker("check")
            case "unmark":
                is_free = not (self._has_filter or self.has_worker("check"))
                offered = bool(self._listing.marked) and is_free
            case "mark":
                offered = self._has_list and self.focused is self._list
            case "check_all":
                offered = bool(self._listing.shown)
            case "filter" | "sort" | "reverse":
                offered = bool(self._listing.total)
            case "copy_integration" | "rename" | "reauthorize" | "renew_ended":
                row, has_to = self._selected_row, action == "renew_ended"
                offered = is_authenticated(row) and not (has_to and not self._has_ended(row))
            case "check" | "check_marked":
                is_one = action == "check" and isinstance(self._selected_row, Credential)
                offered = is_one or bool(self._listing.marked)
            case "copy_id" | "delete":
                offered = self._has_list and self._list.selected is not None
        return offered

    @property
    def likely_keys(self) -> Sequence[str]:
        """What the line of keys begins with: for marked rows, or for one that has ended."""
        if self._listing.marked:
            return ("v", "d")
        row = self._selected_row
        return ("a", "d") if row is not None and self._has_ended(row) else ()

    def action_check_marked(self) -> None:
        """Check the marked credentials at Stripe."""
        self.action_check()

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
    async def _check(self, credential_ids: Sequence[str], done: str = "") -> None:
        """Check these at Stripe, instead of any that are being checked.

        What was ``done`` before is said with the results.
        """
        results: dict[str, CheckResult] = {}
        told, failed = [done] if done else list[str](), False
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
            told, failed = [*told, str(problem)], True
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

    @work
    async def action_rename(self) -> None:
        """Give the selected credential another name."""
        from m3cred_tui.ui.screens.renaming import Rename

        if is_authenticated(row := self._selected_row):
            question = Rename(self._services, row, self._listing.is_taken)
            if renamed := await self.app.push_screen_wait(question):
                self._listing.learn(renamed)
                self._show(selected=renamed.id)
                self.notify(f"“{row.name}” is now “{renamed.name}”.", markup=False)

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
                # The last check was of its old tokens.
                self._check([credential_id], done=f"“{row.name}” is authorized again.")
            elif is_authenticated(row):
                noticing(self.app).notify(
                    f"“{row.name}” is created. {_NEXT}",
                    timeout=_NEXT_SECONDS,
                    markup=False,
                    about=[row],
                    is_answer=True,
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

    @work(exclusive=True, group="copy")
    async def action_copy_id(self) -> None:
        """Send the selected Credential ID to the terminal's clipboard."""
        from m3cred_tui.ui.terminal.outside import send_id

        if (row := self._selected_row) is not None:
            said = await send_id(self.app, self._services.ways, row)
            self.notify(said, markup=False)

    @work(exclusive=True, group="copy")
    async def action_copy_integration(self) -> None:
        """Send the integration fields of the selected credential."""
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
            text = _offer(pending, self._services.now())
            noticing(self.app).notify(text, markup=False, about=pending)
        await report_unfinished(self.app, self._services, self._listing.row)


def _offer(pending: list[Credential], now: datetime) -> str:
    name = f"“{pending[0].name}”"
    if len(pending) > 1:
        return f"{len(pending)} authorizations are pending. Press Enter on one to continue."
    renews = pending[0].renews
    if end := waits_until(pending[0]):
        again = ", to be authorized again" if renews else ""
        told = f"{name} waits for Stripe until {clock_time(end, now)}{again}."
    else:
        not_yet = " again, not confirmed" if renews else ", not created"
        told = f"Stripe has approved {name}{not_yet} yet."
    return f"{told} Press Enter on it to continue."


def _summary(results: dict[str, CheckResult], name: str) -> str:
    if len(results) == 1:
        [result] = results.values()
        return f"“{name}”: {result.told_with(AUTHORIZE_AGAIN) or result.label}"
    is_revoked = any(result.outcome is Outcome.REVOKED for result in results.values())
    counted = Counter(result.label for result in results.values())
    found = ", ".join(f"{count:,} {label}" for label, count in counted.most_common())
    offer = ". Press a on a revoked one to authorize it again." if is_revoked else ""
    return f"Checked {len(results):,}: {found}{offer}"
