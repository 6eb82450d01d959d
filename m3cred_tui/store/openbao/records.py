"""A credential on KV version 2: one record, and in its custom metadata what lists show.

``MOUNT/data/PATH/credentials/<id>`` holds the fields of a credential and its secrets, for a
created one as for a pending one. The custom metadata of the same path is a copy of the fields
without the secrets, for those who may list and not read tokens. It is written after the record
and says which version it describes; where that is not the current one, the record counts.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from m3cred_tui.model.credential import Credential, Status, TokenResponse
from m3cred_tui.model.text import clean
from m3cred_tui.store.fields import (
    Json,
    credential_fields,
    credential_from,
    json_object,
    secret_fields,
    secrets_taken_from,
)
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.port import Damaged, Row
from m3cred_tui.store.problems import CredentialDamaged, NotThere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from m3cred_tui.store.fields import Secrets

S = TypeVar("S")

SCHEMA = 1
_LONGEST_VALUE = 480
"""Bytes; the engine takes 512 in a value of custom metadata."""
_MOST_PARTS = 40
_account_id = re.compile(r"acct_[A-Za-z0-9]{1,64}").fullmatch
_token = re.compile(r"[!-~]{1,4096}").fullmatch
_escape = re.compile(r"\\([0-9a-f]{6})")


class Record(NamedTuple):
    """A record as it was read: its version, and its fields if it exists."""

    version: int
    """0 if there never was one; a change must name it."""
    fields: Json | None
    """``None`` if it does not exist, or was deleted."""
    is_deleted: bool = False
    """Whether it is marked as deleted, and is about to be removed."""

    @property
    def is_pending(self) -> bool:
        """Whether it is not created yet, even if the rest of it is damaged."""
        return self.fields is not None and is_pending(self.fields.get("status"))


def is_pending(status: object) -> bool:
    """Return whether a status is one of a credential that is not created."""
    return status in (Status.PENDING.value, Status.UNKNOWN.value)  # it may be of any type


DELETED: Json = {"schema": SCHEMA, "deleted": True}
"""Takes the place of a record that is being deleted, so that no change can follow."""


def record_fields(credential: Credential, secrets: Secrets) -> Json:
    """Return the fields of a record; raises ``FlawError`` if they could not be read again.

    The tokens say when the credential expires.
    """
    expires_at = secrets.expires_at if isinstance(secrets, TokenResponse) else None
    credential = credential._replace(expires_at=expires_at)
    fields = {"schema": SCHEMA, **credential_fields(credential), **secret_fields(secrets)}
    whole(credential.id, fields)
    return fields


def credential_in(credential_id: str, fields: Json) -> Credential:
    """Return the credential in a record's fields; raises ``FlawError``."""
    schema = fields.get("schema")
    if type(schema) is not int or schema < 1:
        raise FlawError("it is not an m3cred credential")
    if schema > SCHEMA:
        raise FlawError(f"a newer m3cred wrote it (schema {clean(str(schema), most=10)})")
    if "stripe" not in fields:
        raise FlawError("it is not an m3cred credential")
    if fields.get("id") != credential_id:
        raise FlawError("its ID is not the one in its path")
    return _of_stripe(credential_from(fields))


def whole(credential_id: str, fields: Json) -> tuple[Credential, Secrets]:
    """Return the credential and its secrets in a record's fields; raises ``FlawError``.

    Whoever may write can put the tokens of one account next to the name of another.
    """
    credential, secrets = credential_in(credential_id, fields), secrets_taken_from({**fields})
    account = credential.account
    if isinstance(secrets, TokenResponse):
        if account and (account.id, account.livemode) != (secrets.account_id, secrets.livemode):
            raise FlawError("its tokens are not those of its account")
        for token in (secrets.access_token, secrets.refresh_token):
            if token and not _is_token(token.reveal(), livemode=secrets.livemode):
                raise FlawError("its tokens are not Stripe's, or of the other mode")
    elif credential.status is Status.AUTHENTICATED:
        raise FlawError("it has no tokens")
    return credential, secrets


def _is_token(text: str, *, livemode: bool) -> bool:
    other = "_test_" if livemode else "_live_"
    return _token(text) is not None and not text[2:].startswith(other)


def _of_stripe(credential: Credential) -> Credential:
    """Return a credential if its account can be one; the ID is part of URLs and commands."""
    account = credential.account
    if account is None:
        return credential
    if not _account_id(account.id):
        raise FlawError("its account is not one of Stripe's")
    if account.livemode != credential.destination.livemode:
        raise FlawError("its account is of the other mode than its destination")
    return credential


def opened(credential_id: str, record: Record, kind: type[S]) -> tuple[Credential, S]:
    """Return a credential and its secrets of this kind.

    Raises ``NotThere`` and ``CredentialDamaged``.
    """
    if record.fields is None:
        raise NotThere(credential_id)
    try:
        credential, secrets = whole(credential_id, record.fields)
    except FlawError as flaw:
        raise CredentialDamaged(credential_id, str(flaw)) from None
    if not isinstance(secrets, kind):
        raise NotThere(credential_id)  # a request has no tokens yet, and tokens no request
    return credential, secrets


