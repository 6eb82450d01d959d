"""A list whose credentials can be checked at Stripe."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from m3cred_tui.listing.columns import is_pending
from m3cred_tui.model.credential import Credential
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.screens.list_page import ListPage
from m3cred_tui.ui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.worker import Worker

    from m3cred_tui.model.check import CheckResult


class CheckedListPage(ListPage):
    """Shows what the last check of each credential said, and checks them anew."""

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
    ]

    _checking: Worker[None] | None = None

    def on_mount(self) -> None:  # beside that of the list, which Textual calls, too
        self.call_after_refresh(self._glance_at_checks)

    @property
    def is_checking(self) -> bool:
        """Whether Stripe is being asked."""
        return self._checking is not None and not self._checking.is_finished

    def can_check(self, action: str) -> bool:
        """Tell whether ``action``, of those that check, can be taken now."""
        if action == "stop_checking":
            return self.is_checking
        if action == "check_all":
            return bool(self._listing.shown)
        selected = self._list.selected if self.is_mounted else None
        return selected is not None and isinstance(self._listing.row(selected), Credential)

    def action_check(self) -> None:
        """Check the selected credential at Stripe."""
        if (credential_id := self._list.selected) is None:
            return
        if is_pending(row := self._listing.row(credential_id)):
            text = f"“{row.name}” is pending: there is nothing to check until it is created."
            self.notify(text, markup=False)
        else:
            self._checking = self._check([credential_id])

    def action_check_all(self) -> None:
        """Check what is listed, as it is filtered now, but what waits to be created."""
        self._checking = self._check(list(self._listing.shown))

    def action_stop_checking(self) -> None:
        """Check no more; what was said until now is kept."""
        if self._checking is not None:
            self._checking.cancel()
            self._count()
            self.refresh_bindings()

    @work(exclusive=True, group="check")
    async def _check(self, credential_ids: Sequence[str]) -> None:
        upkeep, store = self._services.upkeep(), self._services.store
        said: dict[str, CheckResult] = {}
        self._tell_checked(0, len(credential_ids))
        self.call_after_refresh(self.refresh_bindings)
        try:
            pending = {*await asyncio.to_thread(store.pending_ids)}
            credential_ids = [one for one in credential_ids if one not in pending]
            if not credential_ids:
                text = "There are no credentials to check: what is listed is pending."
                self.notify(text, markup=False)
            async with aclosing(upkeep.check(credential_ids)) as results:
                async for credential_id, result in results:
                    said[credential_id] = result
                    self._listing.checks.take({credential_id: result})
                    self._list.redraw()
                    self._tell_checked(len(said), len(credential_ids))
        except Problem as problem:
            self.notify(str(problem), severity="error", markup=False)
        self._count()
        if said:
            self.notify(_summary(said), markup=False)
        self.call_after_refresh(self.refresh_bindings)

    def _tell_checked(self, done: int, total: int) -> None:
        if self._is_seen:
            self.query_one(TitleBar).note = f"checking {done:,} of {total:,}"

    def _glance(self) -> None:
        super()._glance()
        self._glance_at_checks()

    def _glance_at_checks(self) -> None:
        stamp = self._services.store.checks.stamp()
        if self._is_seen and stamp != self._listing.checks.stamp:
            self._listing.checks.stamp = stamp
            self._read_checks()

    @work(exclusive=True, group="checks")
    async def _read_checks(self) -> None:
        """Take what the last checks said, by whichever m3cred they were."""
        checks = await asyncio.to_thread(self._services.store.checks.read)
        self._listing.checks.take(checks)
        if checks and self._is_seen:
            self._list.redraw()


def _summary(said: dict[str, CheckResult]) -> str:
    if len(said) == 1:
        [result] = said.values()
        return result.told or "Stripe knows the account, and the key may use it."
    counted = Counter(result.label for result in said.values())
    return f"Checked {len(said):,}: " + ", ".join(
        f"{count:,} {label}" for label, count in counted.most_common()
    )
