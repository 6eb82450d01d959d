"""Deleting a credential from the list, and disconnecting its account at Stripe, if wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work

from m3cred_tui.listing.columns import NAME, is_authenticated, is_pending
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.screens.checked_list import CheckedListPage
from m3cred_tui.ui.screens.confirm import MORE, Confirm

if TYPE_CHECKING:
    from m3cred_tui.listing.columns import Row
    from m3cred_tui.model.credential import Credential

_DELETING = "m3ter can no longer send Bills with it, and it cannot be brought back."
_STAYS = " The Stripe account itself stays connected."
_UNLESS = " The Stripe account itself stays connected, unless you have that ended, too."
_DROPPING = (
    "Stripe has approved access for it; to have that again, the owner of the account must "
    "approve anew. The Stripe account itself stays connected."
)
_LEAVING = "An approval that Stripe gives for it after that counts for nothing."
_MOST_NAMED = 3
_SECONDS = 20


def _lost(row: Row) -> str:
    if is_authenticated(row):
        return _DELETING + _UNLESS
    if not is_pending(row):
        return _DELETING + _STAYS
    return _DROPPING if row.account else _LEAVING


class DeletingPage(CheckedListPage):
    """Asks before anything is deleted, and says what has happened."""

    def action_delete(self) -> None:
        """Delete the selected credential."""
        if (credential_id := self._list.selected) is not None:
            self._delete(credential_id)

    @work
    async def _delete(self, credential_id: str) -> None:
        """Delete a credential, after a confirmation that names it."""
        row = self._listing.row(credential_id)
        if row is None:
            self._glance()
            return
        question = Confirm(
            f"Delete “{NAME.of(row)}”?",
            _lost(row),
            no="No, keep it",
            yes="Yes, delete it",
            more="Delete it, and disconnect at Stripe" if is_authenticated(row) else "",
        )
        answer = await self.app.push_screen_wait(question)
        if answer == MORE and is_authenticated(row):
            await self._disconnect(row)
        elif answer:
            await self._delete_here(credential_id)

    async def _delete_here(self, credential_id: str) -> None:
        try:  # it may have to wait for another process
            await asyncio.to_thread(self._services.store.delete, credential_id)
        except Problem as problem:
            self.notify(str(problem), severity="error", markup=False)
        else:
            self._drop(credential_id)

    async def _disconnect(self, credential: Credential) -> None:
        """Ask again where others lose access, too; then disconnect and delete."""
        upkeep = self._services.upkeep()
        try:
            others = await asyncio.to_thread(upkeep.also_affected, credential.id)
        except Problem as problem:
            self.notify(str(problem), severity="error", markup=False)
            return
        if others and not await self.app.push_screen_wait(_about_others(others)):
            return
        self.notify("Stripe is asked to disconnect the account.", markup=False)
        done = await upkeep.disconnect(credential.id)
        self.notify(
            done.told,
            severity="warning" if done.problem else "information",
            markup=False,
            timeout=_SECONDS,
        )
        if done.deleted:
            self._drop(credential.id)

    def _drop(self, credential_id: str) -> None:
        self._listing.drop(credential_id)
        self._show_again()

    async def _tell_unfinished(self) -> None:
        """Tell of disconnections that were begun before and not finished."""
        try:
            upkeep = await asyncio.to_thread(self._services.upkeep)
            unfinished = await asyncio.to_thread(upkeep.unfinished)
        except Problem as problem:
            self.notify(str(problem), severity="error", markup=False)
            return
        for credential_id in unfinished:
            if (row := self._listing.row(credential_id)) is not None:
                text = (
                    f"“{NAME.of(row)}” was being disconnected at Stripe, which was not "
                    "finished. Press d on it to go on."
                )
                self.notify(text, severity="warning", markup=False, timeout=_SECONDS)


def _about_others(others: list[Credential]) -> Confirm:
    names = [f"“{one.name}”" for one in others[:_MOST_NAMED]]
    if more := len(others) - len(names):
        names.append(f"{more:,} more")
    return Confirm(
        "Disconnect the account for all of them?",
        f"Of the same Stripe account: {', '.join(names)}. They lose access, too.",
        no="No, keep it",
        yes="Yes, disconnect",
    )
