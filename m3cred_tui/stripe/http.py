"""A request to Stripe and its reply, without the library that carries them."""

from collections.abc import Mapping
from typing import NamedTuple

from m3cred_tui.model.secret import Secret


class Request(NamedTuple):
    """What to send; secrets are revealed only while it is being sent."""

    method: str
    url: str
    key: Secret
    headers: Mapping[str, str]
    form: Mapping[str, Secret | str]


class Reply(NamedTuple):
    """What came back, of whatever status."""

    status: int
    body: bytes


class NotSentError(Exception):
    """No connection came about; its text is why."""


class LostError(Exception):
    """The request may have arrived, but no whole reply came; its text is why."""
