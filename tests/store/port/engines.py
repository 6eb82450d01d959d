"""The engines that the tests of the port run against."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Protocol

from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.connection import Place
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.store import OpenBaoStore
from tests.store.port import bao
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


_paths = count()


class OpenBaoEngine:
    """The credentials below a path of its own on a real OpenBao."""

    def __init__(self, root: Path, address: str = "") -> None:
        self.bao = bao.running()
        self._address = address or self.bao.address
        self.path = f"m3cred-{next(_paths)}"
        self._root = root

    def open(self) -> OpenBaoStore:
        place = Place((self._address,), "secret", self.path)
        spare = store_in(self._root)
        # Each look at it is due, as a test does not wait until the next one is.
        return OpenBaoStore(Client(place, lambda: Secret(bao.ROOT)), Known(), spare, pace=0)

    def damage(self, credential_id: str) -> None:
        data = f"secret/data/{self.path}/credentials/{credential_id}"
        _, answer = self.bao.ask("GET", data)
        fields = answer["data"]["data"] | {"createdAt": "yesterday"}
        assert self.bao.ask("POST", data, {"data": fields})[0] == 200


ENGINES: Mapping[str, Callable[[Path], Engine]] = {
    "directory": DirectoryEngine,
    "openbao": OpenBaoEngine,
}
"""Makes each engine in a directory of the test; a new engine is one line here."""
