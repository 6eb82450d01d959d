"""A credential, a check and a problem, in JSON and in words."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from m3cred_tui.model.credential import Credential, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from m3cred_tui.authorize.events import UrlReady
    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.model.problem import Problem
    from m3cred_tui.store.directory.record import Damaged

    Json = dict[str, object]
    Row = Credential | Damaged


def credential_fields(credential: Credential) -> Json:
    """Return a credential without its secrets."""
    account = credential.account
    return {
        "id": credential.id,
        "name": credential.name,
        "entityType": credential.entity_type.code,
        "destination": credential.destination.code,
        "status": credential.status.value,
        "account": None
        if account is None
        else {
            "id": account.id,
            "name": account.name,
            "country": account.country,
            "livemode": account.livemode,
        },
        "createdAt": credential.created_at.astimezone(UTC).isoformat(),
        "createdBy": credential.created_by,
    }


def error_fields(problem: Problem) -> Json:
    """Return what is wrong; the code stays the same from one version to the next."""
    return {"code": problem.root.code, "message": str(problem)}


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


def begin_json(pending: Credential, ready: UrlReady, tunnel: str | None) -> str:
    """Return what a script needs to have a request approved, and to come back to it.

    Without a tunnel nothing listens, and the short address leads nowhere.
    """
    return _line(
        {
            "type": "begin",
            "id": pending.id,
            "name": pending.name,
            "destination": pending.destination.code,
            "url": ready.url,
            "shortUrl": ready.short_url if tunnel else None,
            "redirectUri": ready.redirect_uri,
            "tunnel": tunnel,
            "expiresAt": ready.expires_at.astimezone(UTC).isoformat(),
        }
    )


def end_json(credential: Credential | None, problem: Problem | None) -> str:
    """Return how it ended: the credential as it is now, and what is wrong, if anything is."""
    return _line(
        {
            "type": "end",
            "credential": None if credential is None else credential_fields(credential),
            "error": None if problem is None else error_fields(problem),
        }
    )


def _line(fields: Json) -> str:
    return json_text({"version": 1, **fields}, indent=None)


def put_json(fields: Mapping[str, object]) -> None:
    """Write the one object of a command's output; docs/json.md has the schema of each."""
    sys.stdout.write(json_text({"version": 1, **fields}) + "\n")


def json_text(fields: Mapping[str, object], indent: int | None = 2) -> str:
    """Return an object as standard output takes it, on one line without an indent."""
    import json

    # Where the locale has few characters, the others are written as escapes.
    has_all = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return json.dumps(fields, indent=indent, ensure_ascii=not has_all)
