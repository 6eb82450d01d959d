"""What the terminal takes besides plain ASCII: hyperlinks (OSC 8) and QR codes in blocks."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import NamedTuple

_WITHOUT = ("dumb", "linux", "vt", "ansi", "cygwin", "eterm", "screen")
_TMUX_WITH = (3, 4)
_FIRST_VTE = 5001
"""0.50.1; 0.50.0 crashes over a link."""
_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")
_COERCED = "C.UTF-8"


def takes_hyperlinks(environ: Mapping[str, str]) -> bool:
    """Return whether to make the URL a link as well; it is shown in full in any case.

    Most terminals without links ignore the sequence, and over SSH they can hardly be told
    apart. So the answer is no only for those that are known not to.
    """
    term = environ.get("TERM", "").lower()
    if environ.get("TMUX"):
        return _version(environ.get("TERM_PROGRAM_VERSION", "")) >= _TMUX_WITH
    if not term or term.startswith(_WITHOUT) or environ.get("STY"):
        return False
    if environ.get("TERM_PROGRAM") == "Apple_Terminal":
        return False
    vte = environ.get("VTE_VERSION", "")
    return not vte.isascii() or not vte.isdecimal() or int(vte) >= _FIRST_VTE


def draws_blocks(environ: Mapping[str, str]) -> bool:
    """Return whether the locale says that the terminal takes more than ASCII.

    Python itself sets ``LC_CTYPE`` to C.UTF-8 where the locale is C (PEP 538): that alone
    says nothing about the terminal.
    """
    set_ones = [environ[name] for name in _LOCALE if environ.get(name)]
    if set_ones[:1] == [_COERCED] and not environ.get("LC_ALL"):
        set_ones = [environ.get("LANG", "")]
    spelt = set_ones[0].lower().replace("-", "") if set_ones else ""
    return "utf8" in spelt


def _version(text: str) -> tuple[int, ...]:
    """Read 3.4, 3.3a and next-3.5 alike; anything else counts as the oldest."""
    digits = "".join(one if one.isascii() and one.isdecimal() else " " for one in text)
    return tuple(map(int, digits.split()[:2]))


_QUIET = 4
"""Light modules on each side (ISO/IEC 18004, section 5.3.8)."""
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


class QrCode(NamedTuple):
    """Lines of equal length, to be drawn dark on light."""

    lines: tuple[str, ...]

    @property
    def columns(self) -> int:
        """Its width, in cells."""
        return len(self.lines[0])

    @property
    def rows(self) -> int:
        """Its height, in lines."""
        return len(self.lines)


def qr_code(url: str) -> QrCode:
    """Return the smallest code for ``url``, two modules to a character, with its quiet zone.

    Draw it black on white whatever the terminal's colours: readers of the code
    expect its dark to be darker. Takes some 80 ms.
    """
    from segno import make_qr  # noqa: PLC0415 - takes 13 ms, and few ask for a code

    code = make_qr(url, error="l", boost_error=False)
    rows = [[bool(module) for module in row] for row in code.matrix_iter(border=_QUIET)]
    return QrCode(tuple(_lines(rows)))


def _lines(rows: list[list[bool]]) -> Iterator[str]:
    nothing = [False] * len(rows[0])
    for upper, lower in zip_longest(rows[::2], rows[1::2], fillvalue=nothing):
        yield "".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
