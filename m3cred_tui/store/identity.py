"""The identity that opens the sealed parts: one file, in the clear or under a passphrase."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.credential import is_credential_id
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.store import files, sealing
from m3cred_tui.store.files import flaws_refused, private_folder, read_private
from m3cred_tui.store.lock import locked
from m3cred_tui.store.problems import (
    IdentityInPlace,
    IdentityLocked,
    IdentityMissing,
    OutcomeUnknown,
    StoreUnusable,
    WrongPassphrase,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyrage.x25519 import Identity, Recipient  # type: ignore[import-untyped]  # no types

# ASCII-armoured, as m3cred writes it, or as `age -p` does without -a.
_BEGINNINGS = b"-----BEGIN AGE ", b"age-encryption."


class OpenedIdentity(NamedTuple):
    """The content of an identity's file, and the identity in the clear."""

    file: bytes
    plain: Secret

    @property
    def text(self) -> bytes:
        """The identity in the clear, including its comments."""
        return self.plain.reveal().encode("latin-1")


def is_wrapped(file: bytes) -> bool:
    """Return whether this is an identity under a passphrase."""
    return file.startswith(_BEGINNINGS)


def opened(file: bytes, passphrase: Secret, path: Path | str) -> OpenedIdentity:
    """Open the content of an identity's file; ``path`` is for the messages.

    Raises :class:`WrongPassphrase`, and :class:`StoreUnusable` when it is no identity.
    """
    try:
        with flaws_refused(path):
            plain = sealing.unwrap(file, passphrase) if is_wrapped(file) else file
            sealing.identity_in(plain)
    except sealing.WrongPassphraseError:
        raise WrongPassphrase(path) from None
    return OpenedIdentity(file, Secret(plain.decode("latin-1")))


def wrapped(plain: bytes, passphrase: Secret, path: Path) -> bytes:
    """Wrap an identity, and open it as a test, as it may be the only copy later.

    Takes seconds. Raises what :func:`opened` does.
    """
    file = sealing.wrap(plain, passphrase)
    if opened(file, passphrase, path).text != plain:
        raise StoreUnusable(path, "the wrapped copy does not open to the same identity")
    return file


LARGEST_IDENTITY = 8192
"""Bytes; a file of age-keygen has 189, and 550 under a passphrase."""

_CHANGED = "another process has changed it meanwhile"
_SEALED = ("credentials", ".json"), ("pending", ".json"), ("keys", ".age")
"""The directories of what is sealed for the identity, and the suffix of its files."""


