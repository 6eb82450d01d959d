"""The credentials on this machine, one file each: ``<id>.json``."""

from __future__ import annotations

import heapq
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.store import durable
from m3cred_tui.store.private import FlawError, private_folder, read_private
from m3cred_tui.store.problems import (
    AlreadyThere,
    CannotBeKept,
    CredentialDamaged,
    NotThere,
)
from m3cred_tui.store.record import (
    LARGEST_RECORD,
    Damaged,
    Record,
    credential_of,
    header_of,
    parse_record,
    record_bytes,
    to_be_sealed,
    tokens_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from m3cred_tui.model.credential import Credential, TokenResponse

_HEX = "[0-9a-f]"
_ID = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_is_id = re.compile(_ID).fullmatch
# No file's name has a slash in it.
_records_among = re.compile(f"/({_ID}\\.json)/").findall
_ID_LENGTH = 36
_TO_SHAPE = bytes.maketrans(b"123456789abcdef", b"000000000000000")
_SHAPE = b"00000000-0000-0000-0000-000000000000.json"
_PROBE_BYTES = 4096


class Newest(NamedTuple):
    """The first of the credentials' IDs, newest first, and how many there are in all."""

    ids: list[str]
    total: int


class CredentialStore:
    """Keeps credentials in a directory; cheap to construct, and touches nothing by itself.

    Every method may be called from any thread. Each raises ``StoreUnusable`` when a
    directory is another user's, is open to others, or fails.
    """

    def __init__(self, credentials: Path, identity: Path) -> None:
        """Take the directory of the records, and the file of the identity that opens them."""
        self._credentials = credentials
        self._identity = identity

    def ids(self) -> list[str]:
        """Return the ID of every credential, newest first; opens no file."""
        return [name[:_ID_LENGTH] for name in sorted(self._names(), reverse=True)]

    def newest(self, most: int) -> Newest:
        """Return the first ``most`` of :meth:`ids`, without the time to sort the others."""
        names = self._names()
        first = heapq.nlargest(most, names)
        return Newest([name[:_ID_LENGTH] for name in first], len(names))

    def read(self, credential_id: str) -> Credential | Damaged | None:
        """Return a credential without its secrets; ``None`` if it is gone or never was.

        A file that is no whole record of this version is :class:`Damaged`, and is left alone.
        """
        try:
            return credential_of(self._record(credential_id))
        except FileNotFoundError:
            return None
        except FlawError as flaw:
            return Damaged(credential_id, str(flaw))

    def prepare(self) -> None:
        """See to it that :meth:`create` can succeed, by doing all of it but the record.

        Call it before Stripe is asked for what cannot be asked for twice. Raises
        ``StoreUnusable``, ``IdentityMissing`` or ``OutcomeUnknown``.
        """
        from m3cred_tui.store import sealing  # noqa: PLC0415 - it says why

        sealing.identity_to_seal_for(self._identity, is_first_use=self._is_empty)
        with private_folder(self._credentials, make=True) as folder:
            probe = durable.temporary_name()
            durable.create(folder, probe, bytes(_PROBE_BYTES))
            durable.remove(folder, probe)

    def create(self, credential: Credential, tokens: TokenResponse) -> None:
        """Keep a new credential; when this returns, it survives a crash.

        Raises ``AlreadyThere``, ``CannotBeKept``, ``StoreUnusable`` or ``IdentityMissing`` when
        nothing was changed, and ``OutcomeUnknown`` when the credential is there but the disk
        did not confirm it.
        """
        from m3cred_tui.store import sealing  # noqa: PLC0415 - it says why

        if not _is_id(credential.id):
            raise CannotBeKept(credential.id, "its ID is not a UUID")
        header = header_of(credential)
        identity = sealing.identity_to_seal_for(self._identity, is_first_use=self._is_empty)
        sealed = sealing.seal(identity, to_be_sealed(header, tokens))
        try:
            data = record_bytes(Record(header, sealed))
            with private_folder(self._credentials, make=True) as folder:
                durable.create(folder, _file_name(credential.id), data)
        except FileExistsError:
            raise AlreadyThere(credential.id) from None
        except FlawError as flaw:
            raise CannotBeKept(credential.id, flaw.reason) from None

    def tokens(self, credential_id: str) -> TokenResponse:
        """Return the secrets of a credential.

        Raises ``NotThere``, ``IdentityMissing``, ``StoreUnusable``, and ``CredentialDamaged``
        also when its clear fields are not those that were sealed.
        """
        from m3cred_tui.store import sealing  # noqa: PLC0415 - it says why

        try:
            record = self._record(credential_id)
            identity = sealing.identity_to_open_with(self._identity)
            return tokens_of(record, sealing.unseal(identity, record.sealed))
        except FileNotFoundError:
            raise NotThere(credential_id) from None
        except FlawError as flaw:
            raise CredentialDamaged(credential_id, str(flaw)) from None

    def delete(self, credential_id: str) -> None:
        """Remove a credential, damaged or not; one that is gone already is fine.

        Raises :class:`StoreUnusable` when it is still there, and :class:`OutcomeUnknown` when
        it is gone but may be back after a crash.
        """
        try:
            with private_folder(self._credentials) as folder:
                durable.remove(folder, _file_name(credential_id))
        except FileNotFoundError:
            return

    def _is_empty(self) -> bool:
        return not self._names()

    def _names(self) -> list[str]:
        try:
            with private_folder(self._credentials) as folder:
                names = os.listdir(folder)  # noqa: PTH208 - a descriptor is not a Path
        except FileNotFoundError:
            return []
        # One look at all of them at once is four times as fast as one at each.
        shapes = "/".join(names).encode("utf-8", "surrogateescape").translate(_TO_SHAPE)
        if shapes == b"/".join([_SHAPE] * len(names)):
            return names
        return _records_among(f"/{'//'.join(names)}/")

    def _record(self, credential_id: str) -> Record:
        name = _file_name(credential_id)
        path = self._credentials / name
        with private_folder(self._credentials) as folder:
            data = read_private(folder, name, path, most=LARGEST_RECORD)
        return parse_record(credential_id, data)


def _file_name(credential_id: str) -> str:
    if not _is_id(credential_id):
        raise FileNotFoundError(credential_id)  # no file has such a name
    return f"{credential_id}.json"
