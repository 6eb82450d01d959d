"""What an authorization request asks for, checked as each of Stripe's models does."""

import re

from m3cred_tui.demo_stripe.errors import OAuthCode, OAuthError
from m3cred_tui.demo_stripe.grants import APPS_SCOPE, SCOPES
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.sessions import AuthorizationRequest
from m3cred_tui.model.credential import OAuthModel

_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,180}")


def by_connect(
    platform: Platform, query: dict[str, str], *, livemode: bool
) -> AuthorizationRequest:
    """Check a request of Connect; raises :class:`OAuthError`."""
    response_type = query.get("response_type")
    if response_type is None:
        raise OAuthError("invalid_request", "No response_type provided.")
    if response_type != "code":
        raise _invalid("unsupported_response_type", "response type", response_type)
    redirect_uri = _redirect_uri(platform, query, livemode=livemode)
    scope = query.get("scope", SCOPES[0])
    if scope not in SCOPES:
        raise _invalid("invalid_scope", "scope", scope)
    email = query.get("stripe_user[email]", "")
    return AuthorizationRequest(
        livemode=livemode,
        redirect_uri=redirect_uri,
        scope=scope,
        state=query.get("state"),
        # A prefill that makes no sense is ignored, as Stripe does.
        prefilled_email=email if _EMAIL.fullmatch(email) else "",
    )


def by_apps(
    platform: Platform, query: dict[str, str], *, livemode: bool
) -> AuthorizationRequest:
    """Check a request of Stripe Apps; raises :class:`OAuthError`."""
    return AuthorizationRequest(
        livemode=livemode,
        redirect_uri=_redirect_uri(platform, query, livemode=livemode),
        scope=APPS_SCOPE,
        state=query.get("state"),
        oauth=OAuthModel.APPS,
    )


def _redirect_uri(platform: Platform, query: dict[str, str], *, livemode: bool) -> str:
    """Return the URI that is asked for, or the first that the mode allows."""
    https_only = livemode and platform.description.require_https
    allowed = [
        uri
        for uri in platform.description.redirect_uris
        if uri.startswith("https:") or not https_only
    ]
    wanted = query.get("redirect_uri", allowed[0] if allowed else "")
    if wanted in allowed:
        return wanted
    rule = " In live mode, it must be an HTTPS one." if https_only else ""
    raise OAuthError(
        "invalid_redirect_uri",
        f"Invalid redirect URI '{wanted}'. Ensure this URI exactly matches one of the URIs "
        f"specified in your application settings.{rule}",
    )


def _invalid(code: OAuthCode, what: str, value: str) -> OAuthError:
    return OAuthError(code, f"Invalid {what}: '{value}'.")
