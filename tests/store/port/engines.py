"""The engines that the tests of the port run against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tests.store.swept_operations import store_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from m3cred_tui.store.port import CredentialStore


class Engine(Protocol):
    """Credentials in one location, and what a test does to it without the port."""

    def open(self) -> CredentialStore:
        """Return another store of the same credentials, as in another process."""

    def damage(self, credential_id: str) -> None:
        """Damage an existing record."""


class DirectoryEngine:
    """The credentials in a directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self) -> CredentialStore:
        return store_in(self._root)

    def damage(self, credential_id: str) -> None:
        files = (self._root / "data").glob(f"*/{credential_id}.json")
        for file in files:
            file.write_bytes(b"{")


ENGINES: Mapping[str, Callable[[Path], Engine]] = {"directory": DirectoryEngine}
"""Makes each engine in a directory of the test; a new engine is one line here."""
