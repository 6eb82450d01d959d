"""An Integration Credential, its parts, and the values that each may have."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Self

from m3cred_tui.model.secret import Secret


class EntityType(NamedTuple):
    """A kind of m3ter entity; ``code`` is m3ter's, ``label`` is what the user reads."""

    code: str
    label: str


BILL = EntityType(code="Bill", label="Bill")

ENTITY_TYPES = (BILL,)
"""Every entity type that can be selected; a new one is one line here."""


class Destination(NamedTuple):
    """An external system; ``code`` is m3ter's, ``label`` is what the user reads."""

    code: str
    label: str
    livemode: bool

    @property
    def mode(self) -> str:
        """The word for the destination's mode: ``live`` or ``test``."""
        return "live" if self.livemode else "test"

    @property
    def other_mode(self) -> str:
        """The word for the mode that is not the destination's."""
        return "test" if self.livemode else "live"


STRIPE = Destination(code="STRIPE", label="Stripe", livemode=True)
STRIPE_TEST = Destination(code="STRIPE_TEST", label="Stripe (Test Mode)", livemode=False)

DESTINATIONS = (STRIPE, STRIPE_TEST)
"""Every destination that can be selected; a new one is one line here."""


class OAuthModel(StrEnum):
    """How an account gives access, and with which key the platform then calls Stripe."""

    CONNECT = "connect"
    """The platform's secret key, and the account's id
    (https://docs.stripe.com/connect/oauth-reference)."""

    APPS = "apps"
    """The account's own access token
    (https://docs.stripe.com/stripe-apps/api-authentication/oauth)."""


ACCESS_TOKEN_LIFETIME = timedelta(hours=1)
"""How long an access token of Stripe Apps lasts; Stripe's replies do not say."""


REFRESH_TOKEN_LIFETIME = timedelta(days=365)
"""How long a refresh token of Stripe Apps lasts; using it gives another, with a year of its own
(https://docs.stripe.com/stripe-apps/api-authentication/oauth)."""
EXPIRY_WARNING = timedelta(days=30)
"""How long before the end of a credential m3cred warns of it."""


class Status(StrEnum):
    """How far a credential has come with Stripe."""

    PENDING = "pending"
    UNKNOWN = "unknown"
    """The code was sent, and Stripe's answer is not here: it may have connected an account."""
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


def dashboard_url(account: StripeAccount, oauth: OAuthModel) -> str:
    """Return the address of an account in Stripe's Dashboard.

    With Connect, the platform sees it among its connected accounts; one that has installed a
    Stripe App is not among them, and opens for those who may log in to it.
    """
    test = "" if account.livemode else "/test"
    if oauth is OAuthModel.CONNECT:
        return f"https://dashboard.stripe.com{test}/connect/accounts/{account.id}"
    return f"https://dashboard.stripe.com/{account.id}{test}/dashboard"


class TokenResponse(NamedTuple):
    """Stripe's answer to an exchange or a refresh, as far as m3cred uses it.

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
    """The model by which they were granted and are used."""
    obtained_at: datetime | None = None
    """When an access token's hour began; ``None`` if the token does not expire."""

    @property
    def expires_at(self) -> datetime | None:
        """When the refresh token ends unless it is used before; ``None`` with Connect."""
        if self.oauth is not OAuthModel.APPS or self.obtained_at is None:
            return None
        return self.obtained_at + REFRESH_TOKEN_LIFETIME


class Happened(StrEnum):
    """What can happen to a credential after it was created, apart from checks."""

    AUTHORIZED = "authorized"
    """Another approval has replaced its account and tokens."""
    REFRESHED = "refreshed"
    RENAMED = "renamed"


class Event(NamedTuple):
    """What happened, when, and by whom; ``before`` is the name or account ID until then."""

    what: Happened
    at: datetime
    by: str
    before: str = ""


MOST_EVENTS = 20
"""The events that a credential remembers: the last ones."""


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
    renews: str | None = None
    """For a pending one that will replace the account and tokens of another: the ID of that."""
    approval: str | None = None
    """The ID under which the last approval that has replaced account and tokens was pending."""
    history: tuple[Event, ...] = ()
    """The last events, the oldest first."""
    expires_at: datetime | None = None
    """When it ends unless it is used before, as its tokens say; ``None`` with Connect."""

    def remembering(self, event: Event) -> Self:
        """Return it with this event, once; of refreshes only the last is remembered."""
        is_refresh = event.what is Happened.REFRESHED
        others = [
            one
            for one in self.history
            if one != event and not (is_refresh and one.what is Happened.REFRESHED)
        ]
        return self._replace(history=(*others, event)[-MOST_EVENTS:])

    def expires_soon(self, now: datetime) -> bool:
        """Return whether to warn of its end, or whether that is past."""
        return self.expires_at is not None and self.expires_at - EXPIRY_WARNING <= now

    def is_expired(self, now: datetime) -> bool:
        """Return whether its tokens have ended; only a new authorization helps then."""
        return self.expires_at is not None and self.expires_at <= now


class Draft(NamedTuple):
    """What the user has entered so far in Create Integration Credential."""

    name: str = ""
    entity_type: EntityType | None = None
    destination: Destination | None = None
    renews: str | None = None
    """The ID of the credential to be authorized again, if it is that."""


_HEX = "[0-9a-f]"
ID_PATTERN = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
"""A UUID in its canonical spelling."""
_is_id = re.compile(ID_PATTERN).fullmatch
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM_BYTES = 10


def credential_id(created_at: datetime, randomness: bytes) -> str:
    """Return a UUID version 7 (RFC 9562, section 5.7) for this time.

    ``randomness`` is 10 bytes from a secure source; its surplus bits are dropped.
    """
    if len(randomness) != _RANDOM_BYTES:
        raise ValueError(f"a UUID version 7 takes {_RANDOM_BYTES} random bytes")
    milliseconds = (created_at - _EPOCH) // timedelta(milliseconds=1)
    value = int.from_bytes(milliseconds.to_bytes(6) + randomness)
    value = value & ~(0xF << 76) | (0x7 << 76)  # version
    value = value & ~(0x3 << 62) | (0x2 << 62)  # variant
    digits = f"{value:032x}"  # the uuid module takes longer to import than a list to read
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def is_credential_id(text: str) -> bool:
    """Return whether ``text`` is a UUID in its canonical spelling."""
    return _is_id(text) is not None


M3TER_MUST_KNOW = (
    "m3ter must know this Credential ID before an Integration Configuration can use it; m3cred "
    "cannot register it there, as m3ter's API has no call for that."
)
"""What goes with :func:`integration_fields`, wherever they are shown."""


def integration_fields(credential: Credential) -> dict[str, str]:
    """Return a credential's part of an Integration Configuration, in m3ter's field names.

    As in m3ter's API (https://www.m3ter.com/docs/api, Create integration configuration);
    the caller of that API adds ``configData``, and m3ter adds ``version``.
    """
    return {
        "name": credential.name,
        "entityType": credential.entity_type.code,
        "destination": credential.destination.code,
        "integrationCredentialsId": credential.id,
    }
