"""A credential on disk: one JSON object with a clear header and a sealed part.

What comes from a file is believed here or nowhere: types and sizes are checked, codes must
be known, and text is cleaned for the terminal.
"""

from __future__ import annotations

import json
import zlib
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple, cast

from m3cred_tui.model.credential import (
    DESTINATIONS,
    ENTITY_TYPES,
    Credential,
    Status,
    StripeAccount,
)
from m3cred_tui.model.text import clean
from m3cred_tui.store.directory.fields import (
    Json,
    boolean,
    json_object,
    known,
    line,
    text,
    time,
)
from m3cred_tui.store.files import FlawError

if TYPE_CHECKING:
    from collections.abc import Callable

    from m3cred_tui.store.directory.secrets import Secrets


SCHEMA = 2
LARGEST_RECORD = 64 * 1024
"""Bytes; a record of today has about 2,000."""

_FIELDS = frozenset(
    {"schema", "id", "name", "entityType", "destination", "stripe"}
    | {"createdAt", "createdBy", "status", "sealed"}
)
_CHECKSUM = "crc32"
# Of every byte before it, and nothing comes after it: no byte can be another one unnoticed.
_LAST_FIELD = b',\n  "crc32": "%08x"\n}'
_LAST_FIELD_LENGTH = len(_LAST_FIELD % 0)
_STRIPE_FIELDS = frozenset({"account", "name", "country", "livemode"})
_ARMOUR = "-----BEGIN AGE ENCRYPTED FILE-----\n", "\n-----END AGE ENCRYPTED FILE-----\n"

_ENTITY_TYPES = {one.code: one for one in ENTITY_TYPES}
_DESTINATIONS = {one.code: one for one in DESTINATIONS}
_STATUSES = {one.value: one for one in Status}


class Record(NamedTuple):
    """The two parts of a record, as they stand in the file, in whichever schema it is."""

    header: Json
    sealed: str


class Damaged(NamedTuple):
    """A record that cannot be used, as a row that can be seen; ``reason`` is a phrase."""

    id: str
    reason: str


def header_of(credential: Credential) -> Json:
    """Return the clear part of the record: everything that is no secret."""
    account = credential.account
    return {
        "schema": SCHEMA,
        "id": credential.id,
        "name": credential.name,
        "entityType": credential.entity_type.code,
        "destination": credential.destination.code,
        "stripe": None if account is None else _account_fields(account),
        "createdAt": credential.created_at.astimezone(UTC).isoformat(),
        "createdBy": credential.created_by,
        "status": credential.status.value,
    }


def _account_fields(account: StripeAccount) -> Json:
    return {
        "account": account.id,
        "name": account.name,
        "country": account.country,
        "livemode": account.livemode,
    }


def record_bytes(record: Record) -> bytes:
    """Return the file's content: pure ASCII, so that ``cat`` is harmless too.

    Raises :class:`FlawError` when it could not be read again.
    """
    data = with_checksum({**record.header, "sealed": record.sealed})
    if len(data) > LARGEST_RECORD:
        raise FlawError(f"it takes {len(data):,} bytes; {LARGEST_RECORD:,} is the most")
    credential_of(parse_record(str(record.header["id"]), data))
    return data


def with_checksum(fields: Json) -> bytes:
    """Return the content of a file with these fields."""
    # With indent, json.dumps takes ten times as long; and no key has to be escaped.
    lines = [f'\n  "{key}": {json.dumps(value)}' for key, value in fields.items()]
    checked = f"{{{','.join(lines)}".encode("ascii")
    return checked + _last_field(checked)


def parse_record(credential_id: str, data: bytes) -> Record:
    """Return the record in a file's ``data`` as it stands there.

    Raises :class:`FlawError` unless it is a whole record of a known schema and this ID.
    """
    header = json_object(data)
    schema = header.get("schema")
    if type(schema) is not int or schema < 1:
        raise FlawError("it is not a credential of m3cred")
    if schema > SCHEMA:
        raise FlawError(f"a newer m3cred wrote it (schema {clean(str(schema), most=10)})")
    if schema > _LAST_WITHOUT_CHECKSUM:
        if not data.endswith(_last_field(data[:-_LAST_FIELD_LENGTH])):
            raise FlawError("it was changed after it was written (its checksum is wrong)")
        del header[_CHECKSUM]
    if header.keys() != _FIELDS:
        raise FlawError("it is not a credential of m3cred")
    if header["id"] != credential_id:
        raise FlawError("its ID is not the one in its file's name")
    sealed = text(header, "sealed")
    if not (sealed.startswith(_ARMOUR[0]) and sealed.endswith(_ARMOUR[1])):
        raise FlawError("its sealed part is not an age text")
    del header["sealed"]
    return Record(header, sealed)


def credential_of(record: Record) -> Credential:
    """Return the credential that a record is of; raises :class:`FlawError` for a bad field."""
    header = _migrated(record.header)
    status = known(_STATUSES, header, "status")
    return Credential(
        id=text(header, "id"),
        name=line(header, "name"),
        entity_type=known(_ENTITY_TYPES, header, "entityType"),
        destination=known(_DESTINATIONS, header, "destination"),
        account=_account(header["stripe"], is_needed=status is not Status.PENDING),
        created_at=time(header, "createdAt"),
        created_by=line(header, "createdBy"),
        status=status,
    )


def _account(stripe: object, *, is_needed: bool) -> StripeAccount | None:
    if stripe is None and not is_needed:
        return None
    if not isinstance(stripe, dict) or stripe.keys() != _STRIPE_FIELDS:
        raise FlawError("its stripe is not an account")
    return StripeAccount(
        id=line(stripe, "account"),
        livemode=boolean(stripe, "livemode"),
        name=None if stripe["name"] is None else line(stripe, "name"),
        country=None if stripe["country"] is None else line(stripe, "country"),
    )


def to_be_sealed(header: Json, secrets: Secrets) -> bytes:
    """Return the text of the sealed part: the whole header again, and the secrets."""
    from m3cred_tui.store.directory.secrets import fields_of  # noqa: PLC0415 - a list opens nothing

    return json.dumps({**header, **fields_of(secrets)}).encode("ascii")


def secrets_of(record: Record, unsealed: bytes) -> Secrets:
    """Return the secrets of a record whose sealed part was opened.

    Raises :class:`FlawError` unless the sealed part repeats the clear header exactly (age does
    not say who wrote it), and where :func:`credential_of` would.
    """
    from m3cred_tui.store.directory.secrets import taken_from  # noqa: PLC0415 - a list opens nothing

    credential_of(record)
    sealed = json_object(unsealed)
    secrets = taken_from(sealed)
    if sealed != record.header:
        raise FlawError("its fields were changed after it was sealed")
    return secrets


def _last_field(checked: bytes) -> bytes:
    return _LAST_FIELD % zlib.crc32(checked)


def _to_schema_2(header: Json) -> Json:
    return header  # only the file gained a checksum


_LAST_WITHOUT_CHECKSUM = 1
_MIGRATIONS: dict[int, Callable[[Json], Json]] = {1: _to_schema_2}


def _migrated(header: Json) -> Json:
    """Return the header as today's schema has it; the file stays as it is until an update."""
    for schema in range(cast("int", header["schema"]), SCHEMA):
        header = {**_MIGRATIONS[schema](header), "schema": schema + 1}
    return header
