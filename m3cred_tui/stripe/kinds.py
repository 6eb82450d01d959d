"""What a failed call says about a credential."""

from enum import StrEnum

from m3cred_tui.stripe.calls import Call
from m3cred_tui.stripe.problems import (
    KeyOfOtherMode,
    ReplyLost,
    SecretKeyUnusable,
    StripeProblem,
    StripeRefused,
    StripeUnreachable,
    TokenMissing,
)

_UNAUTHORIZED, _FORBIDDEN = 401, 403
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
    if refused.status == _UNAUTHORIZED:
        return Kind.REVOKED if refused.by_access_token else Kind.WRONG_KEY
    return Kind.REVOKED if refused.status == _FORBIDDEN else Kind.FAILED
