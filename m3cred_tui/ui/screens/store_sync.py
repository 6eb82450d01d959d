"""Keeping a listing in step with the store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from m3cred_tui.listing.listing import Reading
from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen
    from textual.worker import Worker

    from m3cred_tui.listing.listing import Listing
    from m3cred_tui.store.port import CredentialStore

_FIRST = 256  # more than a screenful; the others are sorted after the first paint


class StoreSync:
    """Reads into a listing what the store holds, and what has changed in it since."""

    def __init__(
        self,
        page: Screen[None],
        store: CredentialStore,
        listing: Listing,
        *,
        on_rows: Callable[[int], None],
        on_checks: Callable[[], None],
    ) -> None:
        """Begin with the newest credentials.

        ``on_rows`` is called with the number of rows still to be read.
        """
        self._page = page
        self._store = store
        self._listing = listing
        self._on_rows = on_rows
        self._on_checks = on_checks
        self._reading = Reading(store, listing)
        self._worker: Worker[None] | None = None
        self.trouble = ""
        """Why the store cannot be read."""
        try:
            listing.begin(*store.newest(_FIRST))
        except Problem as problem:
            self.trouble = str(problem)

    @property
    def is_reading(self) -> bool:
        """Whether rows are being read."""
        return self._worker is not None and not self._worker.is_finished

    def glance(self) -> None:
        """Read again what may have changed; shows nothing where nothing has."""
        if not self.is_reading and self._reading.is_due():
            self._worker = self._page.run_worker(self._read(), group="read", exclusive=True)
        stamp = self._store.checks.stamp()
        if stamp != self._listing.checks.stamp:
            self._listing.checks.stamp = stamp
            self._page.run_worker(self._read_checks(), group="checks", exclusive=True)

    async def _read(self) -> None:
        """Read what filter, order and names need."""
        trouble = ""
        try:
            async for left in self._reading.catch_up():
                self._on_rows(left)
        except Problem as problem:
            trouble = str(problem)
        if trouble != self.trouble:
            self.trouble = trouble
            self._on_rows(0)

    async def _read_checks(self) -> None:
        """Read the results of the last checks, whichever m3cred made them."""
        checks = await asyncio.to_thread(self._store.checks.read)
        self._listing.checks.take(checks)
        if checks:
            self._on_checks()
