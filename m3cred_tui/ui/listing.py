"""The credentials as the Credentials page holds them: known by ID, read when needed."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from m3cred_tui.model.name import name_key
from m3cred_tui.ui.columns import COLUMNS, CREATED, NAME, Column

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from m3cred_tui.ui.columns import Row

SORTABLE = (CREATED, *(column for column in COLUMNS if column is not CREATED))

_ID_PART = 8  # shorter pieces of an ID are found in every other one


class Listing:
    """Rows in the order and under the filter that the user chose.

    Credential IDs sort by time, so the newest are shown before any other file is opened.
    Filter and order cover what has been read; :meth:`read_rest` reads what is left.
    """

    def __init__(self, read: Callable[[str], Row | None]) -> None:
        """Take how to read one credential; ``None`` is one that is gone."""
        self._ids: Sequence[str] = ()
        self._read = read
        self._rows: dict[str, Row] = {}
        self._searchable: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self.filter = ""
        self.order = CREATED
        self.total = 0
        self.shown: Sequence[str] = ()

    @property
    def has_every_id(self) -> bool:
        """Whether all IDs are known, not just the newest."""
        return self.total == len(self._ids)

    @property
    def is_arranged(self) -> bool:
        """Whether a filter or an order other than the newest first is set."""
        return bool(self.filter.strip()) or self.order is not CREATED

    def renew(self, ids: Sequence[str], total: int) -> None:
        """Take the IDs as they are now, newest first; what has been read of them stays read.

        ``total`` counts all credentials; ``ids`` may be the newest of them only.
        """
        self._ids, self.total = ids, total
        for gone in self._rows.keys() - set(ids):
            del self._rows[gone], self._searchable[gone], self._names[gone]

    def row(self, credential_id: str) -> Row | None:
        """Return the row of this ID, read now if it has not been; ``None`` if it is gone."""
        row = self._rows.get(credential_id)
        if row is None and (row := self._read(credential_id)) is not None:
            words = (column.of(row) for column in COLUMNS if column is not CREATED)
            self._rows[credential_id] = row
            self._names[credential_id] = name_key(NAME.of(row))
            # Last, as the other thread takes for read what can be searched.
            self._searchable[credential_id] = _plain(" ".join(words))
        return row

    def read_rest(self, batch: int = 200) -> Iterator[int]:
        """Read what has not been read, ``batch`` at a time; yields how many are left."""
        for start in range(0, len(self._ids), batch):
            for credential_id in self._ids[start : start + batch]:
                self.row(credential_id)
            yield max(0, len(self._ids) - start - batch)

    @property
    def taken_names(self) -> Container[str]:
        """The :func:`name_key` of every name in use; a view that grows as more is read."""
        return self._names.values()

    def arrange(self) -> None:
        """Apply filter and order anew to what has been read."""
        if not self.is_arranged:
            self.shown = self._ids
            return
        words = _plain(self.filter).split()
        found = [one for one in self._ids if self._matches(one, words)]
        if self.order is not CREATED:
            found.sort(key=lambda one: self._sort_key(one, self.order))
        self.shown = found

    def _matches(self, credential_id: str, words: Sequence[str]) -> bool:
        text = self._searchable.get(credential_id)
        return text is not None and all(
            word in text or (len(word) >= _ID_PART and word in credential_id) for word in words
        )

    def _sort_key(self, credential_id: str, column: Column) -> str:
        return name_key(column.of(self._rows[credential_id]))


def _plain(text: str) -> str:
    """Return what is searched for and in: without case and accents."""
    key = name_key(text)
    if key.isascii():
        return key
    letters = unicodedata.normalize("NFKD", key)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
