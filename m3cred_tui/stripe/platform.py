"""m3ter's side of Stripe: the platform that accounts are connected to."""

from dataclasses import dataclass

from m3cred_tui.model.secret import Secret

CONNECT_BASE = "https://connect.stripe.com"
API_BASE = "https://api.stripe.com"


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform's keys for one destination, and the addresses of its Stripe."""

    client_id: str
    secret_key: Secret
    connect_base: str = CONNECT_BASE
    api_base: str = API_BASE
