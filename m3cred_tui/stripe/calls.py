"""What is asked of Stripe, and what its failure means for the credential."""

from enum import Enum
from typing import NamedTuple


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
