"""An Integration Credential, and the parts it is made of."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from m3cred_tui.model.destination import Destination
from m3cred_tui.model.entity_type import EntityType
from m3cred_tui.model.oauth_model import OAuthModel
from m3cred_tui.model.secret import Secret


class Status(StrEnum):
    """How far a credential is with Stripe."""

    PENDING = "pending"
    AUTHENTICATED = "authenticated"


class StripeAccount(NamedTuple):
    """The Stripe account that was approved; what Stripe may leave out is ``None``."""

    id: str
    livemode: bool
    name: str | None = None
    country: str | None = None

    @property
    def mode(self) -> str:
        """The word for the account's mode: ``live`` or ``test``."""
        return "live" if self.livemode else "test"


class TokenResponse(NamedTuple):
    """What Stripe answers to an exchange or a refresh, as far as m3cred uses it.

    With Connect, ``access_token``, ``refresh_token`` and ``publishable_key`` are deprecated
    and may be missing (https://docs.stripe.com/connect/oauth-reference#post-token). With
    Stripe Apps there is always an access token.
    """

    account_id: str
    livemode: bool
    scope: str
    access_token: Secret | None = None
    refresh_token: Secret | None = None
    publishable_key: str | None = None
    oauth: OAuthModel = OAuthModel.CONNECT
    """The model that they were given by, and work by."""
    obtained_at: datetime | None = None
    """Since when an access token's hour runs; ``None`` where it does not end."""


class Credential(NamedTuple):
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


class Draft(NamedTuple):
    """What the user has entered so far in Create Integration Credential."""

    name: str = ""
    entity_type: EntityType | None = None
    destination: Destination | None = None
