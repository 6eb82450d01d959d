"""A credential in words and in JSON, as several commands show it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from m3cred_tui.model.credential import Credential, Status

if TYPE_CHECKING:
    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.store.directory.record import Damaged

    Row = Credential | Damaged
    Json = dict[str, object]

NOT_YET = "not yet"


def status_text(credential: Credential, now: datetime) -> str:
    """Return how far a credential is, and until when it waits for Stripe if it does."""
    if (over := waits_until(credential)) is None:
        return str(credential.status.value)
    return (
        "pending, time is over" if over <= now else f"pending until {over.astimezone():%H:%M}"
    )


def waits_until(credential: Credential) -> datetime | None:
    """Return when the wait for Stripe is over; ``None`` where it does not wait."""
    if credential.status is not Status.PENDING or credential.account is not None:
        return None
    from m3cred_tui.model.authorization import TIME_LIMIT  # such rows are few

    return credential.created_at + TIME_LIMIT


def account_text(credential: Credential) -> str:
    """Return the name that a person knows the account by, or else its id."""
    account = credential.account
    return NOT_YET if account is None else account.name or account.id


def local(moment: datetime) -> str:
    """Return a time as the user's clock has it."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def row_json(row: Row, check: CheckResult | None) -> Json:
    """Return what machines read of a row of the list."""
    from m3cred_tui.cli.results import credential_fields

    if not isinstance(row, Credential):
        return {"id": row.id, "status": "damaged", "reason": row.reason}
    until = waits_until(row)
    return {
        **credential_fields(row),
        "waitsUntil": None if until is None else iso(until),
        "lastCheck": None if check is None else check_json(check),
    }


def check_json(check: CheckResult) -> Json:
    """Return what a check has said."""
    return {"outcome": check.outcome.value, "at": iso(check.at), "told": check.told or None}


def iso(moment: datetime) -> str:
    """Return a time in UTC (RFC 3339)."""
    return moment.astimezone(UTC).isoformat()
