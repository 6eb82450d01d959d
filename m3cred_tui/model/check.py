"""The result of checking a credential at Stripe."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """Whether a credential can be used, or why it could not be."""

    OK = "ok"
    REVOKED = "revoked"
    """The account no longer gives access: only a new authorization helps."""
    WRONG_KEY = "wrong_key"
    """The platform's secret key is wrong, or of the other mode."""
    NO_PERMISSION = "no_permission"
    """Stripe knows the key and the account, but does not allow the key to do this."""
    UNREACHABLE = "unreachable"
    """No answer came."""
    FAILED = "failed"
    """Inconclusive: try again later."""
    NOT_SET_UP = "not_set_up"
    """There is no secret key for the destination, or its source returned none."""
    DAMAGED = "damaged"
    """The credential's record cannot be used."""
    PENDING = "pending"
    """The credential is not created yet, so there is nothing to check."""


LONGEST_TOLD = 400
"""Characters, including Stripe's message."""


class CheckResult(NamedTuple):
    """The outcome of one check, and its time."""

    outcome: Outcome
    at: datetime
    told: str = ""
    """Why, as a sentence; empty if it is ok."""
    by: str = ""
    """Who checked; empty in a result of an m3cred that did not store it."""

    def told_with(self, again: str) -> str:
        """Return why, and how to authorize ``again`` where only that helps."""
        return f"{self.told} {again}".lstrip() if self.outcome is Outcome.REVOKED else self.told

    @property
    def label(self) -> str:
        """The outcome in words that fit into a list."""
        return self.outcome.replace("_", " ")
