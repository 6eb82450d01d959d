"""Secrets sealed in the age format, for an identity that lies apart from the data.

This protects copies of the data directory. It does not protect against root, the same
account, or a copy that holds both. Import it where it is used: pyrage takes 8 ms, and a list
of credentials opens none of them.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyrage  # type: ignore[import-untyped]  # it has no types
from pyrage.x25519 import Identity  # type: ignore[import-untyped]  # it has no types

from m3cred_tui.store.durable import create
from m3cred_tui.store.private import FlawError, private_folder, read_private
from m3cred_tui.store.problems import IdentityMissing, StoreUnusable

_LARGEST_IDENTITY = 4096


def seal(identity: Identity, plain: bytes) -> str:
    """Return ``plain`` sealed for the identity, as ASCII-armoured age text."""
    sealed: bytes = pyrage.encrypt(plain, [identity.to_public()], armored=True)
    return sealed.decode("ascii")


def unseal(identity: Identity, sealed: str) -> bytes:
    """Return what was sealed; raises :class:`FlawError` when this identity cannot open it."""
    try:
        plain: bytes = pyrage.decrypt(sealed.encode("utf-8", "replace"), [identity])
    except pyrage.DecryptError:
        raise FlawError("its sealed part cannot be opened with this identity") from None
    return plain


def identity_to_open_with(path: Path) -> Identity:
    """Return the identity that lies at ``path``.

    Raises :class:`IdentityMissing`, and :class:`StoreUnusable` when it cannot be read, others
    have access to it or its directory, or it is not one X25519 identity as ``age-keygen``
    writes it.
    """
    try:
        with private_folder(path.parent) as folder:
            return _identity_in(folder, path)
    except FileNotFoundError:
        raise IdentityMissing(path) from None


def identity_to_seal_for(path: Path, *, is_first_use: Callable[[], bool]) -> Identity:
    """Return the identity that lies at ``path``; it is made if this is the first use.

    It is not made where something is sealed already: that would hide a loss that may still
    be undone. Raises what :func:`identity_to_open_with` does.
    """
    try:
        return identity_to_open_with(path)
    except IdentityMissing:
        if is_first_use():
            return _made_identity(path)
    # Looked for again: another process may have made it and sealed with it since.
    return identity_to_open_with(path)


def _made_identity(path: Path) -> Identity:
    new = Identity.generate()
    text = f"# public key: {new.to_public()}\n{new}\n"
    with private_folder(path.parent, make=True) as folder:
        with suppress(FileExistsError):  # another process was first: its identity holds
            create(folder, path.name, text.encode("ascii"))
        return _identity_in(folder, path)


def _identity_in(folder: int, path: Path) -> Identity:
    try:
        data = read_private(folder, path.name, path, most=_LARGEST_IDENTITY)
    except FlawError as flaw:
        raise StoreUnusable(path, flaw.reason, flaw.mend) from None
    lines = [line.strip() for line in data.decode("ascii", "replace").splitlines()]
    try:
        (key,) = [line for line in lines if line and not line.startswith("#")]
        return Identity.from_str(key)
    except (ValueError, pyrage.IdentityError):
        # Without its cause, which may show the text.
        raise StoreUnusable(path, "it does not hold one age identity (X25519)") from None
