"""Reads what Stripe answers; nothing of it goes further unchecked."""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from m3cred_tui.model.credential import StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean

_ACCOUNT_ID = re.compile(r"acct_[A-Za-z0-9]{1,64}", re.ASCII)
_TOKEN = re.compile(r"[!-~]+")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LONGEST_ERROR = 64

LONGEST_TOKEN = 4096
"""Stripe's of today have about 100 characters; two of this length fit into a record."""
LONGEST_PUBLISHABLE_KEY = 200
"""As much of it as a record gives back."""


class ReplyError(ValueError):
    """The reply is none that Stripe gives; its text is what is wrong with it."""


class Refusal(NamedTuple):
    """What Stripe says of a request that it refused, as far as it says anything."""

    error: str | None
    description: str | None


def token_response(body: bytes) -> TokenResponse:
    """Read the reply to an exchange (https://docs.stripe.com/connect/oauth-reference#post-token).

    The code is spent by now, so nothing but the account and its mode is asked of it: a token
    that cannot be used is as good as none. Raises :class:`ReplyError`.
    """
    reply = _object(body)
    account_id, livemode = reply.get("stripe_user_id"), reply.get("livemode")
    if not (isinstance(account_id, str) and _ACCOUNT_ID.fullmatch(account_id)):
        raise ReplyError("it names no account")
    if not isinstance(livemode, bool):
        raise ReplyError("it does not say whether the account is live or test")
    scope = reply.get("scope")
    return TokenResponse(
        account_id=account_id,
        livemode=livemode,
        scope=clean(scope) if isinstance(scope, str) else "",
        access_token=_secret(reply, "access_token"),
        refresh_token=_secret(reply, "refresh_token"),
        publishable_key=_publishable_key(reply),
    )


def apps_token_response(body: bytes) -> TokenResponse:
    """Read the reply of Stripe Apps to an exchange: without an access token it is none.

    Raises :class:`ReplyError`.
    """
    tokens = token_response(body)
    if tokens.access_token is None:
        raise ReplyError("it has no access token that could be used")
    return tokens


def refreshed(body: bytes, before: TokenResponse) -> TokenResponse:
    """Read the reply to a refresh of these tokens; what it leaves out stays as it was.

    The old refresh token is dead as soon as there is a reply, so nothing but a new access
    token for this account is asked of it. A new refresh token that cannot be used is not passed
    over, as Stripe gives the same reply once more. Raises :class:`ReplyError`.
    """
    reply = _object(body)
    for field in ("stripe_user_id", "account_id"):
        if reply.get(field) not in (None, before.account_id):
            raise ReplyError("it is about another account")
    if reply.get("livemode") not in (None, before.livemode):
        raise ReplyError("it is of the other mode")
    access_token = _secret(reply, "access_token")
    if access_token is None:
        raise ReplyError("it has no access token that could be used")
    refresh_token = _secret(reply, "refresh_token")
    if refresh_token is None and reply.get("refresh_token") is not None:
        raise ReplyError("its refresh token cannot be used")
    return before._replace(
        access_token=access_token,
        refresh_token=refresh_token or before.refresh_token,
        publishable_key=_publishable_key(reply) or before.publishable_key,
    )


def deauthorized(body: bytes, account_id: str) -> None:
    """Read the reply to a request to disconnect this account; raises :class:`ReplyError`."""
    if _object(body).get("stripe_user_id") != account_id:
        raise ReplyError("it does not name the account")


def stripe_account(body: bytes, account_id: str, *, livemode: bool) -> StripeAccount:
    """Read the reply to a request for this account; most of it may be ``null`` at Stripe.

    Raises :class:`ReplyError`.
    """
    reply = _object(body)
    if reply.get("id") != account_id:
        raise ReplyError("it is about another account")
    name = _name(reply, "settings", "dashboard", "display_name")
    country = reply.get("country")
    return StripeAccount(
        id=account_id,
        livemode=livemode,
        name=name or _name(reply, "business_profile", "name"),
        country=country if isinstance(country, str) and _COUNTRY.fullmatch(country) else None,
    )


def refusal(body: bytes, *, secrets: tuple[Secret, ...]) -> Refusal:
    """Read the body of a 4xx reply, be it what it may; ``secrets`` are struck out of it.

    OAuth's errors are texts beside each other, the API's are in an object.
    """
    try:
        reply = _object(body)
    except ReplyError:
        return Refusal(None, None)
    error, description = reply.get("error"), reply.get("error_description")
    if isinstance(error, dict):
        description = error.get("message")
        error = error.get("code") or error.get("type")
    return Refusal(
        _told(error, secrets, most=_LONGEST_ERROR), _told(description, secrets, most=200)
    )


def _object(body: bytes) -> Mapping[str, object]:
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        raise ReplyError("it is not JSON") from None
    if not isinstance(reply, dict):
        raise ReplyError("it is not an object")
    return reply


def _told(text: object, secrets: tuple[Secret, ...], *, most: int) -> str | None:
    if not isinstance(text, str):
        return None
    for secret in secrets:  # "Authorization code does not exist: ac_…" holds the code itself
        text = text.replace(secret.reveal(), "***")
    return clean(text, most=most) or None


def _name(reply: Mapping[str, object], *path: str) -> str | None:
    found: object = reply
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return (clean(found) or None) if isinstance(found, str) else None


def _token(reply: Mapping[str, object], field: str, most: int) -> str | None:
    """Return a token that can be sent and kept, if there is one."""
    token = reply.get(field)
    if not (isinstance(token, str) and len(token) <= most and _TOKEN.fullmatch(token)):
        return None
    return token


def _secret(reply: Mapping[str, object], field: str) -> Secret | None:
    token = _token(reply, field, LONGEST_TOKEN)
    return Secret(token) if token else None


def _publishable_key(reply: Mapping[str, object]) -> str | None:
    return _token(reply, "stripe_publishable_key", LONGEST_PUBLISHABLE_KEY)
