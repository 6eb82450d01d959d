"""What a program needs to call Stripe on behalf of an account."""

from typing import NamedTuple
from urllib.parse import urlsplit

from m3cred_tui.model.oauth_model import OAuthModel
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.problems import Call, TokenMissing
from m3cred_tui.upkeep.account import Holder


class Access(NamedTuple):
    """A key, and the account that it is to be used for."""

    key: Secret
    """With Connect the platform's secret key; with Stripe Apps the account's access token."""
    account_id: str
    """With Connect to be sent as ``Stripe-Account``; with Stripe Apps the key says it."""
    livemode: bool
    oauth: OAuthModel
    api_base: str


def access_by(held: Holder) -> Access:
    """Return the access that a credential gives; raises ``TokenMissing``."""
    tokens, platform = held.tokens, held.platform
    is_app = tokens.oauth is OAuthModel.APPS
    key = tokens.access_token if is_app else platform.secret_key
    if key is None:
        raise TokenMissing(Call.ACCOUNT, urlsplit(platform.api_base).netloc)
    return Access(key, tokens.account_id, tokens.livemode, tokens.oauth, platform.api_base)
