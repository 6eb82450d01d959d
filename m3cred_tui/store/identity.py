"""The identity that the records are sealed for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyrage.x25519 import Identity  # type: ignore[import-untyped]  # it has no types


class IdentityFile:
    """The file of the identity; cheap to construct, and touches nothing by itself."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def to_open(self) -> Identity:
        """Return the identity, as ``sealing.identity_to_open_with`` does."""
        from m3cred_tui.store import sealing  # noqa: PLC0415 - it says why

        return sealing.identity_to_open_with(self._path)

    def to_seal(self, *, is_first_use: Callable[[], bool]) -> Identity:
        """Return the identity, made if need be, as ``sealing.identity_to_seal_for`` does."""
        from m3cred_tui.store import sealing  # noqa: PLC0415 - it says why

        return sealing.identity_to_seal_for(self._path, is_first_use=is_first_use)
