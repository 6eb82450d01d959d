"""What a person sees on a terminal's screen without looking at its colours."""

import re
from collections.abc import Callable, Iterator

import pyte
from pyte.screens import Char

from tests.e2e.terminal import PATIENCE, Terminal

_COLOUR = re.compile(rb"\x1b\[(?:[\d;]*;)?([34]8;[25]|[349][0-7]|10[0-7])(?=[;m])")
_DOUBLE = {"\u2550", "="}
_MODES = re.compile(rb"\x1b\[\?(\d+)([hl])")
_DEVICE_CONTROL = re.compile(rb"\x1bP(.*?)\x1b\\", re.DOTALL)
_AT_REST = {b"7": b"h", b"25": b"h"}
"""Wrapping and the cursor; all else is off."""


def is_reversed(app: Terminal, words: str) -> bool:
    """Tell whether these words stand in reverse somewhere."""
    return any(all(cell.reverse for cell in place) for place in _places(app, words))


def stands_out(app: Terminal, words: str) -> bool:
    """Tell whether these words are bold or underlined, the last time that they stand there."""
    places = list(_places(app, words))
    return bool(places) and all(cell.bold or cell.underscore for cell in places[-1])


def has_cursor(app: Terminal, words: str) -> bool:
    """Tell whether a block stands on the first of these words' letters."""
    return any(
        (first.reverse, first.bg) != (second.reverse, second.bg)
        for first, second, *_ in _places(app, words)
    )


async def comes_to(
    app: Terminal, holds: Callable[[], bool], patience: float = PATIENCE
) -> bool:
    """Wait until it holds for what is on the screen; tell whether it did."""
    try:
        await app.shows(lambda _: holds(), patience)
    except AssertionError:
        return False
    return True


def has_double_frame(app: Terminal) -> bool:
    """Tell whether something is in a frame of double lines."""
    return any(one * 10 in app.text for one in _DOUBLE)


def colours(raw: bytes) -> str:
    """Return how many colours are sent."""
    sent = {found.partition(b";") for found in _COLOUR.findall(raw)}
    for kind, name in ((b"2", "true colours"), (b"5", "256")):
        if any(last == kind for _, _, last in sent):
            return name
    return "16" if sent else "none"


def signs(raw: bytes) -> str:
    """Return what is sent beyond ASCII."""
    text = raw.decode()
    if text.isascii():
        return "ASCII only"
    if "\u2713" in text:
        return "all"
    return "ASCII signs, a PC's lines" if "\u2500" in text else "ASCII signs"


def unwrapped(raw: bytes) -> tuple[bytes, bytes]:
    """Return what is for any terminal, and what is wrapped (DCS) for one that passes it on."""
    return _DEVICE_CONTROL.sub(b"", raw), b"".join(_DEVICE_CONTROL.findall(raw))


def modes_left(raw: bytes) -> set[bytes]:
    """Return the private modes that are not as they are at rest when all was written."""
    last = dict(_MODES.findall(raw))
    return {mode for mode, is_set in last.items() if is_set != _AT_REST.get(mode, b"l")}


def _places(app: Terminal, words: str) -> Iterator[list[Char]]:
    """Yield the cells of these words, wherever they stand on one line, from the top."""
    screen = app._screen
    for number, line in enumerate(screen.display):
        for found in re.finditer(re.escape(words), line):
            yield [screen.buffer[number][at] for at in range(*found.span())]


class Stream(pyte.ByteStream):
    """pyte's draws what is for the terminal's own use (DCS), which no terminal does."""

    _held = b""

    def feed(self, data: bytes) -> None:  # type: ignore[override]  # as pyte's own does
        data = _DEVICE_CONTROL.sub(b"", self._held + data)
        whole, begin, rest = data.partition(b"\x1bP")
        self._held = begin + rest
        super().feed(whole)
