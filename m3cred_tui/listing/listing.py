"""The credentials of a page: known by ID, read when they are drawn.

For the search, the store is read outside the event loop.
"""

from __future__ import annotations

import asyncio
import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.listing.columns import (
    CHECK,
    CREATED,
    DESTINATION,
    ENTITY_TYPE,
    Column,
    Row,
    is_authenticated,
)
from m3cred_tui.listing.search import (
    Rows,
    beginning,
    field_of,
    longest_in,
    matches,
    narrows,
    restated,
    same_in,
    searched_in,
    words_of,
)
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import Credential
from m3cred_tui.model.name import name_key
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.port import CredentialStore, Damaged, Stamp

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence

STEP = 5_000
"""Rows after which progress is reported, and the rows read so far can be found."""

_BATCH = 500  # about 20 ms, the longest that leaving the app waits


class Checks:
    """The results of checks, by the ID of the credential."""

    def __init__(self) -> None:
        self._results: dict[str, CheckResult] = {}
        self.stamp: object = None
        """The stamp of the file that they were read from."""
        self.version = 0
        """Another one whenever there are other results."""

    def take(self, results: Mapping[str, CheckResult]) -> list[str]:
        """Take results: of two for one credential the later, and none of a pending one.

        Returns the IDs of those that are new.
        """
        new = []
        for credential_id, result in results.items():
            before = self._results.get(credential_id)
            is_later = before is None or (before != result and before.at <= result.at)
            if is_later and result.outcome is not Outcome.PENDING:
                self._results[credential_id] = result
                new.append(credential_id)
        self.version += bool(new)
        return new

    def of(self, credential_id: str) -> CheckResult | None:
        """Return the last check of a credential, if there was one."""
        return self._results.get(credential_id)

    def age(self, credential_id: str) -> float:
        """Return a number that is the greater, the longer ago the last check was."""
        result = self._results.get(credential_id)
        return math.inf if result is None else -result.at.timestamp()

    def restate(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return searched texts with the status that the last checks give each."""
        results = self._results
        return {
            one: restated(text, result) if (result := results.get(one)) else text
            for one, text in texts.items()
        }


SCREENFUL = 24
"""Rows; where there are no more, they are all read and sorted before they are drawn."""

_MEASURED = 1_000
"""Rows that decide how wide the columns are, the newest: a millisecond."""

_KEPT = 256
"""Rows that stay in memory; a few screens. 100,000 of them would take 100 MiB."""


class Seen(NamedTuple):
    """The result of reading the store's IDs."""

    ids: Sequence[str]
    """All of them, newest first."""
    unread: Sequence[str]
    """Those whose text is unknown or may have changed."""
    texts: dict[str, str]
    """The known texts that are searched."""
    order: Order
    rows: Rows
    """The known rows, in that order."""
    checks: int
    """The version of the checks in the texts."""


class Found(NamedTuple):
    """What a search has found, where the next one looks if its words are longer."""

    rows: Rows
    words: Sequence[str]
    found: Rows

    def of(self, rows: Rows, words: Sequence[str]) -> Rows:
        """Return the rows in which these words are to be searched."""
        return self.found if rows is self.rows and narrows(words, self.words) else rows


class Listing:
    """Rows in the order and under the filter that the user chose.

    It holds the ID of each and, once read, the text that is searched; filter and order cover
    the rows with a text. Only the app's own thread uses it.
    """

    def __init__(self, read: Callable[[str], Row | None]) -> None:
        """Take the function that reads one credential, or returns ``None`` if it is gone."""
        self.checks = Checks()
        self._read = lru_cache(_KEPT)(read)
        self._damaged: dict[str, tuple[Damaged, Row | None]] = {}
        """Rows whose sealed part was opened and does not agree with this clear part."""
        self.ids: Sequence[str] = ()
        self.texts: dict[str, str] = {}
        self.rows = Rows((), ())
        self.is_behind = False
        """Whether rows have another status by now than the one that they are found by."""
        self.filter = ""
        self.order = CREATED
        self.is_reversed = False
        self.total = 0
        self.shown: Sequence[str] = ()
        self._found = Found(self.rows, (), self.rows)
        self.marks: set[str] = set()

    @property
    def is_arranged(self) -> bool:
        """Whether a filter or an order other than the newest first is set."""
        return bool(self.filter.strip()) or self.order is not CREATED or self.is_reversed

    @property
    def words(self) -> list[str]:
        """The words of the filter."""
        return words_of(self.filter)

    @property
    def hidden(self) -> frozenset[Column]:
        """The columns that would say nothing: they are the same in each row, or empty."""
        return self.rows.same if self.checks.version else self.rows.same | {CHECK}

    def common(self) -> list[str]:
        """Return what all rows say in the columns that are the same in each."""
        columns = [one for one in (ENTITY_TYPE, DESTINATION) if one in self.rows.same]
        rows = map(self.row, self.ids)
        first = next((row for row in rows if isinstance(row, Credential)), None)
        return [] if first is None else [one.of(first) for one in columns]

    def sort(self, order: Column, *, is_reversed: bool = False) -> None:
        """Sort by a column."""
        self.order, self.is_reversed = order, is_reversed
        self.put_in_order()

    def begin(self, ids: Sequence[str], total: int) -> None:
        """Take the newest IDs, newest first, and the number of all credentials."""
        self.ids, self.total = ids, total
        if total <= SCREENFUL:  # they are all drawn, so their columns are known by then
            rows = [row for row in map(self.row, ids) if row is not None]
            self.rows = in_order(
                ids, {row.id: searched_in(row) for row in rows}, self.ordered_by
            )

    def accept(self, seen: Seen) -> None:
        """Take the result of reading the store's IDs."""
        self._read.cache_clear()
        there = {*seen.ids} if self._damaged else ()
        self._damaged = {one: row for one, row in self._damaged.items() if one in there}
        self.ids, self.total, self.texts = seen.ids, len(seen.ids), seen.texts
        is_checked = seen.checks == self.checks.version
        self.take({} if is_checked else seen.texts)
        is_current = seen.order == self.ordered_by and is_checked and not self._damaged
        self.put_in_order(seen.rows if is_current else None)

    def take(self, texts: Mapping[str, str]) -> None:
        """Take the texts of rows that were read; they are found after :meth:`put_in_order`.

        Rows that were found damaged stay so: reading opens no sealed part.
        """
        damaged = {one: row for one in [*self._damaged] if (row := self.row(one))}
        self.texts.update(self.checks.restate(texts))
        self.texts.update({one: searched_in(row) for one, row in damaged.items()})

    def take_checks(self, results: Mapping[str, CheckResult]) -> bool:
        """Take results of checks; return whether any of them is new.

        Rows are found by their status after :meth:`put_in_order`.
        """
        new = self.checks.take(results)
        known = {one: self.texts[one] for one in new if one in self.texts}
        self.texts.update(self.checks.restate(known))
        self.is_behind = self.is_behind or bool(known)
        return bool(new)

    def put_in_order(self, rows: Rows | None = None) -> None:
        """Take ``rows``, or sort again, which takes 0.1 s for 100,000."""
        self.rows = rows or in_order(self.ids, self.texts, self.ordered_by)
        self.is_behind = False

    @property
    def ordered_by(self) -> Order:
        """The order, with all that decides it."""
        return Order(self.order, self.is_reversed, self.checks)

    def add(self, credential_id: str) -> None:
        """Take the ID of a credential that was created here."""
        if credential_id not in self.ids:
            self.ids = sorted((*self.ids, credential_id), reverse=True)
            self.total += 1
        self._read.cache_clear()
        self._read_text(credential_id)

    def drop(self, credential_id: str) -> None:
        """Forget a credential that was deleted here."""
        if credential_id in self.ids:
            self.ids = [one for one in self.ids if one != credential_id]
            self.total -= 1
        self._read.cache_clear()
        self._damaged.pop(credential_id, None)
        # A new dictionary: a thread may be reading this one.
        self.texts = {**self.texts}
        self.texts.pop(credential_id, None)
        self.put_in_order()

    def learn(self, row: Row) -> None:
        """Take a row whose sealed part was opened, which shows whether it is damaged."""
        if row == self.row(row.id):
            return
        self._read.cache_clear()
        if isinstance(row, Damaged):
            self._damaged[row.id] = row, self._clear(row.id)
        else:
            self._damaged.pop(row.id, None)
        self._read_text(row.id)

    def row(self, credential_id: str) -> Row | None:
        """Return the row of this ID, read now if it has not been; ``None`` if it is gone."""
        clear = self._clear(credential_id)
        if credential_id not in self._damaged:
            return clear
        damaged, before = self._damaged[credential_id]
        if clear == before:
            return damaged
        del self._damaged[credential_id]  # it was written again
        return clear

    def _clear(self, credential_id: str) -> Row | None:
        try:
            return self._read(credential_id)
        except Problem as problem:
            return Damaged(credential_id, str(problem))

    @property
    def marked(self) -> Sequence[str]:
        """The IDs that the user has marked and that are still there, newest first."""
        return [one for one in self.ids if one in self.marks] if self.marks else ()

    def search(self) -> Iterator[None]:
        """Put the rows that the filter finds into ``shown``, more with each step."""
        words = self.words
        if not words:
            # Before anything is read, the rows are there in the order of their IDs.
            self.shown = (self.is_arranged and self.rows.ids) or self.ids
            return
        rows = self._found.of(self.rows, words)
        self.shown = shown = []
        texts: list[str] = []
        for found in matches(rows, words):
            shown += [rows.ids[at] for at in found]
            texts += [rows.texts[at] for at in found]
            yield
            if self.shown is not shown:  # the user has changed the filter
                return
        self._found = Found(self.rows, words, Rows(shown, texts))

    def arrange(self) -> None:
        """Apply filter and order again, completely."""
        for _slice in self.search():
            pass

    def is_taken(self, key: str) -> bool:
        """Return whether a credential that was read has a name with this :func:`name_key`.

        A pending one has none yet: it gets its name when it is created.
        """
        begins = beginning(key)
        alike = (
            one
            for one, text in self.texts.items()
            if begins in text and text.startswith(begins)  # the first test is faster
        )
        rows = map(self.row, alike)
        return any(is_authenticated(row) and name_key(row.name) == key for row in rows)

    def _read_text(self, credential_id: str) -> None:
        if (row := self.row(credential_id)) is not None:
            check = self.checks.of(credential_id)
            self.texts[credential_id] = searched_in(row, check)
        self.put_in_order()


class Order(NamedTuple):
    """The column to sort by, and what its texts do not say."""

    column: Column
    is_reversed: bool
    checks: Checks


def in_order(ids: Sequence[str], texts: Mapping[str, str], order: Order) -> Rows:
    """Return the rows that have a text, in this order; the newest first among equals."""
    known = [one for one in ids if one in texts]
    longest = longest_in([texts[one] for one in known[:_MEASURED]])
    if order.column is CHECK:  # the latest first
        known.sort(key=order.checks.age)
    elif order.column is not CREATED:
        field = field_of(order.column)
        known.sort(key=lambda one: field(texts[one]))
    if order.is_reversed:
        known.reverse()
    searched = [texts[one] for one in known]
    return Rows(known, searched, same_in(searched), longest)


class Reading:
    """Keeps a listing up to date with a store, which it reads in a thread."""

    def __init__(self, store: CredentialStore, listing: Listing) -> None:
        self._store = store
        self._listing = listing
        self._is_behind = True  # also after a failure, whose cause may end without a new stamp
        self._is_asked = False
        self._stamp: Stamp | None = None
        """The store's stamp when the last reading began."""

    def look_again(self) -> None:
        """Have the store read again, whatever its stamp says, after a reading that runs."""
        self._is_asked = True

    def is_due(self) -> bool:
        """Return whether anything may have changed since the last reading, or if it failed."""
        return self._is_behind or self._is_asked or self._store.stamp() != self._stamp

    async def catch_up(self) -> AsyncGenerator[int]:
        """Read what is new in the store; yields how many rows are left.

        It yields each time the listing has changed. Raises ``StoreUnusable``; what was read
        until then stays.
        """
        listing, self._is_behind, self._is_asked = self._listing, True, False
        stamp = self._store.stamp()
        seen = await asyncio.to_thread(self._look)
        self._stamp = stamp
        unread = seen.unread
        if unread or seen.ids is not listing.ids:
            listing.accept(seen)
            yield len(unread)
        for start in range(0, len(unread), _BATCH):
            batch = unread[start : start + _BATCH]
            listing.take(await asyncio.to_thread(self._texts, batch))
            left = len(unread) - start - len(batch)
            is_step = (start + len(batch)) % STEP == 0
            if not left or (is_step and listing.is_arranged):
                await self._put_in_order()
            if not left or is_step:
                yield left
        self._is_behind = False

    def _look(self) -> Seen:
        """Return the credentials that there are now, and those written since."""
        listing, since = self._listing, self._stamp
        checks = listing.checks.version
        ids, order, known = self._store.ids(), listing.ordered_by, listing.texts
        written = set() if since is None else set(self._store.changed_since(since))
        if ids == listing.ids and not written:
            ids, texts, rows = listing.ids, known, listing.rows
        else:
            # From scratch: removed IDs go, and no text keeps an older copy of an ID.
            texts = {one: text for one in ids if (text := known.get(one)) is not None}
            rows = in_order(ids, texts, order)
        unread = [one for one in ids if one not in texts or one in written]
        return Seen(ids, unread, texts, order, rows, checks)

    def _texts(self, ids: Sequence[str]) -> dict[str, str]:
        rows = zip(ids, self._store.read_many(ids), strict=True)
        return {one: searched_in(row) for one, row in rows if row is not None}

    async def _put_in_order(self) -> None:
        listing = self._listing
        ids, order, checks = listing.ids, listing.ordered_by, listing.checks.version
        rows = await asyncio.to_thread(in_order, ids, listing.texts, order)
        is_current = listing.ids is ids and listing.ordered_by == order
        is_current = is_current and listing.checks.version == checks
        listing.put_in_order(rows if is_current else None)