def created(credential_id: str, record: Record) -> tuple[Credential, TokenResponse]:
    """Return a credential that is created, and its tokens; raises what :func:`opened` does."""
    if record.is_pending:
        raise NotThere(credential_id)
    return opened(credential_id, record, TokenResponse)


def row_of(credential_id: str, fields: Json | None) -> Row | None:
    """Return the row of a record; its secrets are looked at, too."""
    if fields is None:
        return None
    try:
        return whole(credential_id, fields)[0]
    except FlawError as flaw:
        return Damaged(credential_id, str(flaw))


def shown_fields(fields: Json, version: int, *, in_ascii: bool = False) -> dict[str, str]:
    """Return the custom metadata for the fields of a record that is not damaged.

    ``in_ascii`` is for an engine that takes a character for one that cannot be printed.
    """
    known = credential_fields(credential_from(fields))
    stripe = known["stripe"]
    account = stripe if isinstance(stripe, dict) else {}
    texts = {
        **{name: value for name, value in known.items() if name != "id"},
        **{key: account.get(name) for key, name in _OF_ACCOUNT.items()},
        **{name: fields.get(name) for name in (CREATED_AS, CHANGED_AS)},
    }
    if "history" in known:
        texts["history"] = json.dumps(known["history"], separators=(",", ":"))
    shown = {"schema": str(SCHEMA), "version": str(version)}
    if account:
        shown["livemode"] = "true" if account["livemode"] else "false"
    for name, value in texts.items():
        if isinstance(value, str):
            shown.update(_parts(name, _escaped(value, in_ascii=in_ascii)))
    return shown


CREATED_AS, CHANGED_AS = "createdAs", "changedAs"
"""Whom the engine knew the creator and the last to change it as."""
CHANGE = "change"
"""The field that tells one change from every other."""
REFRESH = "refresh"
"""Who replaces the tokens at the moment, and with which request."""
_OF_ACCOUNT = {"account": "account", "accountName": "name", "country": "country"}
_NOT_OWN = {"schema", "version", "livemode", "history", CREATED_AS, CHANGED_AS, *_OF_ACCOUNT}
"""What custom metadata have besides the fields of the credential itself."""


def row_from_shown(credential_id: str, shown: Mapping[str, object]) -> Row:
    """Return the row that custom metadata describes."""
    texts = _texts(shown)
    account: Json | None = None
    if "account" in shown:
        account = {name: texts.get(key) for key, name in _OF_ACCOUNT.items()}
        account["livemode"] = {"true": True, "false": False}.get(str(shown.get("livemode")))
    own = {name: value for name, value in texts.items() if name not in _NOT_OWN}
    fields: Json = {"id": credential_id, **own}
    try:
        if history := texts.get("history"):
            data = f'{{"_":{history}}}'.encode(errors="replace")
            fields["history"] = json_object(data)["_"]
        return _of_stripe(credential_from({**fields, "stripe": account}))
    except FlawError as flaw:
        return Damaged(credential_id, str(flaw))


def version_shown(shown: Mapping[str, object]) -> int:
    """Return the version that custom metadata describes; 0 if it is not m3cred's."""
    version = str(shown.get("version", ""))
    is_ours = shown.get("schema") == str(SCHEMA)
    return int(version) if is_ours and version.isascii() and version.isdigit() else 0


def _escaped(value: str, *, in_ascii: bool) -> str:
    """Return a value without characters that the engine refuses; it is never empty."""
    if value.isascii() and value.isprintable() and "\\" not in value:
        escaped = value
    else:
        escaped = "".join(
            one
            if one.isprintable() and one != "\\" and (one.isascii() or not in_ascii)
            else f"\\{ord(one):06x}"
            for one in value
        )
    return f" {escaped}" if not escaped or escaped.startswith(" ") else escaped


def _parts(name: str, value: str) -> dict[str, str]:
    """Return a value in pieces that fit: ``name``, ``name.2``."""
    parts, part, size = [], "", 0
    for character in value:
        width = len(character.encode())
        if size + width > _LONGEST_VALUE:
            parts.append(part)
            part, size = "", 0
        part, size = part + character, size + width
    parts.append(part)
    return {
        f"{name}.{number}" if number > 1 else name: one for number, one in enumerate(parts, 1)
    }


def _texts(shown: Mapping[str, object]) -> dict[str, str]:
    """Return the values as they were before they were made fit for the engine."""
    texts = {name: value for name, value in shown.items() if isinstance(value, str)}
    for name in [one for one in texts if "." in one]:
        first, _, number = name.partition(".")
        if number == "2" and first in texts:
            parts = (texts.get(f"{first}.{part}", "") for part in range(2, _MOST_PARTS))
            texts[first] += "".join(parts)
    return {
        name: _unescaped(value.removeprefix(" "))
        for name, value in texts.items()
        if "." not in name
    }


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value
    return _escape.sub(lambda code: chr(min(int(code[1], 16), 0x10FFFF)), value)
