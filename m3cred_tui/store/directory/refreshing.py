"""Replacing the tokens of a credential, in one process at a time."""

from __future__ import annotations

import logging
import os
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.credential import (
    Credential,
    Event,
    TokenResponse,
    is_credential_id,
)
from m3cred_tui.model.problem import Problem
from m3cred_tui.store import files
from m3cred_tui.store.directory.folder import ID_LENGTH, RecordFolder
from m3cred_tui.store.directory.record import (
    LARGEST_RECORD,
    Record,
    opened,
    parse_record,
    sealed,
    with_checksum,
)
from m3cred_tui.store.fields import boolean, iso, json_object, secret_fields, text, time
from m3cred_tui.store.files import FlawError, private_folder, read_private
from m3cred_tui.store.lock import locked
from m3cred_tui.store.port import AskedRefresh, asked_for
from m3cred_tui.store.problems import CredentialDamaged, NotThere

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from m3cred_tui.store.identity import IdentityFile

LARGEST_ASKED = 4096
_SCHEMA = 1
_PATIENCE = 60.0
"""Seconds; the process that holds the lock waits for Stripe."""

_log = logging.getLogger(__name__)
_key_parts = re.compile(r"(m3cred-[0-9a-f]{64})-([0-9]{1,6})", re.ASCII).fullmatch


def asked_bytes(asked: AskedRefresh) -> bytes:
    """Return the content of its file."""
    fields = {
        "schema": _SCHEMA,
        "idempotencyKey": asked.key,
        "askedAt": iso(asked.at),
        "hasFailed": asked.has_failed,
        **({"since": iso(asked.since)} if asked.since else {}),
    }
    return with_checksum(fields)


def asked_from(data: bytes) -> AskedRefresh:
    """Read the content of its file; raises :class:`FlawError`."""
    fields = json_object(data)
    key = text(fields, "idempotencyKey")
    if fields.get("schema") != _SCHEMA or not _key_parts(key):
        raise FlawError("it is not a request of m3cred to Stripe")
    since = time(fields, "since") if "since" in fields else None
    return AskedRefresh(key, time(fields, "askedAt"), boolean(fields, "hasFailed"), since)


class DirectoryRefreshes(NamedTuple):
    """``refreshing/`` holds a lock for each credential, the request, room for the answer."""

    data: Path
    credentials: RecordFolder
    identity: IdentityFile

    @contextmanager
    def begun(self, credential_id: str) -> Iterator[DirectoryRefresh]:
        # First, so that no lock is made in vain.
        opened(self.credentials.read, credential_id, self.identity, TokenResponse)
        path = self.data / "refreshing"
        with (
            locked(path, f"{credential_id}.lock", patience=_PATIENCE),
            private_folder(path) as folder,
        ):
            refresh = DirectoryRefresh(self, credential_id, folder)
            refresh.finish()
            yield refresh


class DirectoryRefresh:
    """A refresh of one credential, under its lock."""

    def __init__(self, store: DirectoryRefreshes, credential_id: str, folder: int) -> None:
        self._store = store
        self._id = credential_id
        self._folder = folder
        self._room, self._file = f"{credential_id}.room", f"{credential_id}.json"
        self.credential, self.tokens = self._opened()

    @property
    def unanswered(self) -> AskedRefresh | None:
        try:
            data = read_private(self._folder, self._file, self._file, most=LARGEST_ASKED)
            asked = asked_from(data)
        except (FileNotFoundError, FlawError):
            return None
        return asked if asked.is_for(self.tokens) else None

    def finish(self) -> None:
        """Put in place an answer that a killed process left here."""
        if self.unanswered is None:
            self.forget()
            return
        with suppress(FileNotFoundError, FlawError, NotThere, CredentialDamaged):
            self._land(*opened(self._answer, self._id, self._store.identity, TokenResponse))

    def ask(self, now: datetime) -> AskedRefresh:
        asked = asked_for(self.tokens, self.unanswered, now)
        # Random, as a compressing file system would reserve no space for zeros.
        room = os.urandom(LARGEST_RECORD)
        with locked(self._store.data):
            self._sweep()
            self._write(self._room, room)
            self._write(self._file, asked_bytes(asked))
        return asked

    def failed(self, asked: AskedRefresh) -> None:
        with suppress(Problem, OSError), locked(self._store.data):
            self._write(self._file, asked_bytes(asked._replace(has_failed=True)))

    def keep(self, tokens: TokenResponse, event: Event | None = None) -> None:
        """Put Stripe's answer in place, in the space reserved on the disk."""
        refreshed = self.credential._replace(expires_at=tokens.expires_at)
        if event:
            refreshed = refreshed.remembering(event)
        data = sealed(refreshed, tokens, self._store.identity)
        try:
            files.fill(self._folder, self._room, data)
        except OSError:  # swept with the credential, removed by hand, or a link in its place
            with locked(self._store.data):
                self._write(self._room, data)
        self._land(refreshed, tokens)

    def forget(self) -> None:
        """Remove the files; if left, they do no harm."""
        for name in (self._room, self._file):
            with suppress(OSError):
                files.remove_unconfirmed(self._folder, name)

    def _land(self, in_room: Credential, tokens: TokenResponse) -> None:
        """Replace the record with the answer in the room."""
        with locked(self._store.data):
            credential, current = self._opened()
            if secret_fields(current) != secret_fields(self.tokens):
                _log.warning("%s already has other tokens; they stay", self._id)
                tokens = current  # from another approval, or from a copy that was put back
            else:
                credential = credential._replace(expires_at=in_room.expires_at)
                for event in in_room.history:
                    credential = credential.remembering(event)
                self._put(credential, tokens, is_in_room=credential == in_room)
        self.forget()
        self.credential, self.tokens = credential, tokens
        _log.info("refreshed the tokens of %s", self._id)

    def _put(self, credential: Credential, tokens: TokenResponse, *, is_in_room: bool) -> None:
        if is_in_room:
            self._store.credentials.take(self._id, self._folder, self._room)
        else:  # it was renamed, or a check found that its account was
            data = sealed(credential, tokens, self._store.identity)
            self._store.credentials.replace(self._id, data)

    def _opened(self) -> tuple[Credential, TokenResponse]:
        store = self._store
        return opened(store.credentials.read, self._id, store.identity, TokenResponse)

    def _answer(self, credential_id: str) -> Record:
        data = read_private(self._folder, self._room, self._room, most=LARGEST_RECORD)
        return parse_record(credential_id, data)

    def _write(self, name: str, data: bytes) -> None:
        try:
            files.replace(self._folder, name, data)
        except files.UnconfirmedError as unconfirmed:
            raise unconfirmed.cause from None  # no record is in doubt

    def _sweep(self) -> None:
        """Remove the files of deleted credentials.

        A process that waits for a removed lock will find that the credential is gone.
        """
        files.sweep(self._folder)
        for name in os.listdir(self._folder):  # noqa: PTH208 - a descriptor is not a Path
            credential_id = name[:ID_LENGTH]
            if is_credential_id(credential_id) and not self._store.credentials.has(
                credential_id
            ):
                files.remove_unconfirmed(self._folder, name)
