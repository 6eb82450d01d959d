"""What was begun and not finished."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from m3cred_tui.cli.diagnosis.finding import Finding, mend, note, ok
from m3cred_tui.cli.selecting import title_of
from m3cred_tui.cli.words import waits_until
from m3cred_tui.model.credential import Credential

if TYPE_CHECKING:
    from collections.abc import Iterator

    from m3cred_tui.cli.opening import Opened

_AREA = "left over"


def leftovers(here: Opened) -> Iterator[Finding]:
    """Look for pending credentials, and for disconnections that were not finished."""
    found = [*_unfinished(here), *_pending(here)]
    yield from found or [ok(_AREA, "Nothing.")]


def _unfinished(here: Opened) -> Iterator[Finding]:
    for credential_id in here.store.disconnecting.ids():
        row = here.store.read(credential_id)
        if row is not None:
            yield mend(
                _AREA,
                f"{title_of(row)} was being disconnected at Stripe, which was not finished. "
                f"Run: m3cred delete --disconnect {credential_id}",
            )


def _pending(here: Opened) -> Iterator[Finding]:
    now = datetime.now(UTC)
    for row in here.store.read_many(here.store.pending_ids()):
        if not isinstance(row, Credential):
            continue  # told of as damaged
        until = waits_until(row)
        if until is None:
            yield mend(
                _AREA,
                f"Stripe has approved {title_of(row)}, which was not created yet. "
                f"Run: m3cred resume {row.id}",
            )
        elif until <= now:
            yield note(_AREA, f"{title_of(row)} waits for Stripe no longer; its time is over.")
        else:
            wait = f"waits for Stripe until {until.astimezone():%H:%M}"
            yield note(_AREA, f"{title_of(row)} {wait}; m3cred resume goes on with it.")
