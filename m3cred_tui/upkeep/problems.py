"""What can go wrong with the use of a credential, besides Stripe and the store."""

from datetime import datetime

from m3cred_tui.model.credential import Destination
from m3cred_tui.model.problem import Problem


class StillPending(Problem, code="StillPending"):
    text = "The credential {id} is pending: create it before you use it."
    id: str


class KeyDoesNotFit(Problem, code="KeyDoesNotFit"):
    """The secret key that is set is of the other mode than the credential."""

    text = """The secret key that is set for {destination.label} is for {_given} mode, but the
        credential is for {_needed} mode."""
    destination: Destination
    livemode: bool
    _needed = property(lambda self: "live" if self.livemode else "test")
    _given = property(lambda self: "test" if self.livemode else "live")


class AnswerLost(Problem, code="AnswerLost"):
    text = """A refresh of the access token, begun on {asked_at:%Y-%m-%d at %H:%M} UTC, was not
        finished within a day, and Stripe no longer gives its answer: create the credential
        again."""
    asked_at: datetime
