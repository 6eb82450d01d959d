"""The ports to Stripe and, below it, to HTTP; and the platform that asks."""

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol
from urllib.parse import urlsplit

from m3cred_tui.model.credential import OAuthModel, StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret

Form = Mapping[str, Secret | str]

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Request(NamedTuple):
    """What to send; secrets are revealed only while it is being sent."""

    method: Literal["GET", "POST"]
    url: str
    key: Secret
    headers: Mapping[str, str] = _NOTHING
    form: Form = _NOTHING
    basic: bool = False
    """The key goes as the user of Basic, without a password (RFC 7617), not as Bearer."""


class Reply(NamedTuple):
    """What came back, of whatever status."""

    status: int
    body: bytes


class NotSentError(Exception):
    """No connection came about; its text is why."""


class LostError(Exception):
    """The request may have arrived, but no whole reply came; its text is why."""


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


class StripeGateway(Protocol):
    """Stripe, for one platform and OAuth model; every reply has been checked and cleaned.

    Each call sends one request at most, and raises
    :class:`~m3cred_tui.stripe.problems.StripeProblem`;
    :func:`~m3cred_tui.stripe.problems.kind_of` tells what that says about the credential.
    """

    def authorize_url(self, *, redirect_uri: str, state: Secret) -> str:
        """Return the address at which the account's owner approves access."""

    async def exchange(self, code: Secret) -> TokenResponse:
        """Exchange an authorization code; sent once at most, as a second use revokes it."""

    async def refresh(
        self, tokens: TokenResponse, idempotency_key: str, *, asked_at: datetime | None = None
    ) -> TokenResponse:
        """Replace the tokens; with Connect they do not end, and come back as they are.

        Stripe ends the old refresh token as it answers. The answer is lost with the
        connection or this process, but not to whoever asks again with the same tokens and
        the same key: so the key is on disk before this is called. It is 1 to 255 visible
        ASCII characters, made anew for each refresh, and kept by Stripe for a day
        (https://docs.stripe.com/api/idempotent_requests). ``asked_at`` is when it was first
        used, where that was before: the answer is as old as that.

        After :class:`~m3cred_tui.stripe.problems.StripeFailed` the same key may bring the
        same failure for a day, and another key goes on. But the failure may have been of
        something before Stripe: then another key is refused with ``invalid_grant``, and the
        answer is still there under the one before.
        """

    async def deauthorize(self, account_id: str) -> None:
        """Disconnect the account from the platform: all of its tokens end.

        Stripe refuses what is not connected with ``invalid_client``, as it does a wrong
        client id or key. What :meth:`account` is refused by the platform's key does not tell
        which: the key may be of another platform, too.
        """

    async def account(
        self, account_id: str, *, livemode: bool, access_token: Secret | None = None
    ) -> StripeAccount:
        """Read the account; Stripe does not say its mode here, so it is passed on.

        With Connect it is read by the platform's key, with Stripe Apps by the credential's
        access token, which has to be given.
        """
