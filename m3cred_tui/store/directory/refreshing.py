"""Replacing the tokens of a credential, by one process at a time."""

from __future__ import annotations

import logging
import os
import re
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.problem import Problem
from m3cred_tui.store import files
from m3cred_tui.store.directory.fields import boolean, json_object, text, time
from m3cred_tui.store.directory.folder import ID_LENGTH, is_id
from m3cred_tui.store.directory.record import (
    LARGEST_RECORD,
    Record,
    parse_record,
    with_checksum,
)
from m3cred_tui.store.directory.secrets import fields_of
from m3cred_tui.store.files import FlawError, private_folder, read_private
from m3cred_tui.store.lock import locked
from m3cred_tui.store.problems import CredentialDamaged, NotThere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from m3cred_tui.model.credential import Credential, TokenResponse
    from m3cred_tui.model.secret import Secret
    from m3cred_tui.store.directory.folder import RecordFolder

    Read = Callable[[str], Record]
    Open = Callable[[Read, str], tuple[Credential, TokenResponse]]
    Seal = Callable[[Credential, TokenResponse], bytes]


LARGEST_ASKED = 4096

_SCHEMA = 1
_STUBBORN = timedelta(minutes=10)
"""How long the same key is used after Stripe has failed. Stripe may give the same failure to it
for a day; but the failure may also be of a proxy, and the answer be there, so that the key is
not given up for good."""

_key_parts = re.compile(r"(m3cred-[0-9a-f]{64})-([0-9]{1,6})", re.ASCII).fullmatch


class Asked(NamedTuple):
    """One question: whoever asks it again within a day gets the same answer."""

    key: str
    """The idempotency key."""
    at: datetime
    """When it was asked first: the answer is not younger than that."""
    has_failed: bool = False
    """Whether Stripe has failed to answer it, by a 5xx status."""
    since: datetime | None = None
    """When another key was used first for the same tokens, if one was."""

    @property
    def begun_at(self) -> datetime:
        """When these tokens were to be replaced first, under whichever key."""
        return self.since or self.at

    @property
    def earlier(self) -> Asked | None:
        """The question under the key before this one; it is put down as old as it can be."""
        stem, _, number = self.key.rpartition("-")
        return Asked(f"{stem}-{int(number) - 1}", self.begun_at) if int(number) else None

    def is_for(self, tokens: TokenResponse) -> bool:
        """Tell whether it asks for what replaces these tokens."""
        return self.key.startswith(f"{_key_of(tokens)}-")


def question(tokens: TokenResponse, before: Asked | None, now: datetime) -> Asked:
    """Return what to ask for these tokens, where ``before`` was asked for them before."""
    if before is None:
        return Asked(f"{_key_of(tokens)}-0", now)
    if before.has_failed and not before.at <= now < before.at + _STUBBORN:
        stem, _, number = before.key.rpartition("-")
        return Asked(f"{stem}-{int(number) + 1}", now, since=before.begun_at)
    return before


def asked_bytes(asked: Asked) -> bytes:
    """Return the content of its file."""
    fields = {
        "schema": _SCHEMA,
        "idempotencyKey": asked.key,
        "askedAt": asked.at.astimezone(UTC).isoformat(),
        "hasFailed": asked.has_failed,
        **({"since": asked.since.astimezone(UTC).isoformat()} if asked.since else {}),
    }
    return with_checksum(fields)


def asked_from(data: bytes) -> Asked:
    """Read the content of its file; raises :class:`FlawError`."""
    fields = json_object(data)
    key = text(fields, "idempotencyKey")
    if fields.get("schema") != _SCHEMA or not _key_parts(key):
        raise FlawError("it is not a question of m3cred's to Stripe")
    since = time(fields, "since") if "since" in fields else None
    return Asked(key, time(fields, "askedAt"), boolean(fields, "hasFailed"), since)


def _key_of(tokens: TokenResponse) -> str:
    """Return the same key for the same tokens, so that it cannot be lost while they are there.

    Both are in it: should Stripe leave a refresh token as it is, another refresh is yet another
    question. Nobody can find the tokens by it.
    """
    both = f"{_revealed(tokens.refresh_token)}\n{_revealed(tokens.access_token)}"
    return f"m3cred-{sha256(both.encode()).hexdigest()}"


