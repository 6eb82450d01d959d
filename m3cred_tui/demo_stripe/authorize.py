"""The authorize endpoint: what was requested, logging in, approving and refusing."""

import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from m3cred_tui.demo_stripe import pages
from m3cred_tui.demo_stripe.grants import APPS_SCOPE, SCOPES, account_of
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.replies import (
    OAuthCode,
    OAuthError,
    form_parameters,
    json_reply,
    query_parameters,
)
from m3cred_tui.demo_stripe.sessions import AuthorizationRequest, Session, Sessions
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


_Check = Callable[..., AuthorizationRequest]


async def authorize(platform: Platform, sessions: Sessions, request: Request) -> Response:
    """GET /oauth/authorize of Connect: check the request and ask who is there.

    As at Stripe, what is wrong with the request is shown to the browser as JSON and never
    reaches the redirect URI.
    """
    return _begun(platform, sessions, request, by_connect)


async def install(platform: Platform, sessions: Sessions, request: Request) -> Response:
    """GET /oauth/v2/authorize of Stripe Apps: the same, without response type and scope."""
    return _begun(platform, sessions, request, by_apps)


async def log_in(sessions: Sessions, request: Request) -> Response:
    """Take any e-mail and any password; the password is not looked at and not kept."""
    form = await form_parameters(request)
    session = sessions.find(form.get("session", ""))
    if session is None:
        return pages.expired()
    if "another" in form:
        return pages.log_in(session)
    email = " ".join(form.get("email", "").split())
    if not email or "password" not in form:
        return pages.log_in(session, problem="Enter an e-mail and a password: any will do.")
    if session.answer is None:
        session.account = account_of(email)
    return _next_page(session)


async def decide(sessions: Sessions, request: Request) -> Response:
    """Approve or refuse access; the first decision stands, however often the form comes."""
    form = await form_parameters(request)
    session = sessions.find(form.get("session", ""))
    if session is None:
        return pages.expired()
    if session.account is not None:
        if "approve" in form:
            sessions.approve(session, session.account)
        elif "refuse" in form:
            sessions.refuse(session)
    return _next_page(session)


def _next_page(session: Session) -> Response:
    if session.account is None:
        return pages.log_in(session)
    if session.answer is None:
        return pages.approve(session, session.account)
    if session.approved:
        return pages.approved(session, session.account, session.answer)
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(session.answer, 303, headers)


def _begun(platform: Platform, sessions: Sessions, request: Request, check: _Check) -> Response:
    try:
        query = query_parameters(request)
    except OAuthError as error:
        return _shown(error, None)
    client_id = query.get("client_id")
    if client_id is None:
        return _shown(
            OAuthError("invalid_request", "No client_id provided."), query.get("state")
        )
    livemode = platform.mode_of_client(client_id)
    if livemode is None:
        message = "No application matches the supplied client identifier"
        return json_reply({"error": {"message": message}}, 400)
    try:
        checked = check(platform, query, livemode=livemode)
    except OAuthError as error:
        return _shown(error, query.get("state"))
    return pages.log_in(sessions.begin(checked))


def _shown(error: OAuthError, state: str | None) -> Response:
    body: dict[str, object] = {"error": error.code, "error_description": error.description}
    if state is not None:
        body["state"] = state
    return json_reply(body, 400)
