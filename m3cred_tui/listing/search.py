"""Search in a list of credentials."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.listing.columns import COLUMNS, CREATED
from m3cred_tui.model.name import name_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from m3cred_tui.listing.columns import Column, Row


_FIELDS = tuple(column for column in COLUMNS if column is not CREATED)  # the name comes first
_BETWEEN = "\n"  # in no word and in no field
_ID_PART = 8  # shorter parts of an ID occur in every other one
_ID_LETTERS = frozenset("0123456789abcdef-")
_SLICE = 4_096  # takes about a millisecond


class Rows(NamedTuple):
    """The IDs of rows in some order, and for each the text that is searched."""

    ids: Sequence[str]
    texts: Sequence[str]


def plain(text: str) -> str:
    """Return ``text`` as it is compared in a search: without case and accents."""
    if text.isascii():  # the same, without the cost for each of 100,000 rows
        return " ".join(text.lower().split())
    return without_accents(name_key(text))


def without_accents(key: str) -> str:
    """Return a :func:`name_key` without accents: :func:`plain` of its name."""
    if key.isascii():
        return key
    letters = unicodedata.normalize("NFKD", key)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def searched_in(row: Row) -> str:
    """Return the text of a row that is searched and sorted by."""
    return _BETWEEN.join(plain(column.sought(row)) for column in _FIELDS)


def field_of(column: Column) -> Callable[[str], str]:
    """Return a function that extracts one column from the text of a row."""
    number = _FIELDS.index(column)
    return lambda text: text.split(_BETWEEN, number + 1)[number]


def beginning(key: str) -> str:
    """Return the beginning of the text of a row whose name has this :func:`name_key`.

    The text of a name that differs only in its accents begins in the same way.
    """
    return without_accents(key) + _BETWEEN


def matches(rows: Rows, words: Sequence[str]) -> Iterator[Rows]:
    """Yield the rows that contain all the words, a slice of ``rows`` at a time."""
    ids, texts = rows
    for start in range(0, len(ids), _SLICE):
        places: Sequence[int] = range(start, min(start + _SLICE, len(ids)))
        for word in words:
            places = _with(word, rows, places)
        yield Rows([ids[place] for place in places], [texts[place] for place in places])


def is_narrower(words: Sequence[str], than: Sequence[str]) -> bool:
    """Return whether ``words`` find only rows that the others find, too."""
    return all(
        any(other in word and is_id_part(other) == is_id_part(word) for word in words)
        for other in than
    )


def is_id_part(word: str) -> bool:
    """Return whether a word is also searched for in Credential IDs."""
    return len(word) >= _ID_PART and _ID_LETTERS.issuperset(word)


def _with(word: str, rows: Rows, places: Sequence[int]) -> Sequence[int]:
    ids, texts = rows
    if is_id_part(word):
        return [place for place in places if word in texts[place] or word in ids[place]]
    return [place for place in places if word in texts[place]]
