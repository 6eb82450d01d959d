"""A credential, a check and a problem, in JSON and in words."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from m3cred_tui.cli.output.streams import is_utf8
from m3cred_tui.listing.columns import status_word, waits_until
from m3cred_tui.model.credential import Credential

if TYPE_CHECKING:
    from collections.abc import Mapping

    from m3cred_tui.authorize.events import UrlReady
    from m3cred_tui.listing.columns import Row
    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.model.credential import StripeAccount
    from m3cred_tui.model.problem import Problem

    Json = dict[str, object]


def credential_fields(credential: Credential) -> Json:
    """Return a credential without its secrets."""
    account = credential.account
    return {
        "id": credential.id,
        "name": credential.name,
        "entityType": credential.entity_type.code,
        "destination": credential.destination.code,
        "status": credential.status.value,
        "account": None if account is None else _account_fields(account),
        "createdAt": iso(credential.created_at),
        "createdBy": credential.created_by,
        "expiresAt": None if credential.expires_at is None else iso(credential.expires_at),
        "renews": credential.renews,
    }


def _account_fields(account: StripeAccount) -> Json:
    return {
        "id": account.id,
        "name": account.name,
        "country": account.country,
        "livemode": account.livemode,
    }


def error_fields(problem: Problem) -> Json:
    """Return a problem; its code stays the same from one version to the next."""
    fields: Json = {"code": problem.root.code, "message": str(problem)}
    if sealed := getattr(problem, "sealed", None):
        fields["sealed"] = sealed.decode("ascii")
    return fields


def row_json(row: Row, check: CheckResult | None) -> Json:
    """Return a row of the list for scripts."""
    if not isinstance(row, Credential):
        fields = {"id": row.id, "status": "damaged", "reason": row.reason}
        return {**fields, "effectiveStatus": status_word(row, check)}
    until = waits_until(row)
    return {
        **credential_fields(row),
        "effectiveStatus": status_word(row, check, datetime.now(UTC)),
        "waitsUntil": None if until is None else iso(until),
        "lastCheck": None if check is None else check_json(check),
    }


def check_json(check: CheckResult) -> Json:
    """Return the result of a check."""
    return {"outcome": check.outcome.value, "at": iso(check.at), "told": check.told or None}


def iso(moment: datetime) -> str:
    """Return a time in UTC (RFC 3339)."""
    return moment.astimezone(UTC).isoformat()


def begin_json(pending: Credential, ready: UrlReady, tunnel: str | None) -> str:
    """Return what a script needs to have a request approved, and to resume it.

    Without a tunnel nothing listens, so there is no short address either.
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
            "expiresAt": iso(ready.expires_at),
            "renews": pending.renews,
        }
    )


def end_json(credential: Credential | None, problem: Problem | None) -> str:
    """Return the end: the credential as it is now, and the problem, if there is one."""
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
    """Write the single object of a command's output; docs/json.md has the schemas."""
    sys.stdout.write(json_text({"version": 1, **fields}) + "\n")


def json_text(fields: Mapping[str, object], indent: int | None = 2) -> str:
    """Return an object in the encoding of standard output; without an indent, on one line."""
    import json  # noqa: PLC0415 - 8 ms, and the table of `list` needs none of it

    # Characters that the locale lacks are written as escapes.
    return json.dumps(fields, indent=indent, ensure_ascii=not is_utf8(sys.stdout))
