"""Text in the cells of a terminal, and the table of ``m3cred list``."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.cli.output.json import account_text, local, status_text
from m3cred_tui.model.check import Outcome
from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.model.text import CUT, is_mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.store.port import Damaged

    Row = Credential | Damaged


GAP = 2
"""Cells between two columns."""

_WIDE = frozenset({"W", "F"})


def cells(text: str) -> int:
    """Return how many cells a cleaned text takes (Unicode Standard Annex #11)."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def cut(text: str, width: int) -> str:
    """Return as much of a text as fits, with a sign where something is missing."""
    if cells(text) <= width:
        return text
    kept, taken = "", 1  # for the sign
    for character in text:
        taken += _cells_of(character)
        if taken > width:
            break
        kept += character
    return kept + CUT


def padded(text: str, width: int) -> str:
    """Return a text that takes this many cells, or more if it is longer."""
    return text + " " * (width - cells(text))


def _cells_of(character: str) -> int:
    if is_mark(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


_HEADINGS = {
    "name": "NAME",
    "destination": "DESTINATION",
    "account": "STRIPE ACCOUNT",
    "status": "STATUS",
    "check": "LAST CHECK",
    "created": "CREATED",
    "id": "CREDENTIAL ID",
}
_LEFT_OUT_FIRST = ("id", "created")
_CUT_TO = {"account": 14, "name": 16}
_LEFT_OUT_THEN = ("check", "destination", "account")
_BOLD, _RED, _GREEN, _YELLOW = "1", "31", "32", "33"


class _Line(NamedTuple):
    texts: Mapping[str, str]
    colours: Mapping[str, str]


def list_lines(
    rows: Sequence[Row],
    checks: Mapping[str, CheckResult],
    *,
    now: datetime,
    room: int | None,
    coloured: bool,
) -> Iterator[str]:
    """Yield the heading and a line for each row, of ``room`` cells if there is a limit."""
    headings = _Line(_HEADINGS, dict.fromkeys(_HEADINGS, _BOLD))
    lines = [headings, *(_line(row, checks.get(row.id), now) for row in rows)]
    widths = {name: max(cells(one.texts[name]) for one in lines) for name in _HEADINGS}
    if not any(one.texts["check"] for one in lines[1:]):
        del widths["check"]
    if room is not None:
        _fit(widths, room)
    return (_drawn(one, widths, coloured=coloured) for one in lines)


def _line(row: Row, check: CheckResult | None, now: datetime) -> _Line:
    if not isinstance(row, Credential):
        texts = {**dict.fromkeys(_HEADINGS, ""), "name": row.id, "id": row.id}
        return _Line({**texts, "status": f"damaged: {row.reason}"}, {"status": _RED})
    texts = {
        "name": row.name,
        "destination": row.destination.label,
        "account": account_text(row),
        "status": status_text(row, now),
        "check": "" if check is None else f"{check.label}, {local(check.at)}",
        "created": local(row.created_at),
        "id": row.id,
    }
    colours = {"status": _YELLOW} if row.status is Status.PENDING else {}
    if check is not None:
        colours["check"] = _GREEN if check.outcome is Outcome.OK else _RED
    return _Line(texts, colours)


def _fit(widths: dict[str, int], room: int) -> None:
    """Leave out and cut columns until a line of them fits."""

    def excess() -> int:
        return sum(widths.values()) + GAP * (len(widths) - 1) - room

    def leave_out(names: Sequence[str]) -> None:
        for name in names:
            if excess() > 0:
                widths.pop(name, None)

    leave_out(_LEFT_OUT_FIRST)
    for name, least in _CUT_TO.items():
        widths[name] -= min(max(excess(), 0), max(widths[name] - least, 0))
    leave_out(_LEFT_OUT_THEN)
    last = [*widths][-1]
    widths[last] = max(widths[last] - max(excess(), 0), 1)


def _drawn(line: _Line, widths: Mapping[str, int], *, coloured: bool) -> str:
    texts = {name: cut(line.texts[name], wide) for name, wide in widths.items()}
    *_, last = widths
    parts = []
    for name, text in texts.items():
        fitted = text if name == last else padded(text, widths[name])
        colour = line.colours.get(name)
        is_drawn = coloured and colour and text
        parts.append(f"\x1b[{colour}m{fitted}\x1b[0m" if is_drawn else fitted)
    return (" " * GAP).join(parts).rstrip()
