"""A request to Stripe and its reply, without the library that carries them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

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
