"""The secrets in a record's sealed part: Stripe's tokens, or the request that waits for it."""

from __future__ import annotations

from datetime import UTC, datetime

from m3cred_tui.model.authorization import AuthorizationRequest
from m3cred_tui.model.credential import OAuthModel, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.fields import Json, boolean, known, line, text, time
from m3cred_tui.store.files import FlawError

Secrets = TokenResponse | AuthorizationRequest

_MODELS = {model.value: model for model in OAuthModel}


def fields_of(secrets: Secrets) -> Json:
    """Return the field that holds the secrets."""
    if isinstance(secrets, AuthorizationRequest):
        return {
            "request": {
                "state": secrets.state.reveal(),
                "redirectUri": secrets.redirect_uri,
                "expiresAt": _iso(secrets.expires_at),
            }
        }
    return {
        "tokens": {
            "accountId": secrets.account_id,
            "livemode": secrets.livemode,
            "scope": secrets.scope,
            "accessToken": _revealed(secrets.access_token),
            "refreshToken": _revealed(secrets.refresh_token),
            "publishableKey": secrets.publishable_key,
            **_of_apps(secrets),
        }
    }


def _of_apps(tokens: TokenResponse) -> Json:
    """Return what Connect has no use for, so that its records are as they always were."""
    return {
        **({} if tokens.oauth is OAuthModel.CONNECT else {"oauth": tokens.oauth.value}),
        **({} if tokens.obtained_at is None else {"obtainedAt": _iso(tokens.obtained_at)}),
    }


def taken_from(sealed: Json) -> Secrets:
    """Return the secrets, whose field is removed; raises :class:`FlawError`."""
    match sealed:
        case {"tokens": dict(tokens)}:
            del sealed["tokens"]
            return _tokens(tokens)
        case {"request": dict(request)}:
            del sealed["request"]
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
    return AuthorizationRequest(
        state=Secret(text(fields, "state")),
        redirect_uri=line(fields, "redirectUri"),
        expires_at=time(fields, "expiresAt"),
    )


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _secret(fields: Json, key: str) -> Secret | None:
    return None if fields.get(key) is None else Secret(text(fields, key))