def _revealed(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""


_log = logging.getLogger(__name__)

_PATIENCE = 60.0
"""Seconds; who holds the lock waits for Stripe."""


class RefreshStore(NamedTuple):
    """Lets one process at a time refresh a credential."""

    data: Path
    credentials: RecordFolder
    open: Open
    seal: Seal

    @contextmanager
    def begun(self, credential_id: str) -> Iterator[Refresh]:
        """Keep every other process from refreshing a created credential, for a block.

        An answer that another process has left on disk is in its place by then. Blocks while
        another one waits for Stripe. Raises what ``CredentialStore.update`` does.
        """
        self.open(self.credentials.read, credential_id)  # or a lock is made for nothing
        path = self.data / "refreshing"
        with (
            locked(path, f"{credential_id}.lock", patience=_PATIENCE),
            private_folder(path) as folder,
        ):
            refresh = Refresh(self, credential_id, folder)
            refresh.finish()
            yield refresh


class Refresh:
    """A refresh of one credential, under its lock; ``tokens`` are those that count now.

    Each method raises ``StoreUnusable``, ``StoreBusy`` and ``OutcomeUnknown``.
    """

    def __init__(self, store: RefreshStore, credential_id: str, folder: int) -> None:
        self._store = store
        self._id = credential_id
        self._folder = folder
        self._room, self._file = f"{credential_id}.room", f"{credential_id}.json"
        self.credential, self.tokens = self._opened()

    @property
    def unanswered(self) -> Asked | None:
        """What Stripe was asked for these tokens, without an answer that is known."""
        try:
            data = read_private(self._folder, self._file, self._file, most=LARGEST_ASKED)
            asked = asked_from(data)
        except (FileNotFoundError, FlawError):
            return None
        return asked if asked.is_for(self.tokens) else None

    def finish(self) -> None:
        """Put an answer that lies here since a process was killed in its place."""
        if self.unanswered is None:
            self.forget()
            return
        with suppress(FileNotFoundError, FlawError, NotThere, CredentialDamaged):
            self._land(*self._store.open(self._answer, self._id))

    def ask(self, now: datetime) -> Asked:
        """Return what to ask Stripe with; that, and room for the answer, is on the disk."""
        asked = question(self.tokens, self.unanswered, now)
        # Random, as a file system that compresses would have no room for as many zeros.
        room = os.urandom(LARGEST_RECORD)
        with locked(self._store.data):
            self._sweep()
            self._write(self._room, room)
            self._write(self._file, asked_bytes(asked))
        return asked

    def failed(self, asked: Asked) -> None:
        """Remember that Stripe has failed to answer, if that can be done."""
        with suppress(Problem, OSError), locked(self._store.data):
            self._write(self._file, asked_bytes(asked._replace(has_failed=True)))

    def keep(self, tokens: TokenResponse) -> None:
        """Put Stripe's answer in the place of the tokens that it replaces.

        It takes no room on the disk that is not there already. When this returns, it survives
        a crash; should it raise, Stripe gives the same answer again.
        """
        data = self._store.seal(self.credential, tokens)
        try:
            files.fill(self._folder, self._room, data)
        except FileNotFoundError:  # swept with the credential, or removed by hand
            with locked(self._store.data):
                self._write(self._room, data)
        self._land(self.credential, tokens)

    def forget(self) -> None:
        """Forget what was asked, as nothing more can come of it; left here, it does no harm."""
        for name in (self._room, self._file):
            with suppress(OSError):
                files.remove_unconfirmed(self._folder, name)

    def _land(self, in_room: Credential, tokens: TokenResponse) -> None:
        """Put the answer that is in the room in the place of the record."""
        with locked(self._store.data):
            credential, current = self._opened()
            if not _same(current, self.tokens):
                _log.warning("%s has other tokens by now; they stay", self._id)
                tokens = current  # of another approval, or of a copy that was put back
            elif credential != in_room:  # a check has found its account renamed
                data = self._store.seal(credential, tokens)
                self._store.credentials.replace(self._id, data)
            else:
                self._store.credentials.take(self._id, self._folder, self._room)
        self.forget()
        self.credential, self.tokens = credential, tokens
        _log.info("refreshed the tokens of %s", self._id)

    def _opened(self) -> tuple[Credential, TokenResponse]:
        return self._store.open(self._store.credentials.read, self._id)

    def _answer(self, credential_id: str) -> Record:
        data = read_private(self._folder, self._room, self._room, most=LARGEST_RECORD)
        return parse_record(credential_id, data)

    def _write(self, name: str, data: bytes) -> None:
        try:
            files.replace(self._folder, name, data)
        except files.UnconfirmedError as unconfirmed:
            raise unconfirmed.cause from None  # nothing that anybody has is in doubt

    def _sweep(self) -> None:
        """Remove what is left of credentials that are gone.

        Who waits for a lock that is removed will find that its credential is gone, too.
        """
        files.sweep(self._folder)
        for name in os.listdir(self._folder):  # noqa: PTH208 - a descriptor is not a Path
            credential_id = name[:ID_LENGTH]
            if is_id(credential_id) and not self._store.credentials.has(credential_id):
                files.remove_unconfirmed(self._folder, name)


def _same(one: TokenResponse, other: TokenResponse) -> bool:
    return fields_of(one) == fields_of(other)
