"""A credential on disk: one JSON object with a clear header and a sealed part."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from m3cred_tui.model.credential import Credential, TokenResponse, is_credential_id
from m3cred_tui.model.text import clean
from m3cred_tui.store import sealing
from m3cred_tui.store.fields import (
    Json,
    credential_fields,
    credential_from,
    json_object,
    secret_fields,
    secrets_taken_from,
    text,
)
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.problems import CannotBeKept, CredentialDamaged, NotThere

if TYPE_CHECKING:
    from collections.abc import Callable

    from m3cred_tui.store.fields import Secrets
    from m3cred_tui.store.identity import IdentityFile

    Read = Callable[[str], "Record"]

S = TypeVar("S")

SCHEMA = 3
_WITHOUT_OPTIONAL = 2
LARGEST_RECORD = 64 * 1024
"""Bytes; a record of today has about 2,000."""

_FIELDS = frozenset(
    {"schema", "id", "name", "entityType", "destination", "stripe"}
    | {"createdAt", "createdBy", "status", "sealed"}
)
_OPTIONAL = frozenset({"renews", "approval", "history", "expiresAt"})
"""Since schema 3, which only a record with one of them has: the others are read by an older
m3cred, too."""
_CHECKSUM = "crc32"
# Covers every byte before it, and nothing follows it, so that each changed byte is noticed.
_LAST_FIELD = b',\n  "crc32": "%08x"\n}'
_LAST_FIELD_LENGTH = len(_LAST_FIELD % 0)
_ARMOUR = "-----BEGIN AGE ENCRYPTED FILE-----\n", "\n-----END AGE ENCRYPTED FILE-----\n"


class Record(NamedTuple):
    """The two parts of a record as they are in its file, whatever its schema."""

    header: Json
    sealed: str


def record_bytes(record: Record) -> bytes:
    """Return the file's content: pure ASCII, so that ``cat`` is harmless.

    Raises :class:`FlawError` if it could not be read again.
    """
    data = with_checksum({**record.header, "sealed": record.sealed})
    if len(data) > LARGEST_RECORD:
        raise FlawError(f"it takes {len(data):,} bytes; {LARGEST_RECORD:,} is the most")
    credential_from(parse_record(str(record.header["id"]), data).header)
    return data


def with_checksum(fields: Json) -> bytes:
    """Return the content of a file with these fields."""
    # With indent, json.dumps takes ten times as long; no key needs escaping.
    lines = [f'\n  "{key}": {json.dumps(value)}' for key, value in fields.items()]
    checked = f"{{{','.join(lines)}".encode("ascii")
    return checked + _last_field(checked)


def parse_record(credential_id: str, data: bytes) -> Record:
    """Return the record in a file's ``data``, unchanged.

    Raises :class:`FlawError` unless it is a complete record of a known schema and this ID.
    """
    header = json_object(data)
    schema = header.get("schema")
    if type(schema) is not int or schema < 1:
        raise FlawError("it is not an m3cred credential")
    if schema > SCHEMA:
        raise FlawError(f"a newer m3cred wrote it (schema {clean(str(schema), most=10)})")
    if schema > 1:  # schema 1 has no checksum; its files stay as they are until an update
        if not data.endswith(_last_field(data[:-_LAST_FIELD_LENGTH])):
            raise FlawError("it was changed after it was written (its checksum is wrong)")
        del header[_CHECKSUM]
    optional = _OPTIONAL if schema > _WITHOUT_OPTIONAL else frozenset()
    if header.keys() - optional != _FIELDS:
        raise FlawError("it is not an m3cred credential")
    if header["id"] != credential_id:
        raise FlawError("its ID is not the one in its file's name")
    sealed = text(header, "sealed")
    if not (sealed.startswith(_ARMOUR[0]) and sealed.endswith(_ARMOUR[1])):
        raise FlawError("its sealed part is not an age text")
    del header["sealed"]
    return Record(header, sealed)


def sealed(
    credential: Credential,
    secrets: Secrets,
    identity: IdentityFile,
    *,
    is_last_resort: bool = False,
) -> bytes:
    """Return the content of a record's file; the sealed part repeats the header.

    The tokens say when the credential expires.
    As a last resort, it is sealed for the identity that was last open here. Raises
    :class:`CannotBeKept`, and what :meth:`IdentityFile.recipient` does.
    """
    if not is_credential_id(credential.id):
        raise CannotBeKept(credential.id, "its ID is not a UUID")
    expires_at = secrets.expires_at if isinstance(secrets, TokenResponse) else None
    credential = credential._replace(expires_at=expires_at)
    fields = credential_fields(credential)
    schema = _WITHOUT_OPTIONAL if _OPTIONAL.isdisjoint(fields) else SCHEMA
    header = {"schema": schema, **fields}
    recipient = identity.recipient(is_last_resort=is_last_resort)
    try:
        plain = json.dumps({**header, **secret_fields(secrets)}).encode("ascii")
        return record_bytes(Record(header, sealing.seal(recipient, plain)))
    except FlawError as flaw:
        raise CannotBeKept(credential.id, flaw.reason) from None


def opened(
    read: Read, credential_id: str, identity: IdentityFile, kind: type[S]
) -> tuple[Credential, S]:
    """Return a credential and its secrets of this kind.

    Raises ``NotThere``, ``CredentialDamaged``, and what :meth:`IdentityFile.to_open` does.
    """
    try:
        record = read(credential_id)
        credential = credential_from(record.header)
        secrets = secrets_of(record, sealing.unseal(identity.to_open(), record.sealed))
    except FileNotFoundError:
        raise NotThere(credential_id) from None
    except FlawError as flaw:
        raise CredentialDamaged(credential_id, str(flaw)) from None
    if not isinstance(secrets, kind):
        raise NotThere(credential_id)  # a request has no tokens yet, and tokens no request
    return credential, secrets


def secrets_of(record: Record, unsealed: bytes) -> Secrets:
    """Return the secrets of a record whose sealed part was opened.

    Raises :class:`FlawError` unless the sealed part repeats the clear header exactly: age does
    not say who wrote it.
    """
    sealed = json_object(unsealed)
    secrets = secrets_taken_from(sealed)
    if sealed != record.header:
        raise FlawError("its fields were changed after it was sealed")
    return secrets


def _last_field(checked: bytes) -> bytes:
    return _LAST_FIELD % zlib.crc32(checked)
