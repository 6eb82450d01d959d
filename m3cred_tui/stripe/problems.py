"""What can go wrong with Stripe."""

from m3cred_tui.model.problem import Problem
from m3cred_tui.stripe.calls import CONSEQUENCES, Call

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
