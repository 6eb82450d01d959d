"""m3ter's side of Stripe: the platform that accounts are connected to."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from m3cred_tui.model.oauth_model import OAuthModel
from m3cred_tui.model.secret import Secret

CONNECT_BASE = "https://connect.stripe.com"
API_BASE = "https://api.stripe.com"
MARKETPLACE_BASE = "https://marketplace.stripe.com"

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_MODE = re.compile(r"[sr]k_(live|test)_")


class Platform(NamedTuple):
    """A platform's keys for one destination, and the addresses of its Stripe."""

    client_id: str
    secret_key: Secret
    connect_base: str = CONNECT_BASE
    api_base: str = API_BASE
    oauth: OAuthModel = OAuthModel.CONNECT
    marketplace_base: str = MARKETPLACE_BASE
    channel: str = ""
    """The ``chnlink_…`` in the install links of an app of Stripe Apps that is tested before
    it is published; Stripe takes such an app by no other link."""


def livemode_of(key: Secret) -> bool | None:
    """Return whether a secret or restricted key is of live mode, if its prefix says so."""
    found = _MODE.match(key.reveal())
    return None if found is None else found[1] == "live"


def refuse_clear_text(platform: Platform) -> None:
    """Raise :class:`ValueError` where a key would be sent in clear over a network."""
    for base in (platform.connect_base, platform.api_base):
        parts = urlsplit(base)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("a secret key is sent in clear to this machine only")
