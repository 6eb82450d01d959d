"""What bash needs done for it: taking a line apart, and quoting what goes into it.

It splits a word at every ``:`` and ``=``, and takes over what is returned as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PLAIN = frozenset("%+,-./_")
_ESCAPED_IN_DOUBLE_QUOTES = '"$\\`'


class Line(NamedTuple):
    """The words of a line up to the cursor, the last of which may be unfinished."""

    words: list[str]
    """As the command would get them."""
    last: str
    """The last one as it was typed."""
    quote: str
    """The quotation mark that is open, if one is."""


def taken_apart(line: str) -> Line:
    """Return the words of a line (bash(1), QUOTING); expansions are left as they are."""
    words, word, start, quote = [], "", 0, ""
    is_escaped = is_begun = False
    for position, one in enumerate(line):
        if is_escaped:
            stays = quote == '"' and one not in _ESCAPED_IN_DOUBLE_QUOTES
            word += f"\\{one}" if stays else one
            is_escaped = False
        elif one == "\\" and quote != "'":
            is_escaped = is_begun = True
        elif quote:
            quote, word = ("", word) if one == quote else (quote, word + one)
        elif one in "\"'":
            quote, is_begun = one, True
        elif one.isspace():
            words += [word] * is_begun
            word, start, is_begun = "", position + 1, False
        else:
            word, is_begun = word + one, True
    return Line([*words, word], line[start:], quote)


def insertions(values: Iterable[str], line: Line, replaced: str) -> Iterator[str]:
    """Yield what to put in the place of ``replaced``, the end of the last word, for each value.

    Only values that begin with what is typed.
    """
    kept = line.last[: len(line.last) - len(replaced)] if line.last.endswith(replaced) else ""
    length = len(taken_apart(kept).words[-1])
    for value in values:
        if value.startswith(line.words[-1]):
            yield quoted(value[length:], line.quote)


def quoted(text: str, quote: str) -> str:
    """Return a text as it stands on a command line, behind this open quotation mark."""
    if quote == "'":
        return text.replace("'", "'\\''")
    if quote:
        return "".join(f"\\{one}" if one in _ESCAPED_IN_DOUBLE_QUOTES else one for one in text)
    return "".join(one if _is_plain(one) else f"\\{one}" for one in text)


def _is_plain(character: str) -> bool:
    return character.isalnum() or character in _PLAIN or not character.isascii()
