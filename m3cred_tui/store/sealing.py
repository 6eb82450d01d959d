"""Sealing secrets in the age format, and wrapping the identity in a passphrase.

Sealing protects copies of the data directory. It does not protect against root, the same
account, or a copy that includes the identity, unless that is under a passphrase.
"""

from __future__ import annotations

import binascii
import os
import re
from typing import TYPE_CHECKING, Any

from m3cred_tui.store.files import FlawError

if TYPE_CHECKING:
    from pyrage.x25519 import Identity, Recipient  # type: ignore[import-untyped]  # no types

    from m3cred_tui.model.secret import Secret

# https://age-encryption.org/v1: a scrypt stanza is the only one; its work factor comes last.
_HEADER = rb"age-encryption\.org/v1\n-> scrypt [\w+/]{22} ([1-9]\d?)\n"
_MOST_WORK = 22
"""The largest work factor that age opens, too: 4 GiB, and about 15 seconds."""
_HEADER_LINES = 3


class WrongPassphraseError(Exception):
    """A wrapped identity does not open with this passphrase, or its content was changed."""


def _age() -> Any:
    # Takes 8 ms, and a list of credentials opens none of them.
    import pyrage  # type: ignore[import-untyped]  # noqa: PLC0415

    return pyrage


def seal(recipient: Recipient, plain: bytes) -> str:
    """Return ``plain`` sealed for the public key, as ASCII-armoured age text."""
    return str(_age().encrypt(plain, [recipient], armored=True), "ascii")


def unseal(identity: Identity, sealed: str) -> bytes:
    """Return what was sealed; raises :class:`FlawError` when this identity cannot open it."""
    try:
        return bytes(_age().decrypt(sealed.encode("utf-8", "replace"), [identity]))
    except _age().DecryptError:
        raise FlawError("its sealed part cannot be opened with this identity") from None


def new_identity() -> bytes:
    """Return the text of a new identity, as ``age-keygen`` writes it."""
    new = _age().x25519.Identity.generate()
    return f"# public key: {new.to_public()}\n{new}\n".encode("ascii")


def identity_in(text: bytes) -> Identity:
    """Return the identity in the text of its file.

    Raises :class:`FlawError` unless it is one X25519 identity as ``age-keygen`` writes it.
    """
    lines = [line.strip() for line in text.decode("ascii", "replace").splitlines()]
    try:
        (key,) = [line for line in lines if line and not line.startswith("#")]
        return _age().x25519.Identity.from_str(key)
    except (ValueError, _age().IdentityError):
        # Without its cause, which may show the text.
        raise FlawError("it does not hold one age identity (X25519)") from None


def wrap(plain: bytes, passphrase: Secret) -> bytes:
    """Return ``plain`` under a passphrase, ASCII-armoured; takes seconds.

    The passphrase is used exactly as typed: age does not normalise it either.
    """
    return bytes(_age().passphrase.encrypt(plain, passphrase.reveal(), armored=True))


def unwrap(wrapped: bytes, passphrase: Secret) -> bytes:
    """Return the text that was wrapped; takes as many seconds as the file demands.

    Raises :class:`WrongPassphraseError`, and :class:`FlawError` when it is not an age file
    under a passphrase, or would keep this machine busy for too long.
    """
    work, most = _work_factor(wrapped), _most_work()
    if work > most:
        raise FlawError(f"it takes too much work to open (2^{work}; 2^{most} is the most)")
    try:
        return bytes(_age().passphrase.decrypt(wrapped, passphrase.reveal()))
    except _age().DecryptError as error:
        # pyrage measures this machine, and sets its own limit.
        if "Excessive work" in str(error):
            raise FlawError(f"it takes too much work to open (2^{work})") from None
        raise WrongPassphraseError from None


def _work_factor(wrapped: bytes) -> int:
    header = wrapped
    if wrapped.startswith(b"-----BEGIN "):
        armoured = wrapped.splitlines()[1 : 1 + _HEADER_LINES]
        try:
            header = binascii.a2b_base64(b"".join(armoured))
        except binascii.Error:
            header = b""
    found = re.match(_HEADER, header)
    if not found:
        raise FlawError("it is not an age file under a passphrase")
    return int(found[1])


def _most_work() -> int:
    """Return the largest work factor whose memory (1 KiB for each step) this machine has."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(_MOST_WORK, (memory // 1024).bit_length() - 1)
