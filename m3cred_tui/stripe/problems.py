"""What can go wrong with Stripe."""

from enum import Enum

from m3cred_tui.model.problem import Problem


class Call(Enum):
    """What was asked of Stripe; what a failure means depends on it."""

    EXCHANGE = "exchange"
    ACCOUNT = "account"


_UNAUTHORIZED = 401
_BEGIN_AGAIN = "Begin a new authorization."
_UNREAD = "The account's name and country could not be read."
_NOTHING_SENT = {
    Call.EXCHANGE: f"Nothing was sent to Stripe. {_BEGIN_AGAIN}",
    Call.ACCOUNT: _UNREAD,
}
_REFUSED = {Call.EXCHANGE: _BEGIN_AGAIN, Call.ACCOUNT: _UNREAD}
# A code that has reached Stripe may be spent, and using it again would revoke the connection.
_OUTCOME_UNKNOWN = {
    Call.EXCHANGE: f"Whether Stripe has connected the account is not known. {_BEGIN_AGAIN}",
    Call.ACCOUNT: _UNREAD,
}


class StripeProblem(Problem):
    """A call to Stripe brought no usable answer."""

    def __init__(self, call: Call, host: str, happened: str, follows: str) -> None:
        super().__init__(f"{happened} {follows}")
        self.call = call
        self.host = host


class SecretKeyUnusable(StripeProblem):
    """The platform's key cannot be one of Stripe's, nor even be sent."""

    def __init__(self, call: Call, host: str) -> None:
        happened = "The secret key that is set for this destination is not one of Stripe's."
        super().__init__(call, host, happened, _NOTHING_SENT[call])


class StripeUnreachable(StripeProblem):
    """No connection came about, so nothing was sent."""

    def __init__(self, call: Call, host: str, reason: str) -> None:
        happened = f"{host} could not be reached: {reason}."
        super().__init__(call, host, happened, _NOTHING_SENT[call])
        self.reason = reason


class ReplyLost(StripeProblem):
    """The request may have reached Stripe, but no whole answer came: outcome unknown."""

    def __init__(self, call: Call, host: str, reason: str) -> None:
        happened = f"No whole answer came from {host}: {reason}."
        super().__init__(call, host, happened, _OUTCOME_UNKNOWN[call])
        self.reason = reason


class StripeRefused(StripeProblem):
    """Stripe answered with a 4xx status; ``error`` and ``description`` are Stripe's, cleaned.

    Either may be ``None``, and ``error`` may be one that Stripe has not documented.
    """

    def __init__(
        self, call: Call, host: str, status: int, error: str | None, description: str | None
    ) -> None:
        code = f"{error}, " if error else ""
        said = f": {description.rstrip('.')}" if description else ""
        happened = f"{host} refused ({code}status {status}){said}."
        if status == _UNAUTHORIZED:
            happened += " Check the secret key that is set for this destination."
        super().__init__(call, host, happened, _REFUSED[call])
        self.status = status
        self.error = error
        self.description = description


class StripeFailed(StripeProblem):
    """Stripe answered with a 5xx status: of an exchange, the outcome is unknown."""

    def __init__(self, call: Call, host: str, status: int) -> None:
        happened = f"{host} failed with status {status}."
        super().__init__(call, host, happened, _OUTCOME_UNKNOWN[call])
        self.status = status


class StripeNonsense(StripeProblem):
    """The answer is not one that Stripe gives: of an exchange, the outcome is unknown."""

    def __init__(self, call: Call, host: str, what: str) -> None:
        happened = f"{host} answered something that cannot be understood: {what}."
        super().__init__(call, host, happened, _OUTCOME_UNKNOWN[call])
        self.what = what
