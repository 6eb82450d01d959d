"""GET /oauth/authorize, and the forms that follow it."""

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from m3cred_tui.demo_stripe import pages
from m3cred_tui.demo_stripe.business import account_of
from m3cred_tui.demo_stripe.errors import OAuthCode, OAuthError
from m3cred_tui.demo_stripe.grants import SCOPES
from m3cred_tui.demo_stripe.parameters import form_parameters, query_parameters
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.replies import json_reply
from m3cred_tui.demo_stripe.sessions import AuthorizationRequest, Session, Sessions

_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,180}")


async def authorize(platform: Platform, sessions: Sessions, request: Request) -> Response:
    """Check the authorization request and ask who is there.

    As at Stripe, what is wrong with the request is shown to the browser as JSON and never
    reaches the redirect URI.
    """
    try:
        query = query_parameters(request)
    except OAuthError as error:
        return _shown(error, None)
    client_id = query.get("client_id")
    livemode = None if client_id is None else platform.mode_of_client(client_id)
    if client_id is not None and livemode is None:
        message = "No application matches the supplied client identifier"
        return json_reply({"error": {"message": message}}, 400)
    try:
        checked = _checked(platform, query, livemode=livemode)
    except OAuthError as error:
        return _shown(error, query.get("state"))
    return pages.log_in(sessions.begin(checked))


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


def _checked(
    platform: Platform, query: dict[str, str], *, livemode: bool | None
) -> AuthorizationRequest:
    if livemode is None:
        raise OAuthError("invalid_request", "No client_id provided.")
    response_type = query.get("response_type")
    if response_type is None:
        raise OAuthError("invalid_request", "No response_type provided.")
    if response_type != "code":
        raise _invalid("unsupported_response_type", "response type", response_type)
    registered = platform.description.redirect_uris
    redirect_uri = query.get("redirect_uri", registered[0])
    if redirect_uri not in registered:
        raise OAuthError(
            "invalid_redirect_uri",
            f"Invalid redirect URI '{redirect_uri}'. Ensure this URI exactly matches one of "
            "the URIs specified in your application settings.",
        )
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


def _invalid(code: OAuthCode, what: str, value: str) -> OAuthError:
    return OAuthError(code, f"Invalid {what}: '{value}'.")


def _shown(error: OAuthError, state: str | None) -> Response:
    body: dict[str, object] = {"error": error.code, "error_description": error.description}
    if state is not None:
        body["state"] = state
    return json_reply(body, 400)
