"""An Integration Credential, and the parts it is made of."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from m3cred_tui.model.destination import Destination
from m3cred_tui.model.entity_type import EntityType
from m3cred_tui.model.secret import Secret


class Status(StrEnum):
    """How far a credential is with Stripe."""

    PENDING = "pending"
    AUTHENTICATED = "authenticated"


@dataclass(frozen=True, slots=True)
class StripeAccount:
    """The Stripe account that was approved; what Stripe may leave out is ``None``."""

    id: str
    livemode: bool
    name: str | None = None
    country: str | None = None

    @property
    def mode(self) -> str:
        """The word for the account's mode: ``live`` or ``test``."""
        return "live" if self.livemode else "test"


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """What Stripe answers to an exchange, as far as m3cred uses it.

    ``access_token``, ``refresh_token`` and ``publishable_key`` are deprecated at Stripe and
    may be missing (https://docs.stripe.com/connect/oauth-reference#post-token).
    """

    account_id: str
    livemode: bool
    scope: str
    access_token: Secret | None = None
    refresh_token: Secret | None = None
    publishable_key: str | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential without its secrets: what a list shows."""

    id: str
    name: str
    entity_type: EntityType
    destination: Destination
    account: StripeAccount | None
    """``None`` while Stripe has not approved it."""
    created_at: datetime
    created_by: str
    status: Status


@dataclass(frozen=True, slots=True)
class Draft:
    """What the user has entered so far in Create Integration Credential."""

    name: str = ""
    entity_type: EntityType | None = None
    destination: Destination | None = None
