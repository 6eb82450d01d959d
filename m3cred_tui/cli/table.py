"""Text in the cells of a terminal."""

from __future__ import annotations

import unicodedata

from m3cred_tui.model.text import CUT, is_mark

GAP = 2
"""Cells between two columns."""

_WIDE = frozenset({"W", "F"})


def cells(text: str) -> int:
    """Return how many cells a cleaned text takes (Unicode Standard Annex #11)."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def cut(text: str, width: int) -> str:
    """Return as much of a text as fits, with a sign where something is missing."""
    if cells(text) <= width:
        return text
    kept, taken = "", 1  # for the sign
    for character in text:
        taken += _cells_of(character)
        if taken > width:
            break
        kept += character
    return kept + CUT


def padded(text: str, width: int) -> str:
    """Return a text that takes this many cells, or more if it is longer."""
    return text + " " * (width - cells(text))


def _cells_of(character: str) -> int:
    if is_mark(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