class IdentityFile:
    """The file of the identity; cheap to construct, and accesses nothing until it is used.

    The file is read each time, so that a loss is noticed. An unlocked identity stays in memory,
    and is valid while the file's content is the same.

    Where stated, a method raises ``IdentityMissing``, ``IdentityLocked``, and ``StoreUnusable``
    when the file cannot be read, others have access to it or to its directory, or it does not
    hold one X25519 identity.
    """

    def __init__(self, path: Path, data: Path) -> None:
        """Take its path, and the data directory, where the files sealed for it are."""
        self.path = path
        self._data = data
        self._unlocked: dict[bytes, OpenedIdentity] = {}
        self._recipient: Recipient | None = None

    def to_open(self) -> Identity:
        """Return the identity; raises all three."""
        identity = sealing.identity_in(self._opened().text)
        self._recipient = identity.to_public()
        return identity

    def is_unused(self, *, replacing: str = "") -> bool:
        """Return whether no credential and no platform key is sealed for it.

        A file named ``replacing`` does not count. Raises ``StoreUnusable``.
        """
        for name, end in _SEALED:
            with suppress(FileNotFoundError), private_folder(self._data / name) as folder:
                for file in os.listdir(folder):  # noqa: PTH208 - a descriptor is not a Path
                    stem = file.removesuffix(end)
                    is_sealed = stem != file and (end == ".age" or is_credential_id(stem))
                    if is_sealed and file != replacing:
                        return False
        return True

    def to_seal(self, *, replacing: str = "") -> Identity:
        """Return the identity; make it if nothing is sealed, except for ``replacing``.

        Otherwise a new one would hide a loss that can be undone, and so it would where one was
        open here: a home that is not mounted just now has nothing sealed in it, either. Hold
        the store's lock. Raises what :meth:`to_open` does.
        """
        try:
            return self.to_open()
        except IdentityMissing:
            # What is replaced can be entered again.
            is_first = self._recipient is None or replacing
            if is_first and self.is_unused(replacing=replacing):
                self._make(sealing.new_identity())
        # Again: another process may have made it and sealed for it since.
        return self.to_open()

    def recipient(self, *, is_last_resort: bool = False) -> Recipient:
        """Return the recipient to seal for, as :meth:`to_seal` does, and lose no approval.

        While the file is locked, it is that of the identity that was last open here: putting it
        under a passphrase elsewhere must not cost an approval. A wrapped file does not say
        whether it still holds that identity. If it holds another, which an import refuses while
        anything is sealed, only the previous one opens what is sealed now; the log says so, as
        there may be a copy. As a last resort, so is the file while it cannot be used. Raises
        what :meth:`to_seal` does if none was open.
        """
        try:
            return self.to_seal().to_public()
        except Problem as problem:
            is_locked = isinstance(problem, IdentityLocked)
            if self._recipient is None or not (is_locked or is_last_resort):
                raise
            import logging  # noqa: PLC0415 - a list logs nothing

            told = "it does not open now; sealed for the identity that was open before"
            logging.getLogger(__name__).warning(told)
            return self._recipient

    def sweep(self) -> None:
        """Remove what a killed process left next to it, which may be a key in the clear.

        Hold the store's lock, as every writer there does.
        """
        with suppress(IdentityMissing), self._folder() as folder:
            files.sweep(folder)

    def is_locked(self) -> bool:
        """Return whether it must be unlocked; never raises."""
        with suppress(IdentityMissing, StoreUnusable):  # reported when it is needed
            file = self._read()
            return is_wrapped(file) and file not in self._unlocked
        return False

    def unlock(self, passphrase: Secret) -> None:
        """Open it, and keep it open in memory while this process runs; takes seconds.

        Raises ``WrongPassphrase``, ``IdentityMissing`` and ``StoreUnusable``.
        """
        file = self._read()
        self._unlocked[file] = opened(file, passphrase, self.path)

    def protect(self, passphrase: Secret) -> None:
        """Put it under this passphrase alone; takes seconds, then the store's lock.

        At first use the identity is made, and never stored in the clear; if another process
        makes one meanwhile, that one is put under the passphrase. Raises what :meth:`to_open`
        does, ``StoreBusy`` and ``OutcomeUnknown``.
        """
        is_made = False
        try:
            self._opened()
        except IdentityMissing:
            if not self.is_unused():
                raise
            is_made = self._is_made_under(passphrase)
        if not is_made:
            before = self._opened()
            file = wrapped(before.text, passphrase, self.path)
            self._replace(before, OpenedIdentity(file, before.plain))
        if not is_wrapped(self._read()):  # a copy was put back, for one, which takes no lock
            raise StoreUnusable(self.path, _CHANGED)

    def unprotect(self) -> None:
        """Put it back in the clear; raises what :meth:`protect` does."""
        before = self._opened()
        self._replace(before, OpenedIdentity(before.text, before.plain))

    def exported(self, passphrase: Secret) -> bytes:
        """Return it under this passphrase, ASCII-armoured; takes seconds.

        Raises what :meth:`to_open` does.
        """
        return wrapped(self._opened().text, passphrase, self.path)

    def take(self, other: OpenedIdentity) -> None:
        """Install an identity from elsewhere, unchanged, and keep it open.

        It replaces another one only if nothing is sealed for that. Raises
        ``IdentityInPlace``, ``StoreUnusable``, ``StoreBusy`` and ``OutcomeUnknown``.
        """
        self._unlocked[other.file] = other
        with locked(self._data), self._folder(make=True) as folder:
            try:
                files.create(folder, self.path.name, other.file)
            except FileExistsError:
                if self._content(folder) != other.file:
                    if not self.is_unused():
                        raise IdentityInPlace(self.path) from None
                    files.replace(folder, self.path.name, other.file)

    def _opened(self) -> OpenedIdentity:
        file = self._read()
        if file in self._unlocked:
            return self._unlocked[file]
        if is_wrapped(file):
            raise IdentityLocked(self.path)
        return opened(file, Secret(""), self.path)

    def _read(self) -> bytes:
        with self._folder() as folder:
            return self._content(folder)

    def _content(self, folder: int) -> bytes:
        with flaws_refused(self.path):
            return read_private(folder, self.path.name, self.path, most=LARGEST_IDENTITY)

    def _make(self, file: bytes) -> bool:
        """Make it, unless another process did so first; return whether it was made."""
        try:
            with self._folder(make=True) as folder:
                files.create(folder, self.path.name, file)
        except FileExistsError:
            return False
        return True

    def _is_made_under(self, passphrase: Secret) -> bool:
        """Make it under the passphrase, unless something was sealed while scrypt worked."""
        plain = sealing.new_identity()
        file = wrapped(plain, passphrase, self.path)
        with locked(self._data):
            is_made = self.is_unused() and self._make(file)
        if is_made:
            self._unlocked[file] = OpenedIdentity(file, Secret(plain.decode("latin-1")))
        return is_made

    def _replace(self, before: OpenedIdentity, after: OpenedIdentity) -> None:
        self._unlocked[after.file] = after
        with locked(self._data), self._folder() as folder:
            if self._content(folder) != before.file:
                raise StoreUnusable(self.path, _CHANGED)
            files.replace(folder, self.path.name, after.file)
            # What a killed process left there may be the identity in the clear.
            files.sweep(folder)

    @contextmanager
    def _folder(self, *, make: bool = False) -> Iterator[int]:
        try:
            with private_folder(self.path.parent, make=make) as folder:
                yield folder
        except FileNotFoundError:
            raise IdentityMissing(self.path) from None
        except OutcomeUnknown as unknown:
            found = "Run m3cred identity to see what is there."
            raise OutcomeUnknown(self.path, unknown.reason, found) from unknown
