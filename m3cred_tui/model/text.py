"""Text from outside is made harmless once, at the boundary."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

_Place = Literal["own", "over", "beside", "nowhere"]
"""The cells that a character is drawn in: its own, or those of the one before it."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
CUT = "\N{HORIZONTAL ELLIPSIS}"
# Cc control, Cf format (bidi, zero-width, tags), Cs surrogate, Co private use, Cn unassigned,
# Zl and Zp line breaks: none of them is a visible character that every terminal agrees on.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters, marks or signs by their category, but nothing is drawn for them.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
# Halves of flags, and skin tones: their width depends on their neighbours, and terminals
# disagree on it, so the rest of the line could be anywhere.
_UNSTEADY = (range(0x1F1E6, 0x1F200), range(0x1F3FB, 0x1F400))
_JAMO = (range(0x1160, 0x1200), range(0xD7B0, 0xD800))
_MOST_MARKS = 3  # of each kind on one letter, as in Burmese
# Only so many times the shown length is examined, even of a megabyte: the time that Python
# takes to sort a pile of marks grows with its square.
_AMPLE = 4


def is_visible(character: str) -> bool:
    """Return whether a terminal draws this character and does nothing else with it."""
    return not (
        unicodedata.category(character) in _INVISIBLE
        or character in _BLANK
        or _is_in(_SELECTORS, character)
    )


def is_steady(character: str) -> bool:
    """Return whether terminals agree on how many cells this character takes."""
    return not _is_in(_UNSTEADY, character)


def is_mark(character: str) -> bool:
    """Return whether this character is drawn in the cell of the one before it."""
    return _place(character) in {"over", "beside"}


def drawn(text: str) -> Iterator[str]:
    """Yield, for each character, what a terminal may draw of it on a line of its own.

    A character that is not visible or not steady becomes U+FFFD, and so does a mark with
    nothing before it; a fourth mark on a letter is left out, as it would be drawn over its
    neighbours.
    """
    marks = {"over": 0, "beside": 0}
    for position, character in enumerate(text):
        place = _place(character)
        if place in marks and position:
            marks[place] += 1
            yield character if marks[place] <= _MOST_MARKS else ""
        else:
            marks = {"over": 0, "beside": 0}
            yield character if place == "own" else REPLACEMENT


def clean(text: str, *, most: int = 200) -> str:
    """Return ``text`` as one line that is safe to draw, of at most ``most`` characters.

    Any run of white space becomes one space; the rest is what :func:`drawn` yields.
    """
    # Most text; examining each character of 100,000 records would take noticeably longer.
    if text.isascii() and text.isprintable() and len(text) <= most and text == text.strip():
        return " ".join(text.split()) if "  " in text else text
    line = " ".join(text.split())
    composed = unicodedata.normalize("NFC", line[: most * _AMPLE])
    # Again: a removed character may have separated two others.
    shown = unicodedata.normalize("NFC", "".join(drawn(composed)))
    if len(shown) <= most and len(line) <= most * _AMPLE:
        return shown
    return shown[: most - 1] + CUT


def clean_path(path: object) -> str:
    """Return a path as one line that is safe to draw, of up to 4096 characters."""
    return clean(str(path), most=4096)


@lru_cache(maxsize=2048)
def _place(character: str) -> _Place:
    if not (is_visible(character) and is_steady(character)):
        return "nowhere"
    category = unicodedata.category(character)
    if category in {"Mn", "Me"}:
        return "over"
    # A later part of a decomposed Hangul syllable, after the first consonant.
    if category == "Mc" or _is_in(_JAMO, character):
        return "beside"
    return "own"


def _is_in(ranges: tuple[range, ...], character: str) -> bool:
    return any(ord(character) in one for one in ranges)
