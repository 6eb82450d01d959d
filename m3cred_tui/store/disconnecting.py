"""Disconnections at Stripe that were begun: a file for each credential, until it is deleted."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from m3cred_tui.model.problem import Problem
from m3cred_tui.store.folder import RecordFolder
from m3cred_tui.store.lock import locked
from m3cred_tui.store.record import with_checksum
from m3cred_tui.store.rows import ids_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_MARK = with_checksum({"schema": 1})  # all that it says is in its name


class Disconnections:
    """Remembers what was begun; each method raises ``StoreUnusable``."""

    def __init__(self, data: Path, ids: Callable[[], Iterable[str]]) -> None:
        """Take the store's directory, and what tells which credentials there are."""
        self._data = data
        self._ids = ids
        self._folder = RecordFolder(data / "disconnecting")

    def ids(self) -> list[str]:
        """Return the IDs of the credentials that are not deleted yet; opens no file."""
        begun = ids_in(self._folder.names())
        return sorted(set(begun).intersection(self._ids())) if begun else []

    def begin(self, credential_id: str) -> bool:
        """Remember that it is begun, and tell whether it was before; it survives a crash.

        Raises ``StoreBusy`` and ``OutcomeUnknown``, too.
        """
        with locked(self._data):
            self._sweep()
            was_begun = self._folder.has(credential_id)
            if not was_begun:
                self._folder.create(credential_id, _MARK)
        return was_begun

    def end(self, credential_id: str) -> None:
        """Forget it, if that can be done; of a credential that is deleted, nobody sees it."""
        with suppress(Problem), locked(self._data):
            self._folder.remove(credential_id)

    def _sweep(self) -> None:
        for gone in set(ids_in(self._folder.names())).difference(self._ids()):
            self._folder.remove_leftover(gone)
