"""The ports to Stripe and, below it, to HTTP; and the platform."""

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

from m3cred_tui.model.credential import OAuthModel, StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret

Form = Mapping[str, Secret | str]

_EMPTY: Mapping[str, str] = MappingProxyType({})


class Request(NamedTuple):
    """A request; its secrets are revealed only while it is being sent."""

    method: Literal["GET", "POST"]
    url: str
    key: Secret
    headers: Mapping[str, str] = _EMPTY
    form: Form = _EMPTY
    basic: bool = False
    """Send the key as the user of Basic, without a password (RFC 7617), not as Bearer."""


class Reply(NamedTuple):
    """A reply of any status."""

    status: int
    body: bytes


class NotSentError(Exception):
    """No connection was made; the text says why."""


class MisconfiguredError(NotSentError):
    """An environment variable names something unusable; the text says which."""


class LostError(Exception):
    """The request may have arrived, but no complete reply came; the text says why."""


CONNECT_BASE = "https://connect.stripe.com"
API_BASE = "https://api.stripe.com"
MARKETPLACE_BASE = "https://marketplace.stripe.com"

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
    """The ``chnlink_…`` in the install links of a Stripe App that is being tested; until it is
    published, Stripe accepts no other link."""


def livemode_of(key: Secret) -> bool | None:
    """Return the livemode of a secret or restricted key, if its prefix shows it."""
    found = _MODE.match(key.reveal())
    return None if found is None else found[1] == "live"


class StripeGateway(Protocol):
    """Stripe, for one platform and OAuth model; every reply has been checked and cleaned.

    Each call sends at most one request, and raises
    :class:`~m3cred_tui.stripe.problems.StripeProblem`;
    :func:`~m3cred_tui.stripe.problems.kind_of` returns what that means for the credential.
    """

    async def reach(self) -> None:
        """Reach the host that exchanges codes, and ask for nothing; any reply will do.

        Call it before the owner approves: a code that cannot be exchanged is lost.
        """

    def authorize_url(self, *, redirect_uri: str, state: Secret) -> str:
        """Return the address where the account's owner approves access."""

    async def exchange(self, code: Secret) -> TokenResponse:
        """Exchange an authorization code; at most once, because a second use revokes it."""

    async def refresh(
        self, tokens: TokenResponse, idempotency_key: str, *, asked_at: datetime | None = None
    ) -> TokenResponse:
        """Replace the tokens; those of Connect never expire, and are returned unchanged.

        Stripe's reply invalidates the old refresh token. If the reply is lost with the
        connection or this process, the same tokens and the same key return it again: so the
        key must be on disk before this is called. It is 1 to 255 visible ASCII characters,
        new for each refresh, and remembered by Stripe for a day
        (https://docs.stripe.com/api/idempotent_requests). ``asked_at`` is when the key was
        first used, if earlier: the reply is as old as that.

        After :class:`~m3cred_tui.stripe.problems.StripeFailed` the same key may return the
        same failure for a day, while a new key succeeds. But if something in front of Stripe
        failed, a new key is refused with ``invalid_grant``, and the reply is still available
        under the previous key.
        """

    async def deauthorize(self, account_id: str) -> None:
        """Disconnect the account from the platform, which ends all of its tokens.

        If the account is not connected, Stripe refuses with ``invalid_client``, as it does for
        a wrong client id or key. A refusal of :meth:`account` does not show which: the key may
        also be of another platform.
        """

    async def account(
        self, account_id: str, *, livemode: bool, access_token: Secret | None = None
    ) -> StripeAccount:
        """Read the account, with the given mode, which Stripe does not return here.

        Connect uses the platform's key; Stripe Apps uses the credential's access token, which
        is then required.
        """
