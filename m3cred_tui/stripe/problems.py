"""What can go wrong with Stripe, and what kind of problem it is."""

from enum import Enum
from typing import NamedTuple

from m3cred_tui.model.check import Outcome
from m3cred_tui.model.problem import Problem


class Call(Enum):
    """What was asked of Stripe; what a failure means depends on it."""

    REACH = "reach"
    EXCHANGE = "exchange"
    ACCOUNT = "account"
    REFRESH = "refresh"
    DEAUTHORIZE = "deauthorize"


class Consequence(NamedTuple):
    """What follows of a failed call, as a sentence for each of the three ways to fail."""

    nothing_sent: str
    refused: str
    unknown: str
    """The request may have arrived, and no answer can be read."""


_BEGIN_AGAIN = "Begin a new authorization."
_UNREAD = "The account's name and country could not be read."
_NOT_BEGUN = "No authorization was begun."

CONSEQUENCES = {
    Call.REACH: Consequence(_NOT_BEGUN, _NOT_BEGUN, _NOT_BEGUN),
    # A code that has reached Stripe may be spent, and using it again would revoke the
    # connection.
    Call.EXCHANGE: Consequence(
        nothing_sent=f"Nothing was sent to Stripe. {_BEGIN_AGAIN}",
        refused=_BEGIN_AGAIN,
        unknown=f"Whether Stripe has connected the account is not known. {_BEGIN_AGAIN}",
    ),
    Call.ACCOUNT: Consequence(nothing_sent=_UNREAD, refused=_UNREAD, unknown=_UNREAD),
    Call.REFRESH: Consequence(
        nothing_sent="Nothing was sent to Stripe; the tokens are unchanged.",
        refused="Stripe gave no new access token.",
        unknown=(
            "Whether Stripe has replaced the tokens is not known yet. Try again: m3cred asks "
            "for the same tokens, not for new ones."
        ),
    ),
    Call.DEAUTHORIZE: Consequence(
        nothing_sent="Nothing was sent to Stripe; the account was not disconnected.",
        refused="The account was not disconnected.",
        unknown="Whether Stripe has disconnected the account is not known.",
    ),
}


class StripeProblem(Problem):
    """A call to Stripe brought no usable answer: what happened, and what follows of it."""

    call: Call
    host: str

    @property
    def happened(self) -> str:
        """The first part of its text."""
        return super().__str__()

    @property
    def _follows(self) -> str:
        return CONSEQUENCES[self.call].unknown

    def __str__(self) -> str:
        return f"{self.happened} {self._follows}"


class NothingSent(StripeProblem):
    """The call never reached Stripe."""

    @property
    def _follows(self) -> str:
        return CONSEQUENCES[self.call].nothing_sent


class SecretKeyUnusable(NothingSent, code="SecretKeyUnusable"):
    text = "The secret key that is set for this destination is not one of Stripe's."


class KeyOfOtherMode(NothingSent, code="KeyOfOtherMode"):
    """The secret key that is used is of the other mode than the credential."""

    text = """The secret key that is set for this destination is for {_given} mode, but the
        credential is for {_needed} mode."""
    livemode: bool
    _needed = property(lambda self: "live" if self.livemode else "test")
    _given = property(lambda self: "test" if self.livemode else "live")


class TokenMissing(NothingSent, code="TokenMissing"):
    """A credential of a Stripe App has no access token or refresh token."""

    text = "The credential holds no {_token}."

    @property
    def _token(self) -> str:
        return "refresh token" if self.call is Call.REFRESH else "access token"


class StripeUnreachable(NothingSent, code="StripeUnreachable"):
    text = "{host} could not be reached: {reason}."
    reason: str


class NoUsableReply(StripeProblem):
    """The request may have reached Stripe, and what became of it is unknown."""


class ReplyLost(NoUsableReply, code="ReplyLost"):
    """The request may have reached Stripe, but no whole answer came."""

    text = "No complete answer came from {host}: {reason}."
    reason: str


class StripeFailed(NoUsableReply, code="StripeFailed"):
    """Stripe answered with a 5xx status; what became of the request is unknown."""

    text = "{host} failed with status {status}."
    status: int


class StripeNonsense(NoUsableReply, code="StripeNonsense"):
    """Stripe's answer cannot be understood; what became of the request is unknown."""

    text = "The answer from {host} cannot be understood: {what}."
    what: str


class StripeRefused(StripeProblem, code="StripeRefused"):
    """Stripe answered with a 4xx status; ``error`` may be one that it has not documented.

    ``by_access_token``: the call was made with the credential's token, not the platform's key.
    """

    text = "{host} refused ({_error_code}status {status}){_said}.{_hint}"
    status: int
    error: str | None
    description: str | None
    by_access_token: bool = False

    @property
    def _follows(self) -> str:
        if (self.call, self.status) == (Call.REFRESH, 409):  # the first one is under way
            return super()._follows
        return CONSEQUENCES[self.call].refused

    @property
    def _error_code(self) -> str:
        return f"{self.error}, " if self.error else ""

    @property
    def _said(self) -> str:
        return f": {self.description.rstrip('.')}" if self.description else ""

    @property
    def _hint(self) -> str:
        match self.call, self.error:
            case Call.REFRESH, "invalid_grant":
                return " The refresh token is no longer valid: authorize the credential again."
            case Call.DEAUTHORIZE, "invalid_client":
                return (
                    " Either the account is no longer connected, or the client id or secret "
                    "key that is set for this destination belongs to another platform or mode."
                )
        match self.status, self.by_access_token:
            case 401, True:
                return " The credential's access token has expired or was revoked."
            case 401, False:
                return " Check the secret key that is set for this destination."
        return ""


def kind_of(problem: StripeProblem) -> Outcome:
    """Return what a failed call says about the credential.

    Of a Stripe Apps credential a 401 says *revoked* only if its access token is younger than
    an hour and the newest: an older one has expired, and a refresh ends the one before it.
    """
    match problem:
        case StripeUnreachable() | ReplyLost():
            outcome = Outcome.UNREACHABLE
        case SecretKeyUnusable() | KeyOfOtherMode():
            outcome = Outcome.WRONG_KEY
        case TokenMissing() | StripeRefused(error="account_invalid"):
            outcome = Outcome.REVOKED
        case StripeRefused(call=Call.REFRESH, error="invalid_grant"):
            outcome = Outcome.REVOKED
        case StripeRefused(error=str(error)) if error.startswith("more_permissions_required"):
            outcome = Outcome.NO_PERMISSION
        case StripeRefused(status=401, by_access_token=False):
            outcome = Outcome.WRONG_KEY
        case StripeRefused(status=401 | 403):
            outcome = Outcome.REVOKED
        case _:
            outcome = Outcome.FAILED
    return outcome
