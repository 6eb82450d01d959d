"""Authorization requests between Stripe's first page and the answer."""

import secrets
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from m3cred_tui.demo_stripe.grants import Account
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.model.credential import OAuthModel

_LIFETIME = 3600.0


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What the platform asked for (RFC 6749, section 4.1.1); all of it has been checked."""

    livemode: bool
    redirect_uri: str
    scope: str
    state: str | None
    oauth: OAuthModel = OAuthModel.CONNECT
    prefilled_email: str = ""

    @property
    def redirect_origin(self) -> str:
        """The scheme, host and port that the answer goes to."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"

    def answer(self, **parameters: str) -> str:
        """Return the redirect with these parameters, and the state as it came."""
        if self.state is not None:
            parameters["state"] = self.state
        separator = "&" if urlsplit(self.redirect_uri).query else "?"
        return f"{self.redirect_uri}{separator}{urlencode(parameters)}"


@dataclass(slots=True)
class Session:
    """How far a person has come with an authorization request."""

    id: str
    request: AuthorizationRequest
    begun_at: float
    account: Account | None = None
    answer: str | None = None
    """Where the decision leads; the first decision stands."""
    approved: bool = False


class Sessions:
    """The sessions of a demo Stripe. Only whoever has the page knows a session's id."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._open: dict[str, Session] = {}

    def begin(self, request: AuthorizationRequest) -> Session:
        """Begin a session; those that are over an hour old are forgotten."""
        now = self._platform.now()
        self._open = {
            session.id: session
            for session in self._open.values()
            if now - session.begun_at < _LIFETIME
        }
        session = Session(secrets.token_urlsafe(24), request, now)
        self._open[session.id] = session
        return session

    def find(self, session_id: str) -> Session | None:
        """Return the session, unless it is unknown or over an hour old."""
        session = self._open.get(session_id)
        if session is None or self._platform.now() - session.begun_at >= _LIFETIME:
            return None
        return session

    def approve(self, session: Session, account: Account) -> None:
        """Answer with an authorization code, unless there is an answer already."""
        if session.answer is None:
            request = session.request
            code = self._platform.approve(
                account, request.scope, livemode=request.livemode, oauth=request.oauth
            )
            scope = {"scope": request.scope} if request.oauth is OAuthModel.CONNECT else {}
            session.answer = request.answer(**scope, code=code)
            session.approved = True

    def refuse(self, session: Session) -> None:
        """Answer with a refusal, unless there is an answer already."""
        if session.answer is None:
            session.answer = session.request.answer(
                error="access_denied", error_description="The user denied your request"
            )
