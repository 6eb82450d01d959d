"""What an authorization needs of Stripe."""

from typing import Protocol

from m3cred_tui.model.credential import StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret


class StripeGateway(Protocol):
    """Stripe, for one platform; every reply has been checked and cleaned."""

    def authorize_url(self, *, redirect_uri: str, state: Secret) -> str:
        """Return the address at which the account's owner approves access."""

    async def exchange(self, code: Secret) -> TokenResponse:
        """Exchange an authorization code; sent once at most, as a second use revokes it.

        Raises :class:`~m3cred_tui.stripe.problems.StripeProblem`.
        """

    async def account(self, account_id: str, *, livemode: bool) -> StripeAccount:
        """Read a connected account; Stripe does not say its mode here, so it is passed on.

        Raises :class:`~m3cred_tui.stripe.problems.StripeProblem`.
        """
