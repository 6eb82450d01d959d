"""A team's credentials on OpenBao or Vault, created and pending."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.credential import Credential, TokenResponse
from m3cred_tui.model.name import name_key
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.openbao.checks import TeamChecks, TeamDisconnections
from m3cred_tui.store.openbao.known import Entry
from m3cred_tui.store.openbao.kv import ConflictError, KeyValue
from m3cred_tui.store.openbao.problems import StoreNotAllowed
from m3cred_tui.store.openbao.records import Record, created, opened, row_of
from m3cred_tui.store.openbao.refreshing import TeamRefreshes
from m3cred_tui.store.openbao.requests import TeamRequests
from m3cred_tui.store.openbao.shelf import FOLDER, Shelf
from m3cred_tui.store.port import Newest, Row
from m3cred_tui.store.problems import (
    AlreadyThere,
    CannotBeKept,
    NameTaken,
    NotSealed,
    OutcomeUnknown,
    StoreUnusable,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from m3cred_tui.store.fields import Json
    from m3cred_tui.store.openbao.client import Client
    from m3cred_tui.store.openbao.known import Known
    from m3cred_tui.store.port import Change, CredentialStore, Look, Stamp

PACE = 15.0
"""Seconds after which a list that is on the screen is read again."""
_FEW = 8
"""Credentials that are read one by one; for more, the list is read."""
_FRESH = 5.0
"""Seconds in which a list that was just read is good for the rows in it."""
_NAMES = "names"
_CLAIMED = 60.0
"""Seconds that a name is claimed for, while its record is written."""

_log = logging.getLogger(__name__)


class OpenBaoStore:
    """Stores a team's credentials; an engine of ``CredentialStore``, as described there.

    ``pace`` is how many seconds :meth:`stamp` stays the same without a change from here.
    ``spare`` keeps approvals on this machine that the engine could not take.
    """

    def __init__(
        self,
        client: Client,
        known: Known,
        spare: CredentialStore | None = None,
        *,
        pace: float = PACE,
    ) -> None:
        self.kv = KeyValue(client)
        self.spare = spare
        self._shelf = Shelf(self.kv, known)
        self._known = known
        self._pace = pace
        self._names_at = -1
        """The version of the claimed names when the list was last read."""
        self.checks = TeamChecks(self.kv, self._there, self._tick)
        self.disconnecting = TeamDisconnections(self.kv, self.ids)
        self.requests = TeamRequests(self._shelf)
        self.refreshes = TeamRefreshes(self._shelf)

    @property
    def team(self) -> str:
        place = self.kv.place
        return f"{place}, {place.weakness}" if place.weakness else str(place)

    @property
    def as_of(self) -> datetime | None:
        return self._known.as_of

    @property
    def aside(self) -> Sequence[str]:
        with suppress(StoreUnusable):
            return [] if self.spare is None else self.spare.pending_ids()
        return []

    # What is listed.

    def ids(self) -> list[str]:
        try:
            names_at = self.kv.read(_NAMES).version
            self._shelf.look()
        except StoreUnusable:
            self._known.doubt()
            self._show_aside()
            raise
        self._names_at = names_at
        self._bring()
        return self._known.ids()

    def _bring(self) -> None:
        """Bring approvals that were kept on this machine to the team."""
        for one in self.aside:
            assert self.spare is not None  # noqa: S101 - it has them
            with suppress(Problem):  # it stays, and the next list tries again
                with suppress(AlreadyThere):
                    self._shelf.put(*self.spare.opened(one), "brought the approval %s")
                self.spare.delete(one)
        self._show_aside()

    def _show_aside(self) -> None:
        for one in self.aside:
            assert self.spare is not None  # noqa: S101 - as above
            if row := self.spare.read(one):
                self._known.put(one, Entry(0, row, is_pending=True))

    def newest(self, most: int) -> Newest:
        return Newest(self._known.ids(most), len(self._known))

    def pending_ids(self) -> list[str]:
        self.ids()
        return self._known.pending_ids()

    def stamp(self) -> Stamp:
        return self._known.stamp(self._tick())

    def _tick(self) -> float:
        now = time.monotonic()
        return now // self._pace if self._pace else now

    def changed_since(self, stamp: Stamp) -> list[str]:
        self._look_unless_fresh()
        return self._known.changed_since(stamp)

    def glance(self, credential_id: str) -> Row | None:
        return self._known.row(credential_id)

    def read(self, credential_id: str) -> Row | None:
        if self._is_aside(credential_id) and self.spare is not None:
            return self.spare.read(credential_id)
        return self._shelf.row(credential_id)

    def _is_aside(self, credential_id: str) -> bool:
        return credential_id in self.aside

    def read_many(self, credential_ids: Sequence[str]) -> list[Row | None]:
        if len(credential_ids) <= _FEW and not self._is_fresh:
            return [self.read(one) for one in credential_ids]
        self._look_unless_fresh()
        return [self._known.row(one) for one in credential_ids]

    def _look_unless_fresh(self) -> None:
        if not self._is_fresh:
            self.ids()

    def _there(self) -> Collection[str]:
        """Return the IDs in a list that was just read, with the changes from here."""
        self._look_unless_fresh()
        return self._known.there

    @property
    def _is_fresh(self) -> bool:
        return time.monotonic() - self._shelf.listed_at < min(_FRESH, self._pace)

    # What is opened.

    def verified(self, credential_id: str) -> Row | None:
        if self._is_aside(credential_id) and self.spare is not None:
            return self.spare.verified(credential_id)
        try:
            record = self._shelf.record(credential_id)
        except StoreNotAllowed:  # to people who may list and not read tokens
            return self.read(credential_id)
        row = row_of(credential_id, record.fields)
        self._known.put(credential_id, Entry.of(record, row))
        return row

    def tokens(self, credential_id: str) -> TokenResponse:
        return self.opened(credential_id)[1]

    def opened(self, credential_id: str) -> tuple[Credential, TokenResponse]:
        if self._is_aside(credential_id) and self.spare is not None:
            return self.spare.opened(credential_id)
        return opened(credential_id, self._shelf.record(credential_id), TokenResponse)

    # What is changed.

    def prepare(self) -> None:
        self.kv.check_mount()
        self.kv.who()
        self.kv.check_allowed(f"{FOLDER}/any", "create", "update")
        self.ids()
        for pending_id in self._known.used():
            self._shelf.remove_if(pending_id, lambda record: record.is_pending)
        if self.spare is not None:
            self.spare.prepare()

    def keep_pending(self, credential: Credential, tokens: TokenResponse) -> None:
        """Keep it here first: until the engine has answered, the process may be killed."""
        was_aside, is_sealed = self._is_aside(credential.id), self._seal(credential, tokens)
        if was_aside and is_sealed:
            return  # the engine did not take it a moment ago; the next list brings it there
        self._hand_over(credential, tokens, is_sealed=is_sealed)

    def _hand_over(
        self, credential: Credential, tokens: TokenResponse, *, is_sealed: bool
    ) -> None:
        """Bring an approval to the team; one that is sealed here stays here if that fails."""
        try:
            self._shelf.put(credential, tokens, "kept the approval %s")
        except AlreadyThere:
            self._forget_aside(credential.id)
            raise
        except (StoreUnusable, OutcomeUnknown):
            if not is_sealed:
                raise
            self._show_aside()
        else:
            self._forget_aside(credential.id)

    def _seal(self, credential: Credential, tokens: TokenResponse) -> bool:
        """Seal an approval on this machine, if that is possible."""
        with suppress(Problem):
            if self.spare is not None:
                self.spare.keep_pending(credential, tokens)
                return True
        return False

    def sealed(self, credential: Credential, tokens: TokenResponse) -> bytes:
        if self.spare is None:
            raise CannotBeKept(credential.id, "nothing can be sealed on this machine")
        return self.spare.sealed(credential, tokens)

    def keep_sealed(self, text: bytes) -> Credential:
        if self.spare is None:
            raise NotSealed("nothing was sealed on this machine")
        credential = self.spare.keep_sealed(text)
        self._hand_over(credential, self.spare.tokens(credential.id), is_sealed=True)
        return credential

    def create(
        self, credential: Credential, tokens: TokenResponse, names_seen: Stamp | None = None
    ) -> None:
        if names_seen is not None:
            self._claim_name(credential)
        self._shelf.put(credential, tokens, "created %s")
        self._forget_aside(credential.id)

    def update(
        self, credential_id: str, change: Change, names_seen: Stamp | None = None
    ) -> Credential:
        for _ in self.kv.attempts(f"the credential {credential_id}"):
            record = self._shelf.record(credential_id)
            credential, tokens = change(*created(credential_id, record))
            if credential.id != credential_id:
                raise CannotBeKept(credential_id, "its ID would change")
            if names_seen is not None:
                self._claim_name(credential)
            with suppress(ConflictError):
                self._shelf.replace(credential, tokens, record)
                _log.info("changed %s", credential_id)
                return credential._replace(expires_at=tokens.expires_at)
        raise AssertionError  # attempts end with a problem

    def renew(self, credential_id: str, pending_id: str, change: Change) -> Credential:
        credential = self.update(credential_id, change)
        # Left behind, it has no effect: the credential names it.
        with suppress(Problem):
            self._shelf.remove_if(pending_id, lambda record: record.is_pending)
        self._forget_aside(pending_id)
        return credential

    def delete(self, credential_id: str, look: Look | None = None) -> None:
        def is_meant(record: Record) -> bool:
            if look is not None:
                look(*created(credential_id, record))
            return True

        self._shelf.remove_if(credential_id, is_meant)
        self._drop_claim(credential_id)
        self._forget_aside(credential_id)
        _log.info("deleted %s", credential_id)

    def _forget_aside(self, credential_id: str) -> None:
        """Remove an approval from this machine, as the team has it now, or nobody."""
        if self._is_aside(credential_id) and self.spare is not None:
            with suppress(Problem):  # the next list does it
                self.spare.delete(credential_id)

    def _claim_name(self, credential: Credential) -> None:
        """Raise ``NameTaken`` if another credential has this name, or is about to get it.

        There is no lock, so the name is claimed in one record that all machines change by
        check-and-set. Whoever reads the list after that sees the record or the claim.
        """
        key = name_key(credential.name)
        for _ in self.kv.attempts("the names"):
            record = self.kv.read(_NAMES)
            if record.version != self._names_at:
                self.ids()
            now = self.kv.client.time()
            others = [
                one
                for one in _claims(record)
                if one.id != credential.id and abs(now - one.at) < _CLAIMED
            ]
            taken = {name_key(one.name) for one in others} | self._known.names(credential.id)
            if key in taken:
                raise NameTaken(credential.name)
            with suppress(ConflictError):
                own = _Claim(credential.id, credential.name, now)
                self._names_at = self._write_claims([*others, own], record)
                return

    def _drop_claim(self, credential_id: str) -> None:
        """Let a name that was claimed a moment ago be used again."""
        with suppress(Problem, ConflictError):
            record = self.kv.read(_NAMES)
            claims = _claims(record)
            others = [one for one in claims if one.id != credential_id]
            if others != claims:
                self._write_claims(others, record)

    def _write_claims(self, claims: list[_Claim], record: Record) -> int:
        fields: Json = {"claims": [one._asdict() for one in claims]}
        return self.kv.write(_NAMES, fields, record.version)


class _Claim(NamedTuple):
    id: str
    name: str
    at: float


def _claims(record: Record) -> list[_Claim]:
    claims = (record.fields or {}).get("claims")
    found = []
    for one in claims if isinstance(claims, list) else []:
        match one:
            case {"id": str(id_), "name": str(name), "at": int(at) | float(at)}:
                with suppress(OverflowError):
                    found.append(_Claim(id_, name, float(at)))
    return found
