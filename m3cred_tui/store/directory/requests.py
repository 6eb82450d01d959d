"""The authorization requests that Stripe has not answered, as pending credentials.

They are stored where approvals are, so that an approval replaces its request in one step.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from m3cred_tui.model.authorization import TIME_LIMIT, AuthorizationRequest
from m3cred_tui.model.credential import Status
from m3cred_tui.store.directory.record import opened, sealed
from m3cred_tui.store.fields import credential_from
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.lock import locked
from m3cred_tui.store.problems import AnsweredElsewhere, CredentialDamaged, NotThere

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
        credential, request = opened(read, credential_id, identity, AuthorizationRequest)
        if credential.status is not Status.PENDING:
            raise NotThere(credential_id)  # its code was sent
        return request

    def waits(self, credential_id: str) -> bool:
        one = self._unapproved(credential_id)
        if one is None:
            self._pending.refuse_absence()  # not mounted just now, it may hold the request
        return one is not None and one.status is Status.PENDING

    def answer(self, credential: Credential, request: AuthorizationRequest) -> None:
        with locked(self._data):
            if not self.waits(credential.id):
                raise AnsweredElsewhere(credential.id)
            sent = sealed(credential._replace(status=Status.UNKNOWN), request, self._identity)
            self._pending.reserve(credential.id)
            self._pending.replace(credential.id, sent)

    def settle(self, credential_id: str) -> None:
        self._remove(credential_id, Status.UNKNOWN)

    def drop(self, credential_id: str) -> None:
        self._remove(credential_id, Status.PENDING)

    def expire(self, now: datetime) -> list[Credential]:
        self._finish()
        # A request from the future was begun with a wrong clock, and would wait until then.
        over = [one for one in self._all() if abs(now - one.created_at) >= TIME_LIMIT]
        return [one for one in over if self._remove(one.id, Status.PENDING)]

    def _finish(self) -> None:
        """Put in place the approvals that killed processes left next to their requests."""
        for one in self._all():
            if one.status is Status.UNKNOWN:
                with locked(self._data):
                    self._pending.finish(one.id)

    def _all(self) -> Iterator[Credential]:
        for name in self._pending.names():
            with suppress(CredentialDamaged):  # it stays, and the list says why
                if one := self._unapproved(name.removesuffix(".json")):
                    yield one

    def _unapproved(self, credential_id: str) -> Credential | None:
        try:
            credential = credential_from(self._pending.read(credential_id).header)
        except FileNotFoundError:
            return None
        except FlawError as flaw:
            raise CredentialDamaged(credential_id, str(flaw)) from None
        return credential if credential.account is None else None

    def _remove(self, credential_id: str, status: Status) -> bool:
        # Under the lock, as it may have been approved, and an approval is never dropped.
        with locked(self._data):
            one = self._unapproved(credential_id)
            if one is None or one.status is not status:
                return False
            self._pending.remove(credential_id)
        return True
