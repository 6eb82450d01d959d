"""What a terminal sends: keys, pastes, reports, and answers that nobody waits for any more."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING

from textual._xterm_parser import XTermParser  # Textual's own thread reads no paste safely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.message import Message


_BEGIN, _END = "\x1b[200~", "\x1b[201~"
_ESCAPE, _HARMLESS = "\x1b", "\N{REPLACEMENT CHARACTER}"


class BracketedPaste:
    """Passes on what a terminal sends, without escape characters inside a paste."""

    def __init__(self) -> None:
        self._is_inside = False
        self._before = ""  # of what was passed on, as much as may be a part of a mark
        self._held = ""

    def passed_on(self, text: str) -> str:
        """Return what can be passed on now; outside a paste, that is everything."""
        parts: list[str] = []
        while text:
            part, text = self._inside(text) if self._is_inside else self._outside(text)
            parts.append(part)
        return "".join(parts)

    def _outside(self, text: str) -> tuple[str, str]:
        # Nothing is held back here: an escape alone is a key.
        seen = self._before + text
        _, mark, after = seen.partition(_BEGIN)
        self._is_inside = bool(mark)
        self._before = "" if mark else seen[1 - len(_BEGIN) :]
        return (text.removesuffix(after), after) if mark else (text, "")

    def _inside(self, text: str) -> tuple[str, str]:
        pasted, mark, after = (self._held + text).partition(_END)
        self._held = ""
        self._is_inside = not mark
        if not mark:
            pasted, self._held = _without_beginning(pasted, _END)
        return pasted.replace(_ESCAPE, _HARMLESS) + mark, after


def _without_beginning(text: str, mark: str) -> tuple[str, str]:
    """Return the text, and separately the beginning of ``mark`` that it may end with."""
    for length in range(min(len(mark) - 1, len(text)), 0, -1):
        if text.endswith(mark[:length]):
            return text[:-length], text[-length:]
    return text, ""


# Control sequences and control strings (ECMA-48, sections 5.4 and 5.6); before them what is not
# like them: xterm's first mouse reports, the Linux console's F1 to F5, rxvt's keys with Shift.
_SEQUENCE = re.compile(
    r"""\x1b(?: \[M[^\x1b]{3} | \[\[[^\x1b] | \[\d+\$
        | \[[0-?]*[ -/]*[@-~]
        | \[[0-?]+[ -/]*(?=\x1b)  # cut off by another
        | O[\d;]*[@-~\ ]
        | []PX^_][^\x07\x1b]*(?:\x07|\x1b\\) )""",
    re.VERBOSE,
)
_STRING = ("\x1b]", "\x1bP", "\x1bX", "\x1b^", "\x1b_")
# One whose end has not come yet. What could be the keys Escape, Alt+[ and Alt+O does not wait.
_BEGUN = re.compile(r"\x1b(?:\[(?!\d+\$\Z)(?:[0-?]+[ -/]*|M[^\x1b]{0,2}|\[)|O[\d;]+)\Z")
_AMBIGUOUS = ("\x1b[", "\x1bO", "\x1b")
_LONGEST = 32  # characters; Textual takes a longer sequence for keys


class Incoming:
    """Turns what a terminal sends into Textual's messages.

    Textual takes a sequence that it does not know for keys: of a late answer such as
    ``ESC [ ? 6 c``, each character would act as if it had been pressed. Here, it is dropped.
    """

    def __init__(self) -> None:
        self._parser = XTermParser()
        self._paste = BracketedPaste()
        # Invalid text (Latin-1, noise on the line, a binary paste) must not end the app.
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._ambiguous = ""  # what the parser has, and may turn out to begin a sequence
        self._held = ""

    def messages(self, data: bytes) -> Iterator[Message]:
        """Yield what these bytes say, as far as it is whole."""
        text = self._ambiguous + self._held + self._paste.passed_on(self._decode(data))
        at = len(self._ambiguous)
        if at and (_SEQUENCE.match(text) or _BEGUN.match(text)):
            self._start_anew()
            at = 0
        begun = _BEGUN.search(text)
        self._held = begun[0][: _LONGEST + 1] if begun else ""  # more would not be read
        text = text[: begun.start()] if begun else text
        self._ambiguous = next(filter(text.endswith, _AMBIGUOUS), "")
        for found in _SEQUENCE.finditer(text):
            yield from self._read(text[at : found.start()])
            yield from self._read_sequence(found[0])
            at = found.end()
        yield from self._read(text[at:])

    def tick(self) -> Iterator[Message]:
        """Yield the key that might have begun a sequence, once nothing follows it in time."""
        for message in self._parser.tick():
            self._ambiguous = ""
            yield message

    def _read_sequence(self, sequence: str) -> Iterator[Message]:
        if len(sequence) > _LONGEST or sequence.startswith(_STRING):
            return
        messages = list(self._read(sequence))
        if not messages and sequence != _BEGIN:
            self._start_anew()  # else it takes what follows for a part of this one
        yield from messages

    def _read(self, text: str) -> Iterator[Message]:
        if text:  # none would mean the end
            try:
                yield from self._parser.feed(text)
            except (OverflowError, ValueError):  # as from ESC [ 9999999999 ~
                self._start_anew()

    def _start_anew(self) -> None:
        """Forget an unfinished sequence, but not the size that mouse reports are scaled by."""
        old, self._parser = self._parser, XTermParser()
        self._parser.mouse_pixels = old.mouse_pixels
        self._parser.terminal_size = old.terminal_size
        self._parser.terminal_pixel_size = old.terminal_pixel_size
        self._parser.last_x, self._parser.last_y = old.last_x, old.last_y
