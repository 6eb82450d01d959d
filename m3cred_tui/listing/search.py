"""Search in a list of credentials."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.listing.columns import (
    ACCOUNT,
    ACCOUNT_ID,
    CHECK,
    COLUMNS,
    CREATED,
    DESTINATION,
    ENTITY_TYPE,
    EXPIRED,
    EXPIRING,
    MODE,
    NAME,
    STATUS,
    Column,
    Longest,
    Row,
)
from m3cred_tui.model.check import Outcome
from m3cred_tui.model.credential import Status
from m3cred_tui.model.name import name_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from m3cred_tui.model.check import CheckResult

# The name comes first.
_FIELDS = tuple(column for column in COLUMNS if column not in {CREATED, CHECK})
_KIND = (ENTITY_TYPE, DESTINATION, MODE)  # one after the other in the fields
_STATUS = _FIELDS.index(STATUS)
_OF_CREATED = {
    Status.AUTHENTICATED,
    EXPIRING,
    EXPIRED,
    *(one.replace("_", " ") for one in Outcome),
}
_BETWEEN = "\n"  # in no word and in no field
_ID_PART = 8  # shorter parts of an ID occur in every other one
_ID_LETTERS = frozenset("0123456789abcdef-")
_SIGNS = dict.fromkeys(map(ord, "✓…✗▌•◆"), " ")  # of statuses, cursor and marks; in no word
_SLICE = 4_096  # takes about a millisecond


class Rows(NamedTuple):
    """The IDs of rows in some order, and for each the text that is searched.

    ``same`` are the columns in which several rows agree, all of them; ``longest`` is what
    :func:`longest_in` returns.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    same: frozenset[Column] = frozenset()
    longest: Longest = ()


def plain(text: str) -> str:
    """Return ``text`` as it is compared in a search: without case and accents."""
    if text.isascii():  # the same, without the cost for each of 100,000 rows
        return " ".join(text.lower().split())
    return without_accents(name_key(text))


def words_of(text: str) -> list[str]:
    """Return the words of a filter; it may have been copied from a row, with its signs."""
    return plain(text.translate(_SIGNS)).split()


def without_accents(key: str) -> str:
    """Return a :func:`name_key` without accents: :func:`plain` of its name."""
    if key.isascii():
        return key
    letters = unicodedata.normalize("NFKD", key)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def searched_in(row: Row, check: CheckResult | None = None) -> str:
    """Return the text of a row that is searched and sorted by."""
    return _BETWEEN.join(plain(column.sought(row, check)) for column in _FIELDS)


def restated(text: str, check: CheckResult) -> str:
    """Return the text of a row after this check: another status, if the check decides it."""
    fields = text.split(_BETWEEN)
    if fields[_STATUS] not in _OF_CREATED:
        return text
    if check.outcome is not Outcome.OK:
        fields[_STATUS] = check.label
    elif fields[_STATUS] not in {EXPIRING, EXPIRED}:
        fields[_STATUS] = Status.AUTHENTICATED
    return _BETWEEN.join(fields)


def same_in(texts: Sequence[str]) -> frozenset[Column]:
    """Return the columns that are the same in all of these texts, damaged rows apart."""
    empty = _BETWEEN * (len(_KIND) + 1)
    text = next((one for one in texts if empty not in one), "")
    if not text or len(texts) == 1:
        return frozenset()
    fields, first = text.split(_BETWEEN), _FIELDS.index(_KIND[0])
    kind = fields[first : first + len(_KIND)]
    for most in (len(_KIND), 1):  # all of them, or the entity type alone
        part = _BETWEEN.join(["", *kind[:most], ""])
        if all(part in one or empty in one for one in texts):
            return frozenset(_KIND[:most])
    return frozenset()


def longest_in(texts: Sequence[str]) -> Longest:
    """Return how wide the columns that vary most would have to be for these texts."""
    split = (text.split(_BETWEEN) for text in texts)
    fields = [one for one in split if len(one) == len(_FIELDS)]
    return tuple(
        (column, max((_cells(one[_FIELDS.index(column)]) for one in fields), default=0))
        for column in (NAME, ACCOUNT, ACCOUNT_ID)
    )


def _cells(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def found_in(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Return where the words of a filter are in a text that is shown, as plain text."""
    places: Sequence[int] = range(len(text))
    folded = text.translate(_SIGNS).lower()
    if not folded.isascii():
        letters = [(at, one) for at, letter in enumerate(text) for one in _folded(letter)]
        folded, places = "".join(one for _, one in letters), [at for at, _ in letters]
    found = []
    for word in words:
        start = folded.find(word)
        while start >= 0:
            end = start + len(word)
            found.append((places[start], places[end - 1] + 1))
            start = folded.find(word, end)
    return sorted(found)


def _folded(letter: str) -> str:
    """Return one letter of a text as :func:`plain` returns it, blanks included."""
    return letter if letter.isspace() else plain(letter)


def field_of(column: Column) -> Callable[[str], str]:
    """Return a function that extracts one column from the text of a row."""
    number = _FIELDS.index(column)
    return lambda text: text.split(_BETWEEN, number + 1)[number]


def beginning(key: str) -> str:
    """Return the beginning of the text of a row whose name has this :func:`name_key`.

    The text of a name that differs only in its accents begins in the same way.
    """
    return without_accents(key) + _BETWEEN


def matches(rows: Rows, words: Sequence[str]) -> Iterator[list[int]]:
    """Yield where the rows are that contain all the words, a slice of ``rows`` at a time."""
    ids, texts = rows.ids, rows.texts
    for start in range(0, len(ids), _SLICE):
        found: Sequence[int] = range(start, min(start + _SLICE, len(ids)))
        for word in words:
            if is_id_part(word):
                found = [at for at in found if word in texts[at] or word in ids[at]]
            else:
                found = [at for at in found if word in texts[at]]
        yield [*found]


def narrows(words: Sequence[str], earlier: Sequence[str]) -> bool:
    """Return whether each row that contains ``words`` contains the ``earlier`` ones, too."""
    return all(
        any(old in new and is_id_part(old) >= is_id_part(new) for new in words)
        for old in earlier
    )


def is_id_part(word: str) -> bool:
    """Return whether a word is also searched for in Credential IDs."""
    return len(word) >= _ID_PART and _ID_LETTERS.issuperset(word)
