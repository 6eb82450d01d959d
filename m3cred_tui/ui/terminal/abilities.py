"""What a terminal can do: characters, colours and hyperlinks; and what can be read on it."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich.cells import get_character_cell_size
from rich.console import COLOR_SYSTEMS
from textual.color import BLACK, WHITE, Color

from m3cred_tui.browser.terminal import draws_blocks, takes_hyperlinks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console


_UNKNOWN = "?"
# Each as wide as what it replaces; any other character becomes a question mark.
_SIGNS = {
    "✓": "+",
    "✗": "x",
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


def are_few(colours: Colours) -> bool:
    """Return whether the theme's own colours could only be approximated."""
    return colours in {"standard", "none"}


def draw_in(console: Console, colours: Colours) -> None:
    """Set the colours: Textual itself only considers ``TERM`` and ``COLORTERM``."""
    system = "standard" if colours == "none" else colours
    # Textual creates the console in its __init__, and this decides how it draws.
    console._color_system = COLOR_SYSTEMS[system]  # noqa: SLF001


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
    "live-foreground": _READABLE,
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

READABLE = 4.5
"""The least contrast of text (WCAG 2.2, 1.4.3, AA)."""
_GROUNDS = "background", "surface", "panel"
_TEXTS = "foreground", "button-foreground", "text-success", "text-warning", "text-error"
_OF_THE_FOOTER = "footer-key-foreground", "footer-description-foreground"
_FOOTER = "footer-background"
_ON_FILLED = {
    "block-cursor-foreground": "block-cursor-background",
    "button-color-foreground": "primary",
    "live-foreground": "error",
}
_AUTO = "auto"
_USED = (
    *(*_GROUNDS, *_TEXTS, *_OF_THE_FOOTER, _FOOTER),
    *(*_ON_FILLED, *_ON_FILLED.values()),
)
_MUTED = 0.6
_STEP = 0.05


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two opaque colours, from 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004  sRGB
        for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those colours of a theme that must change for its text to be readable.

    Most light themes have a pale green and amber, and every theme has a pale grey.
    """
    return _readable(*(variables.get(one, _AUTO) for one in _USED))


@lru_cache(maxsize=4)
def _readable(*values: str) -> dict[str, str]:
    theme = dict(zip(_USED, values, strict=True))
    grounds = [Color.parse(theme[one]) for one in _GROUNDS]
    changed = {one: _nearest(Color.parse(theme[one]), grounds) for one in _TEXTS}
    far = _farthest(grounds)
    changed["text-muted"] = _nearest(grounds[0].blend(far, _MUTED), grounds)
    footer = [Color.parse(theme[_FOOTER])]
    changed |= {one: _nearest(Color.parse(theme[one]), footer) for one in _OF_THE_FOOTER}
    for text, filled in _ON_FILLED.items():
        ground = Color.parse(theme[filled])
        is_auto = theme[text].startswith(_AUTO)
        colour = ground.get_contrast_text(1) if is_auto else Color.parse(theme[text])
        is_readable = contrast(colour, ground) >= READABLE
        changed[text] = colour if is_readable else _farthest([ground])
    return {name: colour.hex for name, colour in changed.items()}


def _farthest(grounds: Sequence[Color]) -> Color:
    return max((BLACK, WHITE), key=lambda one: min(contrast(one, ground) for ground in grounds))


def _nearest(colour: Color, grounds: Sequence[Color]) -> Color:
    """Return a colour that can be read on all grounds, as near to this one as possible."""
    far, step = _farthest(grounds), 0.0
    nearest = colour
    while step < 1 and min(contrast(nearest, one) for one in grounds) < READABLE:
        step += _STEP
        nearest = colour.blend(far, min(step, 1))
    return nearest
