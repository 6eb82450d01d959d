"""Paths that nobody can guess, so that each is only for whom it was told to."""

import hmac
import secrets
from typing import NamedTuple, Self

from m3cred_tui.model.secret import Secret

SHORT_PATH = "/go/"
_SHORT_BYTES = 9  # 72 bits; the address fits on a line of 40 characters
_BYTES = 16


class Paths(NamedTuple):
    """Those of one authorization request; who does not know its state cannot find them."""

    status: str
    """For our own process: others could have as many polls held as there is room for."""
    end: str
    """For whoever brought the redirect: after it, the server closes."""

    @classmethod
    def of(cls, state: Secret) -> Self:
        """Return the paths of the authorization request with this state."""
        return cls(_path("/status/", state), _path("/done/", state))


def new_short_path() -> str:
    """Return a path that a person can type."""
    return SHORT_PATH + secrets.token_urlsafe(_SHORT_BYTES)


def is_same(path: str, ours: str) -> bool:
    """Compare in a time that tells nothing of ours."""
    return hmac.compare_digest(path.encode("utf-8", "surrogatepass"), ours.encode())


def _path(beginning: str, state: Secret) -> str:
    digest = hmac.digest(state.reveal().encode(), beginning.encode(), "sha256")
    return beginning + digest[:_BYTES].hex()
