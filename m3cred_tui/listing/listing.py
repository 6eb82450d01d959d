"""The credentials of a page: known by ID, read when they are drawn."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.listing.columns import COLUMNS, CREATED, NAME
from m3cred_tui.listing.search import (
    Rows,
    beginning,
    field_of,
    is_narrower,
    matches,
    plain,
    searched_in,
)
from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.model.name import name_key
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.port import Damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from m3cred_tui.listing.columns import Column, Row
    from m3cred_tui.model.check import CheckResult


_OK, _PENDING = "ok", "pending"
"""Their values; the outcomes themselves are imported only where there are any."""


class Checks:
    """The results, by the ID of the credential."""

    def __init__(self) -> None:
        self._results: dict[str, CheckResult] = {}
        self.stamp: object = None
        """That of the file which these are from."""

    def take(self, results: Mapping[str, CheckResult]) -> None:
        """Take results, the later of two for one credential, and none of a pending one."""
        for credential_id, result in results.items():
            if result.outcome == _PENDING:
                continue
            before = self._results.get(credential_id)
            if before is None or before.at <= result.at:
                self._results[credential_id] = result

    def result(self, credential_id: str) -> CheckResult | None:
        """Return what the last check said, if there was one."""
        return self._results.get(credential_id)

    def label(self, credential_id: str, width: int) -> str | None:
        """Return what the last check said, with as much of its time as fits into ``width``."""
        result = self._results.get(credential_id)
        if result is None:
            return None
        at = result.at.astimezone()
        text = f"{'✓' if result.outcome == _OK else '!'} {result.label}"
        fuller = (f"{text} {at:%d %b %H:%M}", f"{text} {at:%d %b}")
        return next((one for one in fuller if len(one) <= width), text)

    def is_bad(self, credential_id: str) -> bool:
        """Tell whether the last check found that the credential cannot be used."""
        result = self._results.get(credential_id)
        return result is not None and result.outcome != _OK


SORTABLE = (CREATED, *(column for column in COLUMNS if column is not CREATED))

_KEPT = 256
"""Rows that stay read; a few screenfuls. 100,000 of them would take 100 MiB."""


class Seen(NamedTuple):
    """The result of reading the store's IDs."""

    ids: Sequence[str]
    """All of them, newest first."""
    written: AbstractSet[str]
    """Those that were written since the look before."""
    unread: Sequence[str]
    """Those whose text is not known, or may be another one now."""
    texts: dict[str, str]
    """What is known already of the text that each is searched in."""
    order: Column
    rows: Rows
    """What is known already, in that order."""
    damaged: AbstractSet[str]
    """Those that :meth:`Listing.learn` had found damaged when the look began."""


