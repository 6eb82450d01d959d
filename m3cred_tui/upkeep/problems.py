"""What can go wrong in using a credential, besides Stripe and the store."""

from datetime import datetime

from m3cred_tui.model.credential import Destination
from m3cred_tui.model.problem import Problem


class StillPending(Problem, code="StillPending"):
    text = """The credential {id} is pending: create it before you use it; m3cred resume
        continues that."""
    id: str


class ResultsNotKept(Problem):
    """Wraps why what Stripe said in a check is only shown."""

    text = "The results were not kept. {cause}"
    cause: Problem


class NoOwnKey(Problem, code="NoOwnKey"):
    """Stripe gave no access token, which Connect may leave out."""

    text = """Stripe gave {id} no key of its own. The platform's key would act on the platform's
        own account in every request that does not name {account_id}; m3cred exec --platform-key
        passes it to a command that does: STRIPE_ACCOUNT and {{account}} stand for that ID."""
    id: str
    account_id: str


class KeyDoesNotFit(Problem, code="KeyDoesNotFit"):
    """The secret key that is set is of the other mode than the credential."""

    text = """The secret key that is set for {destination.label} is for {destination.other_mode}
        mode, but the credential is for {destination.mode} mode."""
    destination: Destination


class AnswerLost(Problem, code="AnswerLost"):
    text = """A refresh of the access token, begun on {asked_at:%Y-%m-%d at %H:%M} UTC, was not
        finished within a day, and Stripe no longer gives its answer: the credential must be
        authorized again."""
    asked_at: datetime
