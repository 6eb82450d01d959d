"""What can go wrong with the use of a credential, beside Stripe and the store."""

from datetime import datetime

from m3cred_tui.model.credential import Destination
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean


class StillPending(Problem):
    """The credential waits to be created, so it cannot be used."""

    def __init__(self, credential_id: str) -> None:
        super().__init__(
            f"The credential {clean(credential_id)} is pending: create it before it is used."
        )
        self.id = credential_id


class KeyDoesNotFit(Problem):
    """The platform's key is of test mode and the credential of live mode, or the reverse."""

    def __init__(self, destination: Destination, *, livemode: bool) -> None:
        needed, given = ("live", "test") if livemode else ("test", "live")
        super().__init__(
            f"The secret key that is set for {destination.label} is of {given} mode, but the "
            f"credential is of {needed} mode."
        )
        self.destination = destination
        self.livemode = livemode


class AnswerLost(Problem):
    """A refresh was not finished while Stripe still gave its answer again."""

    def __init__(self, asked_at: datetime) -> None:
        super().__init__(
            f"A refresh of the access token, begun on {asked_at:%Y-%m-%d at %H:%M} UTC, was "
            "not finished within a day, and Stripe does not give its answer any more: create "
            "the credential again."
        )
        self.asked_at = asked_at
