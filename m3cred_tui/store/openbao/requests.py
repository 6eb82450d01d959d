"""Authorization requests that all machines of a team share; each is answered once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from m3cred_tui.model.authorization import TIME_LIMIT, AuthorizationRequest
from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.store.openbao.kv import ConflictError
from m3cred_tui.store.openbao.problems import StoreUnreachable, Unconfirmed
from m3cred_tui.store.openbao.records import CHANGE, opened, row_of
from m3cred_tui.store.port import Damaged
from m3cred_tui.store.problems import AnsweredElsewhere, CredentialDamaged, NotThere

if TYPE_CHECKING:
    from datetime import datetime

    from m3cred_tui.store.openbao.records import Record
    from m3cred_tui.store.openbao.shelf import Shelf


class TeamRequests:
    """A request is a pending credential that has no account yet."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._doubtful: dict[str, str] = {}
        """The marks of answers that were sent to the engine and not confirmed, by ID."""

    def keep(self, credential: Credential, request: AuthorizationRequest) -> None:
        self._shelf.put(credential, request, "kept the request %s")

    def read(self, credential_id: str) -> AuthorizationRequest:
        record = self._shelf.record(credential_id)
        credential, request = opened(credential_id, record, AuthorizationRequest)
        if credential.status is not Status.PENDING:
            raise NotThere(credential_id)  # its code was sent
        return request

    def waits(self, credential_id: str) -> bool:
        one = _unapproved(credential_id, self._shelf.record(credential_id))
        return one is not None and one.status is Status.PENDING

    def answer(self, credential: Credential, request: AuthorizationRequest) -> None:
        """Claim it: of several machines, one gets its check-and-set through."""
        sent = credential._replace(status=Status.UNKNOWN)
        for _ in self._shelf.kv.attempts(f"the credential {credential.id}"):
            record = self._shelf.record(credential.id)
            one = _unapproved(credential.id, record)
            if one is None or one.status is not Status.PENDING:
                if self._is_ours(credential.id, record):
                    return
                raise AnsweredElsewhere(credential.id)
            try:
                self._shelf.replace(sent, request, record)
            except ConflictError:
                continue
            except Unconfirmed as unconfirmed:
                # Not an unknown outcome, as another machine may have claimed it instead.
                self._doubtful[credential.id] = unconfirmed.change
                place = str(self._shelf.kv.place)
                raise StoreUnreachable(place, unconfirmed.reason) from unconfirmed
            return

    def _is_ours(self, credential_id: str, record: Record) -> bool:
        change = (record.fields or {}).get(CHANGE)
        return change is not None and self._doubtful.get(credential_id) == change

    def settle(self, credential_id: str) -> None:
        self._remove(credential_id, Status.UNKNOWN)

    def drop(self, credential_id: str) -> None:
        self._remove(credential_id, Status.PENDING)

    def expire(self, now: datetime) -> list[Credential]:
        self._shelf.look()
        gone = []
        for one in self._shelf.known.pending_ids():
            row = self._shelf.known.row(one)
            # A request from the future was begun with a wrong clock, and would wait until then.
            if isinstance(row, Credential) and abs(now - row.created_at) >= TIME_LIMIT:
                with suppress(CredentialDamaged):
                    if row.account is None and self._remove(one, Status.PENDING):
                        gone.append(row)
        return gone

    def _remove(self, credential_id: str, status: Status) -> bool:
        def is_meant(record: Record) -> bool:
            one = _unapproved(credential_id, record)
            return one is not None and one.status is status

        return self._shelf.remove_if(credential_id, is_meant)


def _unapproved(credential_id: str, record: Record) -> Credential | None:
    row = row_of(credential_id, record.fields)
    if isinstance(row, Damaged):
        raise CredentialDamaged(credential_id, row.reason)
    return row if row is not None and row.account is None else None
