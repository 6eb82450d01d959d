"""The endpoints for the owner of an account, in a browser: approve, refuse, disconnect."""

import hmac
import re
import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from m3cred_tui.demo_stripe import pages
from m3cred_tui.demo_stripe.grants import (
    APPS_SCOPE,
    SCOPES,
    AuthorizationRequest,
    Grant,
    Session,
    account_of,
    mode,
)
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.replies import (
    OAuthCode,
    OAuthError,
    form_parameters,
    json_reply,
    parameters,
    required,
)
from m3cred_tui.model.credential import OAuthModel

_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,180}")
_SESSION_LIFETIME = 3600.0


class Authorization:
    """Takes people through the pages; only the browser that shows one knows its session id."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._sessions: dict[str, Session] = {}

    async def begin(self, oauth: OAuthModel, request: Request) -> Response:
        """Check the request, which for Stripe Apps has no scope, and ask for a log-in.

        As at Stripe, an error in the request is shown to the browser as JSON and never
        reaches the redirect URI.
        """
        query: dict[str, str] = {}
        try:
            query = parameters(request.url.query)
            client_id = required(query, "client_id", "No client_id provided.")
            livemode = self._platform.mode_of_client(client_id)
            if livemode is None:
                message = "No application matches the supplied client identifier"
                return json_reply({"error": {"message": message}}, 400)
            checked = self._checked(query, oauth, livemode=livemode)
        except OAuthError as error:
            state = {"state": query["state"]} if "state" in query else {}
            return json_reply(error.body | state, error.status)
        now = self._platform.now()
        valid = (one for one in self._sessions.values() if _is_valid(one, now))
        self._sessions = {one.id: one for one in valid}
        session = Session(secrets.token_urlsafe(24), checked, now)
        self._sessions[session.id] = session
        return pages.log_in(session)

    async def log_in(self, request: Request) -> Response:
        """Accept any e-mail and any password; the password is neither checked nor stored."""
        form = await form_parameters(request)
        session = self._find(form)
        if session is None:
            return pages.expired()
        if "another" in form:
            return pages.log_in(session)
        email = " ".join(form.get("email", "").split())
        if not email or "password" not in form:
            return pages.log_in(session, problem="Enter an e-mail and a password: any will do.")
        if session.redirect is None:
            session.account = account_of(email)
        return _next_page(session)

    async def decide(self, request: Request) -> Response:
        """Approve or refuse access; only the first decision counts."""
        form = await form_parameters(request)
        session = self._find(form)
        if session is None:
            return pages.expired()
        asked = session.request
        if session.account is None or session.redirect is not None:
            return _next_page(session)
        if "approve" in form:
            code = self._platform.approve(
                session.account, asked.scope, livemode=asked.livemode, oauth=asked.oauth
            )
            scope = {"scope": asked.scope} if asked.oauth is OAuthModel.CONNECT else {}
            session.redirect = asked.redirect(**scope, code=code)
            session.approved = True
        elif "refuse" in form:
            session.redirect = asked.redirect(
                error="access_denied", error_description="The user denied your request"
            )
        return _next_page(session)

    def _find(self, form: dict[str, str]) -> Session | None:
        """Return the form's session, unless it is unknown or over an hour old."""
        session = self._sessions.get(form.get("session", ""))
        return session if session and _is_valid(session, self._platform.now()) else None

    def _checked(
        self, query: dict[str, str], oauth: OAuthModel, *, livemode: bool
    ) -> AuthorizationRequest:
        state = query.get("state")
        if oauth is OAuthModel.APPS:
            redirect_uri = self._redirect_uri(query, livemode=livemode)
            return AuthorizationRequest(livemode, redirect_uri, APPS_SCOPE, state, oauth)
        kind = required(query, "response_type", "No response_type provided.")
        if kind != "code":
            raise _invalid("unsupported_response_type", "response type", kind)
        redirect_uri = self._redirect_uri(query, livemode=livemode)
        scope = query.get("scope", SCOPES[0])
        if scope not in SCOPES:
            raise _invalid("invalid_scope", "scope", scope)
        email = query.get("stripe_user[email]", "")
        prefill = email if _EMAIL.fullmatch(email) else ""  # as at Stripe
        return AuthorizationRequest(livemode, redirect_uri, scope, state, oauth, prefill)

    def _redirect_uri(self, query: dict[str, str], *, livemode: bool) -> str:
        """Return the requested URI, or the first that the mode allows."""
        description = self._platform.description
        https_only = livemode and description.require_https
        begins = "https:" if https_only else ""
        allowed = [uri for uri in description.redirect_uris if uri.startswith(begins)]
        wanted = query.get("redirect_uri", allowed[0] if allowed else "")
        if wanted in allowed:
            return wanted
        rule = " In live mode, it must be an HTTPS one." if https_only else ""
        raise OAuthError(
            "invalid_redirect_uri",
            f"Invalid redirect URI '{wanted}'. Ensure this URI exactly matches one of the URIs "
            f"specified in your application settings.{rule}",
        )


