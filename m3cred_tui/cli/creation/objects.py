"""What ``m3cred create`` and ``m3cred resume`` write for machines, each object on one line."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from m3cred_tui.cli.results import credential_fields, error_fields
from m3cred_tui.cli.telling import json_text

if TYPE_CHECKING:
    from m3cred_tui.authorize.events import UrlReady
    from m3cred_tui.cli.results import Json
    from m3cred_tui.model.credential import Credential
    from m3cred_tui.model.problem import Problem


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
