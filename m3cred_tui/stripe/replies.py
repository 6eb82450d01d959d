"""Read Stripe's replies; nothing passes unchecked."""

import json
import re
from collections.abc import Mapping

from m3cred_tui.model.credential import StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean

_ACCOUNT_ID = re.compile(r"acct_[A-Za-z0-9]{1,64}", re.ASCII)
_TOKEN = re.compile(r"[!-~]+")
_COUNTRY = re.compile(r"[A-Z]{2}")

LONGEST_TOKEN = 4096
"""Stripe's have about 100 characters today; two of this length fit into a record."""
LONGEST_PUBLISHABLE_KEY = 200
"""As many characters as a record can return."""


class ReplyError(ValueError):
    """Stripe does not send such a reply; the text says what is wrong with it."""


def token_response(body: bytes) -> TokenResponse:
    """Read the reply to an exchange (https://docs.stripe.com/connect/oauth-reference#post-token).

    The code is used up by now, so only the account and its mode are required: an unusable token
    is treated as missing. Raises :class:`ReplyError`.
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
    """Read the reply of Stripe Apps to an exchange, which requires an access token.

    Raises :class:`ReplyError`.
    """
    tokens = token_response(body)
    if tokens.access_token is None:
        raise ReplyError("it has no usable access token")
    return tokens


def refreshed(body: bytes, before: TokenResponse) -> TokenResponse:
    """Read the reply to a refresh of these tokens; fields that it omits stay unchanged.

    The old refresh token is invalid as soon as there is a reply, so only a new access token for
    this account is required. An unusable refresh token is an error, because Stripe can return
    the same reply again. Raises :class:`ReplyError`.
    """
    reply = _object(body)
    for field in ("stripe_user_id", "account_id"):
        if reply.get(field) not in (None, before.account_id):
            raise ReplyError("it is about another account")
    if reply.get("livemode") not in (None, before.livemode):
        raise ReplyError("it is of the other mode")
    access_token = _secret(reply, "access_token")
    if access_token is None:
        raise ReplyError("it has no usable access token")
    refresh_token = _secret(reply, "refresh_token")
    if refresh_token is None and reply.get("refresh_token") is not None:
        raise ReplyError("its refresh token is unusable")
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
    """Read the reply to a request for this account; Stripe may send ``null`` for most fields.

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


def refusal(body: bytes, *, secrets: tuple[Secret, ...]) -> tuple[str | None, str | None]:
    """Return the error and its description in any 4xx reply; ``secrets`` are masked.

    OAuth's errors are separate texts, the API's are in an object.
    """
    try:
        reply = _object(body)
    except ReplyError:
        return None, None
    error, description = reply.get("error"), reply.get("error_description")
    if isinstance(error, dict):
        description = error.get("message")
        error = error.get("code") or error.get("type")
    return _shown(error, secrets, most=64), _shown(description, secrets, most=200)


def _object(body: bytes) -> Mapping[str, object]:
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        raise ReplyError("it is not JSON") from None
    if not isinstance(reply, dict):
        raise ReplyError("it is not an object")
    return reply


def _shown(text: object, secrets: tuple[Secret, ...], *, most: int) -> str | None:
    if not isinstance(text, str):
        return None
    for secret in secrets:  # "Authorization code does not exist: ac_…" contains the code
        text = text.replace(secret.reveal(), "***")
    return clean(text, most=most) or None


def _name(reply: Mapping[str, object], *path: str) -> str | None:
    found: object = reply
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return (clean(found) or None) if isinstance(found, str) else None


def _token(reply: Mapping[str, object], field: str, most: int) -> str | None:
    """Return the token, if it can be sent and stored."""
    token = reply.get(field)
    if not (isinstance(token, str) and len(token) <= most and _TOKEN.fullmatch(token)):
        return None
    return token


def _secret(reply: Mapping[str, object], field: str) -> Secret | None:
    token = _token(reply, field, LONGEST_TOKEN)
    return Secret(token) if token else None


def _publishable_key(reply: Mapping[str, object]) -> str | None:
    return _token(reply, "stripe_publishable_key", LONGEST_PUBLISHABLE_KEY)
