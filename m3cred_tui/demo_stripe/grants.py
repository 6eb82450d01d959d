"""Authorization codes, and what they are exchanged for."""

from dataclasses import dataclass, field

from m3cred_tui.demo_stripe.business import Account
from m3cred_tui.model.credential import OAuthModel

CODE_LIFETIME = 300.0
"""Seconds; Stripe's five minutes."""

REFRESH_TOKEN_LIFETIME = 365 * 86_400.0
"""Seconds; a year with Stripe Apps. Connect's tokens last until they are revoked."""

SCOPES = ("read_only", "read_write")
"""Connect's, from the lesser to the greater."""

APPS_SCOPE = "stripe_apps"
"""What Stripe Apps says instead: an app's rights are in its manifest."""


def mode(*, livemode: bool) -> str:
    """Return the mode's word as Stripe's prefixes have it: ``live`` or ``test``."""
    return "live" if livemode else "test"


@dataclass(slots=True)
class Grant:
    """One approval of an account's owner, from the code to its revocation."""

    account: Account
    livemode: bool
    scope: str
    oauth: OAuthModel
    approved_at: float
    refresh_token: str | None = None
    """The one that counts; ``None`` until the code has been exchanged."""
    refreshed_at: float = 0.0
    access_token: str | None = None
    """The latest; with Stripe Apps, the only one that counts."""
    revoked: bool = False

    def connects(self, account_id: str, *, livemode: bool, oauth: OAuthModel) -> bool:
        """Tell whether the platform reaches this account in this mode by this grant."""
        if not self.is_connected or self.account.id != account_id:
            return False
        return self.livemode == livemode and self.oauth is oauth

    @property
    def is_connected(self) -> bool:
        """Whether the code was exchanged, and nobody has revoked what it gave."""
        return self.refresh_token is not None and not self.revoked


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token that was handed out."""

    grant: Grant
    expires_at: float

    def counts(self, token: str, now: float) -> bool:
        """Tell whether it reaches the account; with Stripe Apps, a refresh ends it."""
        if self.grant.revoked or now >= self.expires_at:
            return False
        return self.grant.oauth is OAuthModel.CONNECT or self.grant.access_token == token


@dataclass(frozen=True, slots=True)
class TokenReply:
    """What an exchange or a refresh hands out."""

    grant: Grant
    scope: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    publishable_key: str

    def facts(self) -> dict[str, object]:
        """Return the token response; there is no ``expires_in``, as at Stripe."""
        return {
            "access_token": self.access_token,
            "livemode": self.grant.livemode,
            "refresh_token": self.refresh_token,
            "scope": self.scope,
            "stripe_publishable_key": self.publishable_key,
            "stripe_user_id": self.grant.account.id,
            "token_type": "bearer",
        }