def _is_valid(session: Session, now: float) -> bool:
    return now - session.begun_at < _SESSION_LIFETIME


def _invalid(code: OAuthCode, what: str, value: str) -> OAuthError:
    return OAuthError(code, f"Invalid {what}: '{value}'.")


def _next_page(session: Session) -> Response:
    if session.account is None:
        return pages.log_in(session)
    if session.redirect is None:
        return pages.approve(session, session.account)
    if session.approved:
        return pages.approved(session, session.account, session.redirect)
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(session.redirect, 303, headers)


INSTALLED_PATH = "/installed-apps"
DISCONNECT_PATH = "/installed-apps/disconnect"

_ASIDE = """\
<p class="platform">Installed apps</p>
<p class="note">At Stripe, each owner finds this in the Dashboard of their own account.</p>
"""

_INTRODUCTION = """\
<p>m3ter has access to the demo accounts below. The owner of each can revoke it.</p>
"""

_NOBODY = """\
<p>m3ter has access to no account. Approve access to one, then open this page again.</p>
"""

_CONNECTION = """\
<div class="business"><table>
<tr><th scope="row" align="left">Business</th><td><strong>{name}</strong></td></tr>
<tr><th scope="row" align="left">Account</th><td><code>{id}</code></td></tr>
<tr><th scope="row" align="left">Access</th><td>{mode} mode, by {model}</td></tr>
</table>
<form method="post" action="{action}">
<input type="hidden" name="page" value="{page}">
<input type="hidden" name="account" value="{id}">
<input type="hidden" name="mode" value="{mode}">
<input type="hidden" name="oauth" value="{oauth}">
<p class="actions"><input type="submit" value="Disconnect m3ter" class="quiet"></p>
</form></div>
"""

_MODELS = {OAuthModel.CONNECT: "Stripe Connect", OAuthModel.APPS: "Stripe Apps"}


class InstalledApps:
    """The page on which owners see the accounts connected to m3ter, and disconnect one.

    At Stripe, each owner finds this in the Dashboard, behind a log-in. Here all share one page,
    to rehearse what m3ter sees when access is revoked; only a browser that has it open can
    disconnect anything.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._page = secrets.token_urlsafe(24)  # stops other web pages from sending the form

    async def show(self, _request: Request) -> Response:
        """List the connections."""
        shown = [self._connection(grant) for grant in self._platform.connections()]
        main = pages.join([pages.html(_INTRODUCTION), *shown]) if shown else pages.html(_NOBODY)
        return pages.page("Apps with access to your account", pages.html(_ASIDE), main)

    async def disconnect(self, request: Request) -> Response:
        """Revoke access to an account, and list the rest; a repetition changes nothing."""
        form = await form_parameters(request)
        if not hmac.compare_digest(form.get("page", "").encode(), self._page.encode()):
            return pages.expired()
        if form.get("oauth") in set(OAuthModel):
            self._platform.disconnect(
                form.get("account", ""),
                livemode=form.get("mode") == mode(livemode=True),
                oauth=OAuthModel(form["oauth"]),
            )
        return RedirectResponse(INSTALLED_PATH, 303, {"Cache-Control": "no-store"})

    def _connection(self, grant: Grant) -> pages.Html:
        return pages.html(
            _CONNECTION,
            name=grant.account.trading_name,
            id=grant.account.id,
            mode=mode(livemode=grant.livemode),
            model=_MODELS[grant.oauth],
            oauth=grant.oauth.value,
            action=DISCONNECT_PATH,
            page=self._page,
        )
