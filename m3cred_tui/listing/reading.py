"""Reading the store for a listing, away from the event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from m3cred_tui.listing.listing import Seen, in_order
from m3cred_tui.listing.search import searched_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from m3cred_tui.listing.listing import Listing
    from m3cred_tui.store.port import CredentialStore, Stamp


STEP = 5_000
"""Rows after which progress is told, and those that were read are found, too."""

_BATCH = 500  # some 20 ms: the longest that the end of the app waits


class Watch:
    """Knows when the store must be read again."""

    def __init__(self, stamp: Callable[[], Stamp]) -> None:
        self._stamp = stamp
        self._has_failed = False
        self.seen: Stamp | None = None
        """The stamp of the store when the last look at it began."""

    def is_due(self) -> bool:
        """Return whether anything may have changed since the last reading."""
        return self._has_failed or self._stamp() != self.seen

    def saw(self, stamp: Stamp) -> None:
        """Note a reading that began when the store had this stamp."""
        self.seen = stamp
        self._has_failed = False

    def failed(self) -> None:
        """Note that a reading failed; the cause may end without changing the stamp."""
        self._has_failed = True


async def catch_up(
    store: CredentialStore, listing: Listing, watch: Watch
) -> AsyncGenerator[int]:
    """Look at the store and read what is new in it, in a thread; yields how many are left.

    Each time, ``listing`` has changed; it does not yield where nothing has. Raises
    ``StoreUnusable``; what was read until then stays.
    """
    stamp = store.stamp()
    seen = await asyncio.to_thread(_look, store, listing, watch.seen)
    watch.saw(stamp)
    unread = seen.unread
    if unread or seen.ids is not listing.ids:
        listing.accept(seen)
        yield len(unread)
    for start in range(0, len(unread), _BATCH):
        batch = unread[start : start + _BATCH]
        listing.take(await asyncio.to_thread(_texts, store, batch))
        read = start + len(batch)
        if read == len(unread) or (read % STEP == 0 and listing.is_arranged):
            await _put_in_order(listing)
        if read == len(unread) or read % STEP == 0:
            yield len(unread) - read


def _look(store: CredentialStore, listing: Listing, since: Stamp | None) -> Seen:
    """Look which credentials there are now, and which were written since."""
    damaged = {*listing.damaged}
    ids, order, known = store.ids(), listing.order, listing.texts
    written = set() if since is None else set(store.changed_since(since))
    if ids == listing.ids and not written:
        ids, texts, rows = listing.ids, known, listing.rows
    else:
        # From scratch: a removed ID goes, and no text keeps an earlier copy of an ID in memory.
        texts = {one: text for one in ids if (text := known.get(one)) is not None}
        rows = in_order(ids, texts, order)
    unread = [one for one in ids if one not in texts or one in written]
    return Seen(ids, written, unread, texts, order, rows, damaged)


def _texts(store: CredentialStore, ids: Sequence[str]) -> dict[str, str]:
    rows = zip(ids, store.read_many(ids), strict=True)
    return {one: searched_in(row) for one, row in rows if row is not None}


async def _put_in_order(listing: Listing) -> None:
    ids, order = listing.ids, listing.order
    rows = await asyncio.to_thread(in_order, ids, listing.texts, order)
    is_current = listing.ids is ids and listing.order is order
    listing.put_in_order(rows if is_current else None)
