"""A credential and its secrets as JSON; each field is checked and cleaned as it is read.

Types and sizes are checked, codes must be known, and text is cleaned for the terminal.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from m3cred_tui.model.credential import (
    DESTINATIONS,
    ENTITY_TYPES,
    Credential,
    Event,
    Happened,
    OAuthModel,
    Status,
    StripeAccount,
    TokenResponse,
    is_credential_id,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean
from m3cred_tui.store.files import FlawError

if TYPE_CHECKING:
    from m3cred_tui.model.authorization import AuthorizationRequest

    Secrets = TokenResponse | AuthorizationRequest
    """What is sealed: Stripe's tokens, or the request that it has not answered."""

Json = dict[str, object]
T = TypeVar("T")

_LONGEST_LINE = 200
# Outside these, a time cannot be expressed in every time zone.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)

_STRIPE_FIELDS = frozenset({"account", "name", "country", "livemode"})
_EVENT_FIELDS = frozenset({"what", "at", "by", "before"})
_HAPPENED = {one.value: one for one in Happened}
_ENTITY_TYPES = {one.code: one for one in ENTITY_TYPES}
_DESTINATIONS = {one.code: one for one in DESTINATIONS}
_STATUSES = {one.value: one for one in Status}
_MODELS = {one.value: one for one in OAuthModel}

# Like json.loads, which takes a quarter longer.
_decode = json.JSONDecoder().raw_decode


def json_object(data: bytes) -> Json:
    """Return the object; raises :class:`FlawError`, without any of the text, for others."""
    try:
        decoded = data.decode("utf-8")
        value, end = _decode(decoded)
    except (ValueError, RecursionError):
        # Without its cause, which shows the text.
        raise FlawError("it is not whole JSON") from None
    if end != len(decoded) and decoded[end:].strip():
        raise FlawError("it is not whole JSON")
    if not isinstance(value, dict):
        raise FlawError("it is not a JSON object")
    return value


def text(fields: Json, key: str) -> str:
    """Return a text unchanged; like all below, raises :class:`FlawError`."""
    value = fields.get(key)
    if type(value) is not str:
        raise FlawError(f"its {key} is not text")
    return value


def line(fields: Json, key: str) -> str:
    """Return a text as a line that is safe to draw on a terminal."""
    return clean(text(fields, key), most=_LONGEST_LINE)


def boolean(fields: Json, key: str) -> bool:
    """Return true or false."""
    value = fields.get(key)
    if type(value) is not bool:
        raise FlawError(f"its {key} is neither true nor false")
    return value


def time(fields: Json, key: str) -> datetime:
    """Return a time with its zone."""
    try:
        value = datetime.fromisoformat(text(fields, key))
    except ValueError:
        raise FlawError(f"its {key} is not a time") from None
    if value.tzinfo is None:
        raise FlawError(f"its {key} has no time zone")
    if not _EARLIEST <= value < _LATEST:
        raise FlawError(f"its {key} is not a time")
    return value


def known(table: dict[str, T], fields: Json, key: str) -> T:
    """Return the meaning of a code."""
    code = text(fields, key)
    if code not in table:
        raise FlawError(f"its {key} “{clean(code, most=40)}” is not known")
    return table[code]


def iso(moment: datetime) -> str:
    """Return a time as it is written, in UTC."""
    return moment.astimezone(UTC).isoformat()


def credential_fields(credential: Credential) -> Json:
    """Return everything in a credential that is not secret."""
    account = credential.account
    return {
        "id": credential.id,
        "name": credential.name,
        "entityType": credential.entity_type.code,
        "destination": credential.destination.code,
        "stripe": None
        if account is None
        else {
            "account": account.id,
            "name": account.name,
            "country": account.country,
            "livemode": account.livemode,
        },
        "createdAt": iso(credential.created_at),
        "createdBy": credential.created_by,
        "status": credential.status.value,
        # Only if there are any, so that the other records stay as they were.
        **({"renews": credential.renews} if credential.renews else {}),
        **({"approval": credential.approval} if credential.approval else {}),
        **(
            {"history": [*map(_event_fields, credential.history)]} if credential.history else {}
        ),
        **({"expiresAt": iso(credential.expires_at)} if credential.expires_at else {}),
    }


