"""What the terminal can do, as far as the environment tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from m3cred_tui.browser.terminal import draws_blocks, takes_hyperlinks

if TYPE_CHECKING:
    from collections.abc import Mapping

Colours = Literal["truecolor", "256", "standard", "none"]
"""The last but one are the sixteen that the terminal's owner chose."""
Characters = Literal["all", "console", "ascii"]
"""``console``: the letters of any language, but of signs and boxes those of a PC's font."""

# None of them ignores every sequence that it does not know; some draw its letters.
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
    """Whether it draws a part of every sequence that is younger than a VT220."""
    hyperlinks: bool = True


def abilities(environ: Mapping[str, str]) -> Abilities:
    """Tell what may be sent to the terminal that ``environ`` describes; ``TERM`` is set."""
    is_old = environ.get("TERM", "").startswith(_OLD)
    characters: Characters = "console" if is_old else "all"
    if not draws_blocks(environ):  # the locale is not UTF-8
        characters = "ascii"
    colours = _colours(environ, is_old=is_old)
    return Abilities(colours, characters, is_old, takes_hyperlinks(environ))


def _colours(environ: Mapping[str, str], *, is_old: bool) -> Colours:
    if environ.get("NO_COLOR") is not None:
        return "none"
    term = environ.get("TERM", "")
    # screen hands its terminal's COLORTERM on, and takes 38;2;R;G;B for five attributes.
    in_screen = "STY" in environ or (term.startswith("screen") and not environ.get("TMUX"))
    if environ.get("COLORTERM", "").lower() in _TRUECOLOR and not (is_old or in_screen):
        return "truecolor"
    number = _MANY if term.endswith("-256color") else _number_of_colours(term)
    return "256" if number >= _MANY else "standard" if number >= _FEW else "none"


def _number_of_colours(term: str) -> int:
    """Ask terminfo; a terminal that it does not know has the eight that nearly all have."""
    try:
        import _curses  # the package around it would take as long again
    except ImportError:
        return _FEW
    try:
        _curses.setupterm(term, 2)
        return _curses.tigetnum("colors")
    except _curses.error:
        return _FEW
