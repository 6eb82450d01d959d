"""Stripe over httpx: which adapter a platform needs."""

from collections.abc import Callable
from datetime import datetime

from m3cred_tui.model.oauth_model import OAuthModel
from m3cred_tui.stripe.apps import AppsGateway
from m3cred_tui.stripe.asking import TIME_LIMIT
from m3cred_tui.stripe.connect import ConnectGateway
from m3cred_tui.stripe.gateway import StripeGateway
from m3cred_tui.stripe.platform import Platform

HttpxGateway = ConnectGateway  # for callers that do not choose by the model yet


def gateway_for(
    platform: Platform, now: Callable[[], datetime], *, time_limit: float = TIME_LIMIT
) -> StripeGateway:
    """Return the adapter for the platform's OAuth model.

    For a credential that exists, that is the model of its tokens, whatever is set today:
    ``gateway_for(platform._replace(oauth=tokens.oauth), now)``.
    """
    if platform.oauth is OAuthModel.APPS:
        return AppsGateway(platform, now, time_limit)
    return ConnectGateway(platform, time_limit)
