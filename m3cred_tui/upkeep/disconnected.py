"""What became of a credential that was to be disconnected and deleted."""

from typing import NamedTuple

from m3cred_tui.model.problem import Problem


class Disconnected(NamedTuple):
    """Which of the two happened, and what went wrong if not both did."""

    disconnected_at_stripe: bool
    """Whether Stripe said that the account is not connected any more."""
    deleted: bool
    """Whether the credential is gone from this machine."""
    told: str
    """All of it in plain sentences."""
    problem: Problem | None = None
