"""What a terminal can do: characters, colours and hyperlinks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich.cells import get_character_cell_size
from rich.console import COLOR_SYSTEMS

from m3cred_tui.browser.terminal import draws_blocks, takes_hyperlinks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


_UNKNOWN = "?"
# Each as wide as what it replaces; any other character becomes a question mark.
_SIGNS = {
    "✓": "+",
    "●": ">",
    "○": "-",
    "…": "~",
    "›": ">",
    "⏎": "^",
    "•": "*",
    "◆": "#",
    "▾": "*",  # behind a heading, where a v would be its last letter
    "▴": "'",
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
    """For ``str.translate``: turns any character into ASCII, in as many cells."""

    def __missing__(self, code: int) -> str:
        one = chr(code)
        return one if one.isascii() else _UNKNOWN * get_character_cell_size(one)


def shown(text: str, characters: Characters) -> str:
    """Return ``text`` in characters of the same width that the terminal has."""
    if characters == "all" or text.isascii():
        return text
    return text.translate(_table(characters))


@cache
def _table(characters: Characters) -> Mapping[int, str]:
    if characters == "ascii":
        return _Ascii(_ASCII)
    return {code: sign for code, sign in _ASCII.items() if not _is_in_pc_font(chr(code))}


def _is_in_pc_font(character: str) -> bool:
    try:
        character.encode(_PC_FONT)
    except UnicodeEncodeError:
        return False
    return True


Colours = Literal["truecolor", "256", "standard", "none"]
"""``standard``: the sixteen that the terminal's owner chose."""
Characters = Literal["all", "console", "ascii"]
"""``console``: the letters of any language, but only the signs and boxes of a PC's font."""

# These do not ignore every unknown sequence; some draw its letters.
_OLD = (
    *("ansi", "cons", "cygwin", "eterm", "linux", "pc", "sun", "wsvt", "wy"),
    *("vt1", "vt2", "vt3", "vt4", "vt5"),  # not vte, which is young
)
_TRUECOLOR = frozenset({"truecolor", "24bit"})
_FEW, _MANY = 8, 256


class Abilities(NamedTuple):
    """What may be sent to the terminal."""

    colours: Colours = "truecolor"
    characters: Characters = "all"
    is_old: bool = False
    """Whether it draws parts of sequences that are newer than a VT220."""
    hyperlinks: bool = True


def abilities(environ: Mapping[str, str], *, is_utf8: bool = True) -> Abilities:
    """Return what may be sent to the terminal that ``environ`` describes; ``TERM`` is set.

    ``is_utf8`` tells whether that is what is written to it.
    """
    is_old = environ.get("TERM", "").startswith(_OLD)
    characters: Characters = "console" if is_old else "all"
    if not (is_utf8 and draws_blocks(environ)):
        characters = "ascii"
    colours = _colours(environ, is_old=is_old)
    return Abilities(colours, characters, is_old, takes_hyperlinks(environ))


def _colours(environ: Mapping[str, str], *, is_old: bool) -> Colours:
    if environ.get("NO_COLOR") is not None:
        return "none"
    term = environ.get("TERM", "")
    # screen passes COLORTERM on, but reads 38;2;R;G;B as five attributes.
    in_screen = "STY" in environ or (term.startswith("screen") and not environ.get("TMUX"))
    if environ.get("COLORTERM", "").lower() in _TRUECOLOR and not (is_old or in_screen):
        return "truecolor"
    number = _MANY if term.endswith("-256color") else _number_of_colours(term)
    return "256" if number >= _MANY else "standard" if number >= _FEW else "none"


def _number_of_colours(term: str) -> int:
    """Ask terminfo; a terminal that it does not know is taken to have eight."""
    try:
        import _curses  # noqa: PLC0415  importing the package would double the time
    except ImportError:
        return _FEW
    try:
        _curses.setupterm(term, 2)
        return _curses.tigetnum("colors")
    except _curses.error:
        return _FEW


OWN_THEME = "ansi-dark"
"""Textual's theme with the colours that the terminal's owner chose."""
_READABLE = "ansi_default"
_CURSOR = "bold reverse"

# Replaces the theme's: its blue and magenta are unreadable on black, others on white.
OWN_VARIABLES = {
    "primary": _READABLE,
    "border": _READABLE,
    "border-blurred": _READABLE,
    "error": "ansi_bright_red",
    "text-primary": _READABLE,
    "text-warning": _READABLE,
    "text-error": "ansi_bright_red",
    "text-success": _READABLE,
    "block-cursor-foreground": _READABLE,
    "block-cursor-background": _READABLE,
    "block-cursor-text-style": _CURSOR,
    "block-cursor-blurred-text-style": "bold",
    "footer-key-foreground": _READABLE,
    "scrollbar": _READABLE,
    "scrollbar-hover": _READABLE,
    "scrollbar-active": _READABLE,
    "scrollbar-background": _READABLE,
    "scrollbar-background-hover": _READABLE,
    "scrollbar-background-active": _READABLE,
    "link-color": _READABLE,
}


def are_few(colours: Colours) -> bool:
    """Return whether the theme's own colours could only be approximated."""
    return colours in {"standard", "none"}


def draw_in(console: Console, colours: Colours) -> None:
    """Set the colours: Textual itself only considers ``TERM`` and ``COLORTERM``."""
    system = "standard" if colours == "none" else colours
    # Textual creates the console in its __init__, and this decides how it draws.
    console._color_system = COLOR_SYSTEMS[system]  # noqa: SLF001
