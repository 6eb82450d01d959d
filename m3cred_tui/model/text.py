"""Text from outside, made harmless once, at the boundary."""

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
CUT = "\N{HORIZONTAL ELLIPSIS}"
# Cc control, Cf format (bidi, zero-width, tags), Cs surrogate, Co private use, Cn unassigned,
# Zl and Zp line breaks: none of them is a visible character that every terminal agrees on.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters, marks and signs by their category, and yet nothing is drawn for them.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_MARKS = frozenset({"Mn", "Me"})
_MOST_MARKS = 3
_AMPLE = 4  # times what is shown: as much of a megabyte as is looked at


def is_visible(character: str) -> bool:
    """Tell whether a terminal draws this character and does nothing else with it."""
    return not (
        unicodedata.category(character) in _INVISIBLE
        or character in _BLANK
        or any(ord(character) in selectors for selectors in _SELECTORS)
    )


def clean(text: str, *, most: int = 200) -> str:
    """Return ``text`` as one line that a terminal can only draw, of ``most`` characters.

    White space of any kind becomes one space; what is not visible becomes U+FFFD; a pile of
    more than three combining marks is cut down, as it would be drawn over its neighbours.
    """
    # Most text; looking at each character would be felt when reading 100,000 records.
    if text.isascii() and text.isprintable() and len(text) <= most and text == text.strip():
        return " ".join(text.split()) if "  " in text else text
    shown: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", " ".join(text.split())):
        marks = marks + 1 if unicodedata.category(character) in _MARKS else 0
        if marks <= _MOST_MARKS:
            shown.append(character if is_visible(character) else REPLACEMENT)
        if len(shown) > most * _AMPLE:
            break
    # Once more: what was cut out may have kept two characters apart.
    line = unicodedata.normalize("NFC", "".join(shown))
    return line if len(line) <= most else line[: most - 1] + CUT
