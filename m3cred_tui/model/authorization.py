"""An authorization request, its time limits, and the ports for redirects."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from m3cred_tui.model.secret import Secret

CALLBACK_PATH = "/callback"

CALLBACK_PORTS = (27182, 27183, 27184, 27185)
"""Fixed, because Stripe redirects only to registered addresses and a tunnel must name its
port; outside the ranges that Linux and macOS use for outgoing connections."""


def redirect_uri(port: int) -> str:
    """Return the address that Stripe redirects to when m3cred listens on ``port``.

    The literal address, as ``localhost`` may be somebody else's (RFC 8252, section 8.3).
    """
    return f"http://127.0.0.1:{port}{CALLBACK_PATH}"


TIME_LIMIT = timedelta(minutes=10)
"""How long m3ter keeps a credential whose authentication is not finished."""


CODE_LIFETIME = timedelta(minutes=5)
"""How long Stripe accepts an authorization code (https://docs.stripe.com/connect/oauth-reference)."""


PORT_END = "-"
"""Ends the port at the beginning of the state in a request that redirects to the user's own
page: from there, the page takes the port to redirect to."""


class TurnedAway(StrEnum):
    """Why a browser was turned away from an address that a person can open."""

    NOT_OPENED = "not opened"
    OTHER_HOST = "other host"
    TOO_LARGE = "too large"


class AuthorizationRequest(NamedTuple):
    """What identifies a redirect as ours (RFC 6749, section 4.1.1), and until when."""

    state: Secret
    redirect_uri: str
    expires_at: datetime

    @property
    def port(self) -> int:
        """The port that we listen on; Stripe or the user's own page redirects to it."""
        redirect = urlsplit(self.redirect_uri)
        if redirect.scheme == "http":
            return redirect.port or 0
        return int(self.state.reveal().partition(PORT_END)[0])


class Countdown:
    """The time left until ``expires_at``, which never grows, even if the clock is set back."""

    def __init__(self, expires_at: datetime, now: Callable[[], datetime]) -> None:
        """Read the clock; a request has no more than :data:`TIME_LIMIT` left."""
        self._now, self._read_at = now, now()
        self._left = min(expires_at - self._read_at, TIME_LIMIT)

    def left(self) -> timedelta:
        """Return the time left at this moment; never less than nothing."""
        before, self._read_at = self._read_at, self._now()
        self._left -= max(self._read_at - before, timedelta())
        return max(self._left, timedelta())
