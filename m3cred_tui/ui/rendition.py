"""How a character is drawn (ECMA-48, SGR), and the shortest way from one way to another."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

_FOREGROUND = frozenset(map(str, (*range(30, 38), *range(90, 98))))
_BACKGROUND = frozenset(map(str, (*range(40, 48), *range(100, 108))))
_EXTENDED = {"5": 3, "2": 5}  # 38;5;n and 38;2;r;g;b
_SEEN_ON_BLANKS = frozenset(("4", "7", "9", "21", "53"))


class Rendition(NamedTuple):
    """The parameters that make it; an empty colour is the terminal's own."""

    attributes: tuple[str, ...] = ()
    foreground: str = ""
    background: str = ""


PLAIN = Rendition()


@lru_cache(maxsize=1024)
def rendition(parameters: str) -> Rendition:
    """Read the parameters that were given since the terminal drew plainly."""
    left, told = parameters.split(";"), PLAIN
    while left:
        one, length = left[0], 1
        if one in {"38", "48"}:
            length = _EXTENDED.get(left[1] if len(left) > 1 else "", 1)
            colour = ";".join(left[:length])
            if one == "38":
                told = told._replace(foreground=colour)
            else:
                told = told._replace(background=colour)
        elif one in _FOREGROUND:
            told = told._replace(foreground=one)
        elif one in _BACKGROUND:
            told = told._replace(background=one)
        elif one == "39":
            told = told._replace(foreground="")
        elif one == "49":
            told = told._replace(background="")
        elif one not in {"", "0"}:
            told = told._replace(attributes=(*told.attributes, one))
        left = left[length:]
    return told


@lru_cache(maxsize=1024)
def of_blank(how: Rendition) -> Rendition:
    """Return what is seen of it where there is only a blank."""
    is_seen = not _SEEN_ON_BLANKS.isdisjoint(how.attributes)
    return how if is_seen else Rendition(background=how.background)


@lru_cache(maxsize=1024)
def for_blank(wanted: Rendition, now: Rendition) -> Rendition:
    """Return how to draw a blank: of ``now``, all that is not seen of it stays."""
    if wanted.attributes or of_blank(now).attributes:
        return wanted
    return now._replace(background=wanted.background)


@lru_cache(maxsize=1024)
def change(before: Rendition, after: Rendition) -> str:
    """Return the sequence that leads from one to the other."""
    if before == after:
        return ""
    parts: list[str] = []
    if before.attributes != after.attributes:
        if before.attributes:
            parts.append("0")
            before = PLAIN
        parts += after.attributes
    if before.foreground != after.foreground:
        parts.append(after.foreground or "39")
    if before.background != after.background:
        parts.append(after.background or "49")
    return f"\x1b[{';'.join(parts)}m"