class Listing:
    """Rows in the order and under the filter that the user chose.

    Of each it holds the ID and, once that is read, the text that it is searched in; filter
    and order cover those that have one. It belongs to the thread of the app.
    """

    def __init__(self, read: Callable[[str], Row | None]) -> None:
        """Take how to read one credential; ``None`` is one that is gone."""
        self.checks = Checks()
        self._read = lru_cache(_KEPT)(read)
        self.damaged: dict[str, Damaged] = {}
        """Rows whose sealed part was opened, and does not agree with what can be read."""
        self._found: tuple[Sequence[str], Rows] = ((), Rows((), ()))
        self.ids: Sequence[str] = ()
        self.texts: dict[str, str] = {}
        self.rows = Rows((), ())
        self.filter = ""
        self.order = CREATED
        self.total = 0
        self.shown: Sequence[str] = ()

    @property
    def is_arranged(self) -> bool:
        """Whether a filter or an order other than the newest first is set."""
        return bool(self.filter.strip()) or self.order is not CREATED

    def begin(self, ids: Sequence[str], total: int) -> None:
        """Take the newest IDs, newest first, and how many credentials there are in all."""
        self.ids, self.total = ids, total

    def accept(self, seen: Seen) -> None:
        """Take the result of reading the store's IDs."""
        self._read.cache_clear()
        there = {*seen.ids} if self.damaged else ()
        self.damaged = {
            one: row
            for one, row in self.damaged.items()
            if one in there and (one not in seen.written or one not in seen.damaged)
        }
        self.ids, self.total, self.texts = seen.ids, len(seen.ids), seen.texts
        self.take({})
        is_current = seen.order is self.order and not self.damaged
        self.put_in_order(seen.rows if is_current else None)

    def take(self, texts: Mapping[str, str]) -> None:
        """Take the texts of rows that were read; :meth:`put_in_order` has them found.

        What was found damaged meanwhile stays so: a read opens no sealed part.
        """
        damaged = {one: searched_in(row) for one, row in self.damaged.items()}
        self.texts.update({**texts, **damaged})

    def put_in_order(self, rows: Rows | None = None) -> None:
        """Take ``rows``, or sort again, which takes 0.1 s for 100,000."""
        self.rows = rows or in_order(self.ids, self.texts, self.order)
        self._found = (), self.rows

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
        self.damaged.pop(credential_id, None)
        # Another dictionary: a thread may go through this one.
        self.texts = {**self.texts}
        self.texts.pop(credential_id, None)
        self.put_in_order()

    def learn(self, row: Row) -> None:
        """Take a row whose sealed part was opened: only now is it known to be damaged."""
        if row == self.row(row.id):
            return
        self._read.cache_clear()
        if isinstance(row, Damaged):
            self.damaged[row.id] = row
        else:
            self.damaged.pop(row.id, None)
        self._read_text(row.id)

    def row(self, credential_id: str) -> Row | None:
        """Return the row of this ID, read now if it has not been; ``None`` if it is gone."""
        try:
            return self.damaged.get(credential_id) or self._read(credential_id)
        except Problem as problem:
            return Damaged(credential_id, str(problem))

    def search(self) -> Iterator[None]:
        """Have in ``shown`` what the filter finds; it grows from one step to the next."""
        words = plain(self.filter).split()
        if not words:
            self.shown = self.rows.ids if self.order is not CREATED else self.ids
            return
        among, sought = self._to_search(words)
        ids: list[str] = []
        texts: list[str] = []
        self.shown = ids
        for some in matches(among, sought):
            ids += some.ids
            texts += some.texts
            yield
            if self.shown is not ids:  # the user has gone on to another filter
                return
        self._found = words, Rows(ids, texts)

    def _to_search(self, words: Sequence[str]) -> tuple[Rows, Sequence[str]]:
        """Return among which rows to look for which of the words, the last typed first."""
        before, found = self._found
        if is_narrower(words, before):
            return found, [word for word in reversed(words) if word not in before]
        return self.rows, words[::-1]

    def arrange(self) -> None:
        """Apply filter and order again, completely."""
        for _slice in self.search():
            pass

    @property
    def taken_names(self) -> Container[str]:
        """The :func:`name_key` of every name in use; a view that grows as more is read."""
        return _TakenNames(self)

    def is_taken(self, key: str) -> bool:
        """Tell whether a credential has a name with this :func:`name_key`.

        One that is pending has none yet: it is created under the name that it then gets.
        """
        begins = beginning(key)
        alike = (
            one
            for one, text in self.texts.items()
            if begins in text and text.startswith(begins)  # the first is the faster
        )
        return any(_has_name(self.row(one), key) for one in alike)

    def _read_text(self, credential_id: str) -> None:
        if (row := self.row(credential_id)) is not None:
            self.texts[credential_id] = searched_in(row)
        self.put_in_order()


class _TakenNames:
    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._listing.is_taken(key)


def _has_name(row: Row | None, key: str) -> bool:
    created = isinstance(row, Credential) and row.status is not Status.PENDING
    return created and row is not None and name_key(NAME.of(row)) == key


def in_order(ids: Sequence[str], texts: Mapping[str, str], order: Column) -> Rows:
    """Return the rows that have a text, in this order; the newest first among equals."""
    known = [one for one in ids if one in texts]
    if order is not CREATED:
        field = field_of(order)
        known.sort(key=lambda one: field(texts[one]))
    return Rows(known, [texts[one] for one in known])
