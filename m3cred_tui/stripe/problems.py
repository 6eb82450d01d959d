"""What can go wrong with Stripe, and what kind of problem it is."""

from enum import Enum, StrEnum
from typing import NamedTuple

from m3cred_tui.model.problem import Problem


class Call(Enum):
    """What was asked of Stripe; what a failure means depends on it."""

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

CONSEQUENCES = {
    # A code that has reached Stripe may be spent, and using it again would revoke the
    # connection.
    Call.EXCHANGE: Consequence(
        nothing_sent=f"Nothing was sent to Stripe. {_BEGIN_AGAIN}",
        refused=_BEGIN_AGAIN,
        unknown=f"Whether Stripe has connected the account is not known. {_BEGIN_AGAIN}",
    ),
    Call.ACCOUNT: Consequence(nothing_sent=_UNREAD, refused=_UNREAD, unknown=_UNREAD),
    Call.REFRESH: Consequence(
        nothing_sent="Nothing was sent to Stripe; the tokens are as they were.",
        refused="Stripe gave no new access token.",
        unknown=(
            "Whether Stripe has replaced the tokens is not known yet. Try again: m3cred asks "
            "for the same answer, not for another one."
        ),
    ),
    Call.DEAUTHORIZE: Consequence(
        nothing_sent="Nothing was sent to Stripe; the account was not disconnected.",
        refused="The account was not disconnected.",
        unknown="Whether Stripe has disconnected the account is not known.",
    ),
}


__all__ = [
    "Call",
    "KeyOfOtherMode",
    "ReplyLost",
    "SecretKeyUnusable",
    "StripeFailed",
    "StripeNonsense",
    "StripeProblem",
    "StripeRefused",
    "StripeUnreachable",
    "TokenMissing",
]

_UNAUTHORIZED = 401
_CONFLICT = 409


class StripeProblem(Problem):
    """A call to Stripe brought no usable answer.

    ``happened`` and ``follows`` are the two sentences that its text is made of.
    """

    def __init__(self, call: Call, host: str, happened: str, follows: str) -> None:
        super().__init__(f"{happened} {follows}")
        self.call = call
        self.host = host
        self.happened = happened
        self.follows = follows


class SecretKeyUnusable(StripeProblem):
    """The platform's key cannot be one of Stripe's, nor even be sent."""

    def __init__(self, call: Call, host: str) -> None:
        happened = "The secret key that is set for this destination is not one of Stripe's."
        super().__init__(call, host, happened, CONSEQUENCES[call].nothing_sent)


class KeyOfOtherMode(StripeProblem):
    """The platform's key is of test mode and the account's of live mode, or the reverse."""

    def __init__(self, call: Call, host: str, *, livemode: bool) -> None:
        needed, given = ("live", "test") if livemode else ("test", "live")
        happened = (
            f"The secret key that is set for this destination is of {given} mode, but the "
            f"credential is of {needed} mode."
        )
        super().__init__(call, host, happened, CONSEQUENCES[call].nothing_sent)
        self.livemode = livemode


class TokenMissing(StripeProblem):
    """A credential of Stripe Apps has no access token or refresh token that could be sent."""

    def __init__(self, call: Call, host: str) -> None:
        token = "refresh token" if call is Call.REFRESH else "access token"
        happened = f"The credential holds no {token}."
        super().__init__(call, host, happened, CONSEQUENCES[call].nothing_sent)


class StripeUnreachable(StripeProblem):
    """No connection came about, so nothing was sent."""

    def __init__(self, call: Call, host: str, reason: str) -> None:
        happened = f"{host} could not be reached: {reason}."
        super().__init__(call, host, happened, CONSEQUENCES[call].nothing_sent)
        self.reason = reason


class ReplyLost(StripeProblem):
    """The request may have reached Stripe, but no whole answer came: outcome unknown."""

    def __init__(self, call: Call, host: str, reason: str) -> None:
        happened = f"No whole answer came from {host}: {reason}."
        super().__init__(call, host, happened, CONSEQUENCES[call].unknown)
        self.reason = reason


