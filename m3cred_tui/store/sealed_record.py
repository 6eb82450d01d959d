"""From a credential and its secrets to the bytes of a record, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.store.folder import is_id
from m3cred_tui.store.private import FlawError
from m3cred_tui.store.problems import CannotBeKept
from m3cred_tui.store.record import (
    Record,
    credential_of,
    header_of,
    record_bytes,
    secrets_of,
    to_be_sealed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from m3cred_tui.model.credential import Credential
    from m3cred_tui.store.identity import IdentityFile
    from m3cred_tui.store.secrets import Secrets


def sealed(
    credential: Credential,
    secrets: Secrets,
    identity: IdentityFile,
    *,
    is_first_use: Callable[[], bool],
) -> bytes:
    """Return the content of a record's file.

    Raises :class:`CannotBeKept`, and what :meth:`IdentityFile.recipient` does.
    """
    from m3cred_tui.store import sealing  # noqa: PLC0415 - it says why

    if not is_id(credential.id):
        raise CannotBeKept(credential.id, "its ID is not a UUID")
    header = header_of(credential)
    recipient = identity.recipient(is_first_use=is_first_use)
    try:
        sealed_part = sealing.seal(recipient, to_be_sealed(header, secrets))
        return record_bytes(Record(header, sealed_part))
    except FlawError as flaw:
        raise CannotBeKept(credential.id, flaw.reason) from None


def opened(record: Record, identity: IdentityFile) -> tuple[Credential, Secrets]:
    """Return what was sealed, which agrees with the clear fields.

    Raises :class:`FlawError`, and what :meth:`IdentityFile.to_open` does.
    """
    from m3cred_tui.store import sealing  # noqa: PLC0415 - it says why

    credential = credential_of(record)
    opener = identity.to_open()
    return credential, secrets_of(record, sealing.unseal(opener, record.sealed))
