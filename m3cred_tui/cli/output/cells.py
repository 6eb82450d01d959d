"""Text in the cells of a terminal: cut, padded, or wrapped between words."""

import unicodedata

from m3cred_tui.model.text import CUT, is_mark

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


_COMMANDS = (": m3cred ", ": chmod ", ": BAO_ADDR=")
"""How a command begins that a sentence ends with."""


def wrapped(text: str, width: int, *, hanging: int = 0, taken: int = 0) -> list[str]:
    """Wrap a text between words; a command at its end stays in one piece, to be copied.

    Of the first line, some cells are ``taken`` already; the others begin with ``hanging``
    spaces. A word longer than a line, such as a path, stays whole.
    """
    if taken + cells(text) <= width:
        return [text]
    at = next((at for one in _COMMANDS if (at := text.find(one)) >= 0), len(text))
    first, *words = text[: at + 1].split(" ")
    is_full = taken > hanging and taken + cells(first) > width
    lines = ["", first] if is_full else [first]
    for word in words:
        longer = f"{lines[-1]} {word}"
        if cells(longer) <= width - (hanging if lines[1:] else taken):
            lines[-1] = longer
        elif word:  # else it is a gap
            lines.append(word)
    if command := text[at + 2 :]:
        lines.append(f"  {command}")
    return [lines[0], *(" " * hanging + one for one in lines[1:])]


def _cells_of(character: str) -> int:
    if is_mark(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
