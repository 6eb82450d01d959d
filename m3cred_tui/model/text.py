"""Text from outside, made harmless once, at the boundary."""

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
CUT = "\N{HORIZONTAL ELLIPSIS}"
# Cc control, Cf format (bidi, zero-width, tags), Cs surrogate, Co private use, Cn unassigned,
# Zl and Zp line breaks: none of them is a visible character that every terminal agrees on.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MOST_MARKS = 3


def is_visible(character: str) -> bool:
    """Tell whether a terminal draws this character and does nothing else with it."""
    return unicodedata.category(character) not in _INVISIBLE


def clean(text: str, *, most: int = 200) -> str:
    """Return ``text`` as one line that a terminal can only draw, of ``most`` characters.

    White space of any kind becomes one space; what is not visible becomes U+FFFD; a pile of
    more than three combining marks is cut down, as it would be drawn over its neighbours.
    """
    # Most text; looking at each character would be felt when reading 100,000 records.
    if text.isascii() and text.isprintable() and len(text) <= most and text == text.strip():
        return " ".join(text.split()) if "  " in text else text
    cut = text[: most * 4]  # more than is ever shown, so that a megabyte costs nothing
    shown: list[str] = []
    marks = 0
    for character in " ".join(unicodedata.normalize("NFC", cut).split()):
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MOST_MARKS:
            shown.append(character if is_visible(character) else REPLACEMENT)
    line = "".join(shown)
    return line if len(line) <= most else line[: most - 1] + CUT