class StripeRefused(StripeProblem):
    """Stripe answered with a 4xx status; ``error`` and ``description`` are Stripe's, cleaned.

    Either may be ``None``, and ``error`` may be one that Stripe has not documented.
    ``by_access_token`` tells that the call was made with the credential's own token, not
    with the platform's key.
    """

    def __init__(
        self,
        call: Call,
        host: str,
        status: int,
        error: str | None,
        description: str | None,
        *,
        by_access_token: bool = False,
    ) -> None:
        code = f"{error}, " if error else ""
        said = f": {description.rstrip('.')}" if description else ""
        happened = f"{host} refused ({code}status {status}){said}."
        self.status = status
        self.error = error
        self.description = description
        self.by_access_token = by_access_token
        hint, follows = self._hint(call), CONSEQUENCES[call].refused
        if call is Call.REFRESH and status == _CONFLICT:  # the first of two is under way
            follows = CONSEQUENCES[call].unknown
        super().__init__(call, host, f"{happened} {hint}" if hint else happened, follows)

    def _hint(self, call: Call) -> str:
        match call, self.error:
            case Call.REFRESH, "invalid_grant":
                return "The refresh token does not count any more: create the credential again."
            case Call.DEAUTHORIZE, "invalid_client":
                return (
                    "Either the account is not connected any more, or the client id or secret "
                    "key that is set for this destination is of another platform or mode."
                )
        if self.status != _UNAUTHORIZED:
            return ""
        if self.by_access_token:
            return "The credential's access token has expired or was revoked."
        return "Check the secret key that is set for this destination."


class StripeFailed(StripeProblem):
    """Stripe answered with a 5xx status: what became of the request is unknown."""

    def __init__(self, call: Call, host: str, status: int) -> None:
        happened = f"{host} failed with status {status}."
        super().__init__(call, host, happened, CONSEQUENCES[call].unknown)
        self.status = status


class StripeNonsense(StripeProblem):
    """The answer is not one that Stripe gives: what became of the request is unknown."""

    def __init__(self, call: Call, host: str, what: str) -> None:
        happened = f"{host} answered something that cannot be understood: {what}."
        super().__init__(call, host, happened, CONSEQUENCES[call].unknown)
        self.what = what


_STATUS_UNAUTHORIZED, _FORBIDDEN = 401, 403
_NO_ACCESS = "account_invalid"
_NO_PERMISSION = "more_permissions_required"


class Kind(StrEnum):
    """Why a credential could not be used or checked."""

    REVOKED = "revoked"
    """The account gives no access any more: only a new authorization helps."""
    WRONG_KEY = "wrong_key"
    """The platform's secret key is not right, or of the other mode."""
    NO_PERMISSION = "no_permission"
    """Stripe knows the key and the account, but the key may not do this."""
    UNREACHABLE = "unreachable"
    """No answer came."""
    FAILED = "failed"
    """Stripe answered, but neither yes nor no: try again later."""


def kind_of(problem: StripeProblem) -> Kind:
    """Return what a failed call says about the credential.

    Of a Stripe Apps credential a 401 says *revoked* only if its access token is younger than
    an hour and the newest: an older one has expired, and a refresh ends the one before it.
    """
    match problem:
        case StripeUnreachable() | ReplyLost():
            return Kind.UNREACHABLE
        case SecretKeyUnusable() | KeyOfOtherMode():
            return Kind.WRONG_KEY
        case TokenMissing():
            return Kind.REVOKED
        case StripeRefused():
            return _kind_of_refusal(problem)
    return Kind.FAILED


def _kind_of_refusal(refused: StripeRefused) -> Kind:
    if refused.error == _NO_ACCESS:
        return Kind.REVOKED
    if refused.call is Call.REFRESH and refused.error == "invalid_grant":
        return Kind.REVOKED
    if refused.error and refused.error.startswith(_NO_PERMISSION):
        return Kind.NO_PERMISSION
    if refused.status == _STATUS_UNAUTHORIZED:
        return Kind.REVOKED if refused.by_access_token else Kind.WRONG_KEY
    return Kind.REVOKED if refused.status == _FORBIDDEN else Kind.FAILED
