"""A URL as a QR code, drawn with half blocks."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

_QUIET = 4
"""Light modules on each side (ISO/IEC 18004, section 5.3.8)."""
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


class QrCode(NamedTuple):
    """Lines of equal length; what is drawn in them is dark, on light."""

    lines: tuple[str, ...]

    @property
    def columns(self) -> int:
        """Cells that it takes from left to right."""
        return len(self.lines[0])

    @property
    def rows(self) -> int:
        """Lines that it takes."""
        return len(self.lines)


def qr_code(url: str) -> QrCode:
    """Return the smallest code for ``url``, two modules to a character, with its quiet zone.

    It is to be drawn black on white whatever the terminal's colours: readers of the code
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
