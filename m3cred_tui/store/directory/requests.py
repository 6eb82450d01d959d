"""The authorization requests that Stripe has not answered, as pending credentials.

They are stored where approvals are, so that an approval replaces its request in one step.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from m3cred_tui.model.authorization import TIME_LIMIT, AuthorizationRequest
from m3cred_tui.store.directory.record import credential_of, opened, sealed
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.lock import locked
from m3cred_tui.store.problems import AnsweredElsewhere, CredentialDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from m3cred_tui.model.credential import Credential
    from m3cred_tui.store.directory.folder import RecordFolder
    from m3cred_tui.store.identity import IdentityFile


class DirectoryRequests:
    """A request is a record in ``pending/`` that has no account."""

    def __init__(self, data: Path, pending: RecordFolder, identity: IdentityFile) -> None:
        self._data = data
        self._pending = pending
        self._identity = identity

    def keep(self, credential: Credential, request: AuthorizationRequest) -> None:
        with locked(self._data):
            data = sealed(credential, request, self._identity)
            self._pending.replace(credential.id, data)

    def read(self, credential_id: str) -> AuthorizationRequest:
        read, identity = self._pending.read, self._identity
        return opened(read, credential_id, identity, AuthorizationRequest)[1]

    def waits(self, credential_id: str) -> bool:
        return self._waiting_one(credential_id) is not None

    def answer(self, credential_id: str) -> None:
        if not self._remove(credential_id):
            raise AnsweredElsewhere(credential_id)

    def drop(self, credential_id: str) -> None:
        self._remove(credential_id)

    def expire(self, now: datetime) -> list[Credential]:
        # One from the future was begun by a clock that was wrong, and would wait until then.
        over = [one for one in self._waiting() if abs(now - one.created_at) >= TIME_LIMIT]
        return [one for one in over if self._remove(one.id)]

    def _waiting(self) -> Iterator[Credential]:
        for name in self._pending.names():
            with suppress(CredentialDamaged):  # it stays, and the list says why
                if waiting := self._waiting_one(name.removesuffix(".json")):
                    yield waiting

    def _waiting_one(self, credential_id: str) -> Credential | None:
        try:
            credential = credential_of(self._pending.read(credential_id))
        except FileNotFoundError:
            return None
        except FlawError as flaw:
            raise CredentialDamaged(credential_id, str(flaw)) from None
        return credential if credential.account is None else None

    def _remove(self, credential_id: str) -> bool:
        # Under the lock, as it may be approved by now, and an approval is never dropped.
        with locked(self._data):
            waits = self._waiting_one(credential_id) is not None
            if waits:
                self._pending.remove(credential_id)
        return waits
