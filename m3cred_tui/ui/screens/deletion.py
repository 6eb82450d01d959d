"""Deleting credentials, and disconnecting their accounts at Stripe, if wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from m3cred_tui.listing.columns import NAME, is_authenticated, is_pending
from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.screens.dialogs import MORE, Confirm
from m3cred_tui.ui.widgets.bars import noticing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
_NOT_RENEWING = (
    "The credential stays as it is, with its old tokens. An approval that Stripe has given for "
    "this, or still gives, counts for nothing."
)
_UNKNOWN = "Stripe may have connected an account for it, which then stays connected."
_DELETING_THEM = (
    "m3ter can no longer send Bills with them, and they cannot be brought back. The Stripe "
    "accounts themselves stay connected, unless you disconnect them, too."
)
_DROPPING_THEM = (
    "An approval that Stripe has given, or still gives, for a pending one counts for nothing; "
    "the Stripe account itself stays connected."
)
_DISCONNECTING = (
    "Delete it, and disconnect at Stripe",
    "Delete them, and disconnect at Stripe",
)
_MOST_NAMED = 3


async def delete(app: App[Any], services: Services, rows: Sequence[Row]) -> Sequence[str]:
    """Delete credentials after one question that names all; return the IDs of those gone."""
    approved = [row for row in rows if is_authenticated(row)]
    more = _DISCONNECTING[len(rows) > 1] if len(approved) == len(rows) else ""
    answer = await app.push_screen_wait(_question(rows, more))
    if not answer:
        return ()
    if answer == MORE:
        return await _disconnect(app, services, approved)
    deleted, problems = list[str](), list[str]()
    for row in rows:
        try:
            # This may wait for another process.
            await asyncio.to_thread(services.store.delete, row.id)
        except Problem as problem:
            of = f"“{NAME.of(row)}” was not deleted: " if len(rows) > 1 else ""
            problems.append(f"{of}{problem}")
        else:
            deleted.append(row.id)
    if problems:
        app.notify("\n".join(problems), severity="error", markup=False)
    return deleted


def _question(rows: Sequence[Row], more: str) -> Confirm:
    if len(rows) == 1:
        [row] = rows
        return Confirm(
            f"Delete {_title(row)}?",
            _lost(row),
            no="No, keep it",
            yes="Yes, delete it",
            more=more,
        )
    names = ", ".join(map(_title, rows))
    some_are_created = any(not is_pending(row) and not _is_unknown(row) for row in rows)
    some_are_not = any(is_pending(row) or _is_unknown(row) for row in rows)
    lost = [_DELETING_THEM] * some_are_created + [_DROPPING_THEM] * some_are_not
    return Confirm(
        f"Delete {len(rows):,} credentials?",
        "\n".join([names, "", *lost]),
        no="No, keep them",
        yes="Yes, delete them",
        more=more,
    )


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


def _title(row: Row) -> str:
    """Return how a question names a row, and whether it only authorizes another again."""
    if isinstance(row, Credential) and row.renews:
        return f"the request to authorize “{row.name}” again"
    return f"“{NAME.of(row)}”"


def _lost(row: Row) -> str:
    if is_authenticated(row):
        return _DELETING + _UNLESS
    if isinstance(row, Credential) and row.renews:
        return _NOT_RENEWING
    if _is_unknown(row):
        return _UNKNOWN
    if not is_pending(row):
        return _DELETING + _STAYS
    return _DROPPING if row.account else _LEAVING


def _is_unknown(row: Row) -> bool:
    return isinstance(row, Credential) and row.status is Status.UNKNOWN


async def _disconnect(
    app: App[Any], services: Services, credentials: Sequence[Credential]
) -> Sequence[str]:
    """Ask again where others lose access, too; then disconnect and delete."""
    upkeep = services.upkeep()
    others: dict[str, Credential] = {}
    for one in credentials:
        affected = await asyncio.to_thread(upkeep.also_affected, one.id)
        others.update({other.id: other for other in affected if other not in credentials})
    if others and not await app.push_screen_wait(_about_others([*others.values()])):
        return ()
    several = len(credentials) > 1
    app.notify(f"Asking Stripe to disconnect the account{'s' * several}.", markup=False)
    done = {one: await upkeep.disconnect(one.id) for one in credentials}
    failed = any(each.problem for each in done.values())
    app.notify(
        "\n".join(
            f"“{one.name}”: {each.told}" if several else each.told for one, each in done.items()
        ),
        severity="warning" if failed else "information",
        markup=False,
    )
    return [one.id for one, each in done.items() if each.deleted]


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
