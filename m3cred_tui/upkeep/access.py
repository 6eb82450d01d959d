"""What a program needs to call Stripe on behalf of an account."""

from dataclasses import dataclass

from m3cred_tui.model.oauth_model import OAuthModel
from m3cred_tui.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Access:
    """A key, and the account that it is to be used for."""

    key: Secret
    """With Connect the platform's secret key; with Stripe Apps the account's access token."""
    account_id: str
    """With Connect to be sent as ``Stripe-Account``; with Stripe Apps the key says it."""
    livemode: bool
    oauth: OAuthModel
    api_base: str
