"""The demo businesses: every e-mail has one, always the same."""

from dataclasses import dataclass
from hashlib import sha256

from m3cred_tui.model.text import clean

_FIRST = (
    "Amber", "Bramble", "Cedar", "Clover", "Copper", "Coral", "Fern", "Harbour", "Hazel",
    "Heron", "Indigo", "Juniper", "Lantern", "Linden", "Maple", "Marble", "Meadow", "Orchard",
    "Pebble", "Quill", "Saffron", "Sparrow", "Thistle", "Willow",
)  # fmt: skip
_SECOND = (
    "Analytics", "Atlas", "Books", "Cloud", "Coffee", "Compute", "Energy", "Freight", "Games",
    "Health", "Insights", "Labs", "Learning", "Logistics", "Maps", "Media", "Metering",
    "Mobility", "Networks", "Robotics", "Software", "Storage", "Studio", "Water",
)  # fmt: skip
# Country, currency, and what a company there is called.
_PLACES = (
    ("AU", "aud", "Pty Ltd"),
    ("DE", "eur", "GmbH"),
    ("FR", "eur", "SAS"),
    ("GB", "gbp", "Ltd"),
    ("IE", "eur", "Ltd"),
    ("NL", "eur", "B.V."),
    ("SE", "sek", "AB"),
    ("US", "usd", "Inc."),
)


@dataclass(frozen=True, slots=True)
class Account:
    """A Stripe account, as far as the demo has one. It is the same in live and test mode."""

    id: str
    email: str
    name: str
    trading_name: str
    country: str
    currency: str

    def facts(self) -> dict[str, object]:
        """Return the Account object of Stripe's API; it has no ``livemode``."""
        return {
            "id": self.id,
            "object": "account",
            "business_profile": {"name": self.name, "support_email": None, "url": None},
            "charges_enabled": True,
            "country": self.country,
            "default_currency": self.currency,
            "details_submitted": True,
            "email": self.email,
            "payouts_enabled": True,
            "settings": {
                "dashboard": {"display_name": self.trading_name, "timezone": "Etc/UTC"}
            },
            "type": "standard",
        }


M3TER = Account("acct_1DemoPlatformM3ter", "demo@m3ter.example", "m3ter", "m3ter", "GB", "gbp")
"""The platform's own account."""


def account_of(email: str) -> Account:
    """Return the account of whoever logs in with ``email``."""
    shown = clean(email)
    digest = sha256(shown.casefold().encode()).digest()
    country, currency, form = _PLACES[digest[2] % len(_PLACES)]
    trading_name = f"{_FIRST[digest[0] % len(_FIRST)]} {_SECOND[digest[1] % len(_SECOND)]}"
    account_id = f"acct_1Demo{digest[3:9].hex()}"
    return Account(account_id, shown, f"{trading_name} {form}", trading_name, country, currency)