def _event_fields(event: Event) -> Json:
    return {
        "what": event.what.value,
        "at": iso(event.at),
        "by": event.by,
        "before": event.before,
    }


def credential_from(fields: Json) -> Credential:
    """Return the credential in these fields; raises :class:`FlawError`."""
    status = known(_STATUSES, fields, "status")
    return Credential(
        id=text(fields, "id"),
        name=line(fields, "name"),
        entity_type=known(_ENTITY_TYPES, fields, "entityType"),
        destination=known(_DESTINATIONS, fields, "destination"),
        account=_account(fields["stripe"], is_needed=status is Status.AUTHENTICATED),
        created_at=time(fields, "createdAt"),
        created_by=line(fields, "createdBy"),
        status=status,
        renews=_id_in(fields, "renews"),
        approval=_id_in(fields, "approval"),
        history=_history(fields["history"]) if "history" in fields else (),
        expires_at=time(fields, "expiresAt") if "expiresAt" in fields else None,
    )


def _id_in(fields: Json, key: str) -> str | None:
    if key not in fields:
        return None
    credential_id = text(fields, key)
    if not is_credential_id(credential_id):
        raise FlawError(f"its {key} is not an ID")
    return credential_id


def _history(events: object) -> tuple[Event, ...]:
    if not isinstance(events, list) or not all(
        isinstance(one, dict) and one.keys() == _EVENT_FIELDS for one in events
    ):
        raise FlawError("its history is not one")
    return tuple(
        Event(
            known(_HAPPENED, one, "what"), time(one, "at"), line(one, "by"), line(one, "before")
        )
        for one in events
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


def secret_fields(secrets: Secrets) -> Json:
    """Return the field that holds the secrets."""
    if isinstance(secrets, TokenResponse):
        return {
            "tokens": {
                "accountId": secrets.account_id,
                "livemode": secrets.livemode,
                "scope": secrets.scope,
                "accessToken": _revealed(secrets.access_token),
                "refreshToken": _revealed(secrets.refresh_token),
                "publishableKey": secrets.publishable_key,
                # Only for Stripe Apps, so that records of Connect stay unchanged.
                **(
                    {}
                    if secrets.oauth is OAuthModel.CONNECT
                    else {"oauth": secrets.oauth.value}
                ),
                **({"obtainedAt": iso(secrets.obtained_at)} if secrets.obtained_at else {}),
            }
        }
    return {
        "request": {
            "state": secrets.state.reveal(),
            "redirectUri": secrets.redirect_uri,
            "expiresAt": iso(secrets.expires_at),
        }
    }


def secrets_taken_from(fields: Json) -> Secrets:
    """Remove the field of the secrets, and return them; raises :class:`FlawError`."""
    match fields:
        case {"tokens": dict(tokens)}:
            del fields["tokens"]
            return _tokens(tokens)
        case {"request": dict(request)}:
            del fields["request"]
            return _request(request)
    raise FlawError("its sealed part has no secrets")


def _tokens(fields: Json) -> TokenResponse:
    publishable_key = fields.get("publishableKey")
    return TokenResponse(
        account_id=line(fields, "accountId"),
        livemode=boolean(fields, "livemode"),
        scope=line(fields, "scope"),
        access_token=_secret(fields, "accessToken"),
        refresh_token=_secret(fields, "refreshToken"),
        publishable_key=None if publishable_key is None else line(fields, "publishableKey"),
        oauth=known(_MODELS, fields, "oauth") if "oauth" in fields else OAuthModel.CONNECT,
        obtained_at=time(fields, "obtainedAt") if "obtainedAt" in fields else None,
    )


def _request(fields: Json) -> AuthorizationRequest:
    # Brings urllib, which a list does without.
    from m3cred_tui.model.authorization import AuthorizationRequest  # noqa: PLC0415

    return AuthorizationRequest(
        state=Secret(text(fields, "state")),
        redirect_uri=line(fields, "redirectUri"),
        expires_at=time(fields, "expiresAt"),
    )


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _secret(fields: Json, key: str) -> Secret | None:
    return None if fields.get(key) is None else Secret(text(fields, key))
