"""Writing down how far an authorization is, so that it survives whatever dies."""

from typing import Protocol

from m3cred_tui.authorize.events import Approved, Failed
from m3cred_tui.model.authorization import AuthorizationRequest
from m3cred_tui.model.credential import StripeAccount, TokenResponse
from m3cred_tui.model.problem import Problem


class Journal(Protocol):
    """What an authorization tells of itself, step by step; each may block."""

    def requested(self, request: AuthorizationRequest) -> None:
        """Keep the request, before its URL is seen; raises ``Problem``."""

    def answered(self) -> None:
        """Let no other process answer it: the code is about to be sent, once.

        Raises ``Problem`` when another one was faster.
        """

    def taken(self) -> Problem | None:
        """Return what to tell when another process has answered it, or it was deleted."""

    def approved(self, tokens: TokenResponse, account: StripeAccount) -> None:
        """Keep what Stripe gave, or what is known of the account by now; raises ``Problem``."""

    def claimed(self, end: Approved | Failed) -> None:
        """Take note of what became of the code, whoever still waits to hear of it."""

    def ended(self) -> None:
        """Forget the request: it was refused, or its time is over."""


class NoJournal:
    """Leaves it to whoever hears of the events."""

    def requested(self, request: AuthorizationRequest) -> None:
        """Keep nothing."""

    def answered(self) -> None:
        """Keep nothing."""

    def taken(self) -> None:
        """Know of no other process."""

    def approved(self, tokens: TokenResponse, account: StripeAccount) -> None:
        """Keep nothing."""

    def claimed(self, end: Approved | Failed) -> None:
        """Keep nothing."""

    def ended(self) -> None:
        """Keep nothing."""
