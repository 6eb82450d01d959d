"""Deleting a credential, and disconnecting its account at Stripe, if wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from m3cred_tui.listing.columns import NAME, is_authenticated, is_pending
from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.screens.dialogs import MORE, Confirm
from m3cred_tui.ui.widgets.bars import noticing

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from m3cred_tui.listing.columns import Row
    from m3cred_tui.ui.services import Services

_DELETING = "m3ter can no longer send Bills with it, and it cannot be brought back."
_STAYS = " The Stripe account itself stays connected."
_UNLESS = " The Stripe account itself stays connected, unless you disconnect it, too."
_DROPPING = (
    "Stripe has approved access for it; without it, the owner of the account must approve "
    "again. The Stripe account itself stays connected."
)
_LEAVING = "An approval that Stripe gives for it after that counts for nothing."
_UNKNOWN = "Stripe may have connected an account for it, which then stays connected."
_MOST_NAMED = 3


async def delete(app: App[Any], services: Services, row: Row) -> bool:
    """Delete a credential after a confirmation that names it; return whether it is gone."""
    question = Confirm(
        f"Delete “{NAME.of(row)}”?",
        _lost(row),
        no="No, keep it",
        yes="Yes, delete it",
        more="Delete it, and disconnect at Stripe" if is_authenticated(row) else "",
    )
    answer = await app.push_screen_wait(question)
    if not answer:
        return False
    try:
        if answer == MORE and is_authenticated(row):
            return await _disconnect(app, services, row)
        # This may wait for another process.
        await asyncio.to_thread(services.store.delete, row.id)
    except Problem as problem:
        app.notify(str(problem), severity="error", markup=False)
        return False
    return True


async def report_unfinished(
    app: App[Any], services: Services, row_of: Callable[[str], Row | None]
) -> None:
    """Report disconnections that were begun and not finished."""
    try:
        unfinished = await asyncio.to_thread(services.store.disconnecting.ids)
    except Problem as problem:
        app.notify(str(problem), severity="error", markup=False)
        return
    for credential_id in unfinished:
        if (row := row_of(credential_id)) is not None:
            text = (
                f"“{NAME.of(row)}” was being disconnected at Stripe, which was not "
                "finished. Press d on it to continue."
            )
            noticing(app).notify(text, severity="warning", markup=False, about=[row])


def _lost(row: Row) -> str:
    if is_authenticated(row):
        return _DELETING + _UNLESS
    if isinstance(row, Credential) and row.status is Status.UNKNOWN:
        return _UNKNOWN
    if not is_pending(row):
        return _DELETING + _STAYS
    return _DROPPING if row.account else _LEAVING


async def _disconnect(app: App[Any], services: Services, credential: Credential) -> bool:
    """Ask again where others lose access, too; then disconnect and delete."""
    upkeep = services.upkeep()
    others = await asyncio.to_thread(upkeep.also_affected, credential.id)
    if others and not await app.push_screen_wait(_about_others(others)):
        return False
    app.notify("Asking Stripe to disconnect the account.", markup=False)
    done = await upkeep.disconnect(credential.id)
    app.notify(
        done.told,
        severity="warning" if done.problem else "information",
        markup=False,
    )
    return done.deleted


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
