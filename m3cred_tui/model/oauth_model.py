"""Stripe's two OAuth models; a credential keeps working by the one it was made with."""

from datetime import timedelta
from enum import StrEnum


class OAuthModel(StrEnum):
    """How an account gives access, and what the platform then calls Stripe with."""

    CONNECT = "connect"
    """The platform's secret key, and the account's id
    (https://docs.stripe.com/connect/oauth-reference)."""

    APPS = "apps"
    """An access token of the account's own
    (https://docs.stripe.com/stripe-apps/api-authentication/oauth)."""


ACCESS_TOKEN_LIFETIME = timedelta(hours=1)
"""How long an access token of Stripe Apps lasts; Stripe's replies do not say it."""
