"""A credential as it lies on disk: one JSON object with a clear header and a sealed part.

What comes from a file is believed here or nowhere: types and sizes are checked, codes must
be known, and text is cleaned for the terminal.
"""

import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar, cast

from m3cred_tui.model.credential import Credential, Status, StripeAccount, TokenResponse
from m3cred_tui.model.destination import DESTINATIONS
from m3cred_tui.model.entity_type import ENTITY_TYPES
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean
from m3cred_tui.store.private import FlawError

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
_LONGEST_LINE = 200

# As json.loads, which takes a quarter longer.
_decode = json.JSONDecoder().raw_decode

# Beyond these, a time cannot be told in every time zone.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)

_ENTITY_TYPES = {one.code: one for one in ENTITY_TYPES}
_DESTINATIONS = {one.code: one for one in DESTINATIONS}
_STATUSES = {one.value: one for one in Status}

Json = dict[str, object]
T = TypeVar("T")


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
        "stripe": {
            "account": account.id,
            "name": account.name,
            "country": account.country,
            "livemode": account.livemode,
        },
        "createdAt": credential.created_at.astimezone(UTC).isoformat(),
        "createdBy": credential.created_by,
        "status": credential.status.value,
    }


def to_be_sealed(header: Json, tokens: TokenResponse) -> bytes:
    """Return the text of the sealed part: the whole header again, and the secrets."""
    secrets = {
        "accountId": tokens.account_id,
        "livemode": tokens.livemode,
        "scope": tokens.scope,
        "accessToken": _revealed(tokens.access_token),
        "refreshToken": _revealed(tokens.refresh_token),
        "publishableKey": tokens.publishable_key,
    }
    return json.dumps({**header, "tokens": secrets}).encode("ascii")


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
    header = _object(data)
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
    sealed = _str(header, "sealed")
    if not (sealed.startswith(_ARMOUR[0]) and sealed.endswith(_ARMOUR[1])):
        raise FlawError("its sealed part is not an age text")
    del header["sealed"]
    return Record(header, sealed)


def credential_of(record: Record) -> Credential:
    """Return the credential that a record is of; raises :class:`FlawError` for a bad field."""
    header = _migrated(record.header)
    stripe = header["stripe"]
    if not isinstance(stripe, dict) or stripe.keys() != _STRIPE_FIELDS:
        raise FlawError("its stripe is not an account")
    return Credential(
        id=_str(header, "id"),
        name=_line(header, "name"),
        entity_type=_known(_ENTITY_TYPES, header, "entityType"),
        destination=_known(_DESTINATIONS, header, "destination"),
        account=StripeAccount(
            id=_line(stripe, "account"),
            livemode=_bool(stripe, "livemode"),
            name=None if stripe["name"] is None else _line(stripe, "name"),
            country=None if stripe["country"] is None else _line(stripe, "country"),
        ),
        created_at=_time(header, "createdAt"),
        created_by=_line(header, "createdBy"),
        status=_known(_STATUSES, header, "status"),
    )


def tokens_of(record: Record, unsealed: bytes) -> TokenResponse:
    """Return the secrets of a record whose sealed part was opened.

    Raises :class:`FlawError` unless the sealed part repeats the clear header exactly (age does
    not say who wrote it), and where :func:`credential_of` would.
    """
    credential_of(record)
    sealed = _object(unsealed)
    tokens = sealed.pop("tokens", None)
    if sealed != record.header:
        raise FlawError("its fields were changed after it was sealed")
    if not isinstance(tokens, dict):
        raise FlawError("its sealed part has no tokens")
    publishable_key = tokens.get("publishableKey")
    return TokenResponse(
        account_id=_line(tokens, "accountId"),
        livemode=_bool(tokens, "livemode"),
        scope=_line(tokens, "scope"),
        access_token=_secret(tokens, "accessToken"),
        refresh_token=_secret(tokens, "refreshToken"),
        publishable_key=None if publishable_key is None else _line(tokens, "publishableKey"),
    )


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


def _object(data: bytes) -> Json:
    try:
        text = data.decode("utf-8")
        value, end = _decode(text)
    except (ValueError, RecursionError):
        # Without its cause, which shows the text.
        raise FlawError("it is not whole JSON") from None
    if end != len(text) and text[end:].strip():
        raise FlawError("it is not whole JSON")
    if not isinstance(value, dict):
        raise FlawError("it is not a JSON object")
    return value


def _str(fields: Json, key: str) -> str:
    value = fields.get(key)
    if type(value) is not str:
        raise FlawError(f"its {key} is not text")
    return value


def _line(fields: Json, key: str) -> str:
    return clean(_str(fields, key), most=_LONGEST_LINE)


def _bool(fields: Json, key: str) -> bool:
    value = fields.get(key)
    if type(value) is not bool:
        raise FlawError(f"its {key} is neither true nor false")
    return value


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _secret(fields: Json, key: str) -> Secret | None:
    return None if fields.get(key) is None else Secret(_str(fields, key))


def _time(fields: Json, key: str) -> datetime:
    try:
        time = datetime.fromisoformat(_str(fields, key))
    except ValueError:
        raise FlawError(f"its {key} is not a time") from None
    if time.tzinfo is None:
        raise FlawError(f"its {key} has no time zone")
    if not _EARLIEST <= time < _LATEST:
        raise FlawError(f"its {key} is not a time")
    return time


def _known(table: dict[str, T], fields: Json, key: str) -> T:
    code = _str(fields, key)
    if code not in table:
        raise FlawError(f"its {key} “{clean(code, most=40)}” is not known")
    return table[code]
