"""Authorization codes, and what they are exchanged for."""

from dataclasses import dataclass, field

from m3cred_tui.demo_stripe.business import Account

CODE_LIFETIME = 300.0
"""Seconds; Stripe's five minutes."""

SCOPES = ("read_only", "read_write")
"""From the lesser to the greater."""


def mode(*, livemode: bool) -> str:
    """Return the mode's word as Stripe's prefixes have it: ``live`` or ``test``."""
    return "live" if livemode else "test"


@dataclass(slots=True)
class Grant:
    """One approval of an account's owner, from the code to its revocation."""

    account: Account
    livemode: bool
    scope: str
    approved_at: float
    refresh_token: str | None = None
    """``None`` until the code has been exchanged."""
    revoked: bool = False

    def connects(self, account_id: str, *, livemode: bool) -> bool:
        """Tell whether the platform reaches this account in this mode by this grant."""
        if self.refresh_token is None or self.revoked:
            return False
        return self.account.id == account_id and self.livemode == livemode


@dataclass(frozen=True, slots=True)
class TokenReply:
    """What an exchange or a refresh hands out."""

    grant: Grant
    scope: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    publishable_key: str
