"""What is drawn in place of signs and boxes where the terminal does not show them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from rich.cells import get_character_cell_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from m3cred_tui.ui.terminal_abilities import Characters

_UNKNOWN = "?"
# Each as wide as what it stands for; what is drawn and not here is a question mark.
_SIGNS = {
    "✓": "+",
    "●": ">",
    "○": "-",
    "…": "~",
    "›": ">",
    "⏎": "^",
    "•": "*",
    "▾": "*",  # behind a heading, where a v would be its last letter
    "▼": "v",
    "▲": "^",
    "▌▶": ">",
    "“”„": '"',
    "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{EN DASH}\N{EM DASH}▔─╌┄┈╍━▀▄": "-",
    "▁": "_",
    "═": "=",
    "│║┃╎╏▊▎▏▕▐█▍▋▉": "|",
    "┌┐└┘├┤┬┴┼╔╗╚╝╭╮╯╰┏┓┗┛▛▜▙▟▗▖▝▘": "+",
    "▂▃▅▆▇": " ",  # the ends of a scrollbar
    "\xa0": " ",
}
_ASCII = {ord(one): sign for signs, sign in _SIGNS.items() for one in signs}
_PC_FONT = "cp437"


class _Ascii(dict[int, str]):
    """For ``str.translate``: of any character nothing but ASCII, in as many cells."""

    def __missing__(self, code: int) -> str:
        one = chr(code)
        return one if one.isascii() else _UNKNOWN * get_character_cell_size(one)


def shown(text: str, characters: Characters) -> str:
    """Return ``text``, sequences and all, with what the terminal can show, as wide as it is."""
    if characters == "all" or text.isascii():
        return text
    return text.translate(_ascii() if characters == "ascii" else _console())


@cache
def _ascii() -> Mapping[int, str]:
    return _Ascii(_ASCII)


@cache
def _console() -> Mapping[int, str]:
    return {code: sign for code, sign in _ASCII.items() if not _is_in_pc_font(chr(code))}


def _is_in_pc_font(character: str) -> bool:
    try:
        character.encode(_PC_FONT)
    except UnicodeEncodeError:
        return False
    return True
