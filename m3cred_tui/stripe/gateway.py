"""What m3cred needs of Stripe."""

from datetime import datetime
from typing import Protocol

from m3cred_tui.model.credential import StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret


class StripeGateway(Protocol):
    """Stripe, for one platform and OAuth model; every reply has been checked and cleaned.

    Each call sends one request at most, and raises
    :class:`~m3cred_tui.stripe.problems.StripeProblem`;
    :func:`~m3cred_tui.stripe.kinds.kind_of` tells what that says about the credential.
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
