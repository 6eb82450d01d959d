"""Finding the credential that a word on the command line means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.model.credential import Credential
from m3cred_tui.model.name import name_key, tidy_name
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from m3cred_tui.store.port import CredentialStore, Damaged

    Row = Credential | Damaged

LEAST_PREFIX = 4
"""Characters of an ID; by fewer, a slip of the finger would be an ID, too."""

_MOST_TOLD = 5
_ID_LETTERS = frozenset("0123456789abcdef-")
_ID_LENGTH = 36


class UnknownCredential(Problem):
    """No credential is called so; ``nearest`` is the name that was probably meant, if any."""

    def __init__(self, word: str, names: Iterable[str]) -> None:
        self.nearest = _nearest(word, [*names])
        near = f"; did you mean “{self.nearest}”?" if self.nearest else "; see m3cred list."
        super().__init__(f"There is no credential {_shown(word)}{near}")
        self.word = word


class AmbiguousCredential(Problem):
    """Several credentials are called so, or have an ID that begins so."""

    def __init__(self, word: str, found: Sequence[Row]) -> None:
        told = [_described(row) for row in found[:_MOST_TOLD]]
        more = len(found) - len(told)
        several = ", ".join(told) + (f" and {more:,} more" if more else "")
        super().__init__(
            f"{_shown(word)} may be any of {len(found):,} credentials; say which one by its "
            f"ID: {several}."
        )
        self.word = word
        self.ids = [row.id for row in found]


def selected(store: CredentialStore, word: str) -> Row:
    """Return the credential with this ID, this beginning of an ID, or exactly this name.

    What is damaged or pending is found, too. Where a word fits several, none is guessed:
    raises :class:`AmbiguousCredential`, :class:`UnknownCredential`, ``StoreUnusable``.
    """
    typed = word.strip().lower()
    if len(typed) == _ID_LENGTH and _is_id_part(typed) and (row := store.read(typed)):
        return row
    prefix = typed if len(typed) >= LEAST_PREFIX and _is_id_part(typed) else None
    name = tidy_name(word)
    rows = [row for row in store.read_many(store.ids()) if row is not None]
    found = [
        row
        for row in rows
        if _name_of(row) == name or (prefix is not None and row.id.startswith(prefix))
    ]
    if not found:
        raise UnknownCredential(word, filter(None, map(_name_of, rows)))
    if len(found) > 1:
        raise AmbiguousCredential(word, found)
    return found[0]


def all_selected(store: CredentialStore, words: Iterable[str]) -> list[Row]:
    """Return what :func:`selected` does for each word, each credential once."""
    return list({row.id: row for row in (selected(store, word) for word in words)}.values())


def title_of(row: Row) -> str:
    """Return what a sentence calls a credential."""
    return f"“{row.name}”" if isinstance(row, Credential) else f"The credential {row.id}"


def _is_id_part(text: str) -> bool:
    return _ID_LETTERS.issuperset(text)


def _name_of(row: Row) -> str | None:
    return row.name if isinstance(row, Credential) else None


def _nearest(word: str, names: Sequence[str]) -> str | None:
    from difflib import get_close_matches

    by_key = {name_key(name): name for name in names}
    key = name_key(word[: _ID_LENGTH * 4])
    near = [key] if key in by_key else get_close_matches(key, by_key, 1)
    return by_key[near[0]] if near else None


def _described(row: Row) -> str:
    return f"{row.id} (“{row.name}”)" if isinstance(row, Credential) else f"{row.id} (damaged)"


def _shown(word: str) -> str:
    return f"“{clean(word, most=64)}”"
