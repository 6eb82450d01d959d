"""What happens during an authorization, in the order in which it can happen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from m3cred_tui.model.credential import StripeAccount, TokenResponse
from m3cred_tui.model.problem import Problem

_MOST_NAMED = 3


class Paste(Protocol):
    """Takes a pasted address; ``final`` where it came as a whole. Raises ``Problem``."""

    def __call__(self, text: str, *, final: bool) -> None: ...  # noqa: D102 - see above


@dataclass(frozen=True, slots=True)
class UrlReady:
    """The URL is made, and every way back is open; no browser has been tried yet.

    ``short_url`` leads to the same through our own listener, where there is one. ``paste``
    takes the address that a browser ended on: see :meth:`Answer.paste`.
    """

    url: str
    redirect_uri: str
    expires_at: datetime
    paste: Paste
    short_url: str | None = None


@dataclass(frozen=True, slots=True)
class BrowserOpened:
    """A browser was started; whether anybody sees it is not known."""


@dataclass(frozen=True, slots=True)
class Visited:
    """A browser came by the short address: it can reach us, by a tunnel if it is elsewhere."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """A problem that does not end the wait: no browser opened, a forged redirect came."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class RedirectReceived:
    """Stripe's redirect arrived and is valid; the code is being exchanged, once."""


@dataclass(frozen=True, slots=True)
class Approved:
    """Stripe gave the account; no credential is created yet.

    ``unread`` says why the account's name and country could not be read, and ``unkept`` why
    the approval could not be written down, where it could not; the approval itself holds.
    ``others`` are the names of the credentials that exist for this account and mode already.
    """

    tokens: TokenResponse
    account: StripeAccount
    unread: Problem | None = None
    unkept: Problem | None = None
    others: tuple[str, ...] = ()

    @property
    def already(self) -> str:
        """A sentence about those other credentials, or nothing."""
        if not self.others:
            return ""
        count, names = len(self.others), [f"“{one}”" for one in self.others[:_MOST_NAMED]]
        are = "is a credential" if count == 1 else f"are {count:,} credentials"
        more = f" and {count - len(names):,} more" if count > len(names) else ""
        mode = self.account.mode
        return f"There {are} for this account in {mode} mode already: {', '.join(names)}{more}."


@dataclass(frozen=True, slots=True)
class Failed:
    """The authorization has ended without an account; only a new one helps."""

    problem: Problem


End = Approved | Failed
Event = UrlReady | BrowserOpened | Visited | Noticed | RedirectReceived | End
