"""What commands write for machines of a credential, and of what went wrong."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from m3cred_tui.model.credential import Credential
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
    inner = getattr(problem, "problem", problem)  # of one that says only where
    return {"code": type(inner).__name__, "message": str(problem)}
