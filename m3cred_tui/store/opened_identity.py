"""What an identity's file holds, in clear or under a passphrase."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.secret import Secret
from m3cred_tui.store.private import FlawError
from m3cred_tui.store.problems import StoreUnusable, WrongPassphrase

if TYPE_CHECKING:
    from pathlib import Path

# ASCII-armoured, as m3cred writes it, or as `age -p` does without -a.
_BEGINNINGS = b"-----BEGIN AGE ", b"age-encryption."
BEGINNING = len(_BEGINNINGS[0])
"""As many bytes tell whether it is under a passphrase."""


class OpenedIdentity(NamedTuple):
    """An identity's file as it lies there, and what it holds in clear."""

    file: bytes
    plain: Secret

    @property
    def text(self) -> bytes:
        """The bytes that it holds in clear, comments and all."""
        return self.plain.reveal().encode("latin-1")


def is_wrapped(file: bytes) -> bool:
    """Tell whether this beginning is that of an identity under a passphrase."""
    return file.startswith(_BEGINNINGS)


def opened(file: bytes, passphrase: Secret, path: Path) -> OpenedIdentity:
    """Open the content of an identity's file, in clear or not; ``path`` is for the messages.

    Raises :class:`WrongPassphrase`, and :class:`StoreUnusable` when it is no identity.
    """
    from m3cred_tui.store import sealing  # noqa: PLC0415 - it says why

    try:
        plain = sealing.unwrap(file, passphrase) if is_wrapped(file) else file
        sealing.identity_in(plain)
    except sealing.WrongPassphraseError:
        raise WrongPassphrase(path) from None
    except FlawError as flaw:
        raise StoreUnusable(path, flaw.reason) from None
    return OpenedIdentity(file, Secret(plain.decode("latin-1")))


def new_identity() -> bytes:
    """Return a new identity in clear."""
    from m3cred_tui.store import sealing  # noqa: PLC0415 - it says why

    return sealing.new_identity()


def wrapped(plain: bytes, passphrase: Secret, path: Path) -> bytes:
    """Wrap it, and open that again: nobody could do so later if it were flawed.

    Takes seconds. Raises what :func:`opened` does.
    """
    from m3cred_tui.store import sealing  # noqa: PLC0415 - it says why

    file = sealing.wrap(plain, passphrase)
    if opened(file, passphrase, path).text != plain:
        raise StoreUnusable(path, "what was wrapped does not open to the same identity")
    return file
