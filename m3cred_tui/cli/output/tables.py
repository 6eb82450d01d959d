"""The table of ``m3cred list``."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from m3cred_tui.cli.output.cells import cells, cut, padded
from m3cred_tui.cli.output.streams import coloured, width_of
from m3cred_tui.listing.columns import (
    ACCOUNT,
    ACCOUNT_ID,
    CHECK,
    CREATED,
    CREATED_BY,
    DESTINATION,
    ENTITY_TYPE,
    EXPIRES,
    ID,
    MODE,
    NAME,
    STATUS,
    Column,
    Level,
    Row,
    level_of,
    local,
    short_id,
    status_text,
)
from m3cred_tui.model.check import CheckResult
from m3cred_tui.model.credential import Credential

GAP = 2
"""Cells between two columns."""

BY_NAME = {
    "name": NAME,
    "entity_type": ENTITY_TYPE,
    "destination": DESTINATION,
    "mode": MODE,
    "account": ACCOUNT,
    "account_id": ACCOUNT_ID,
    "status": STATUS,
    "check": CHECK,
    "created": CREATED,
    "created_by": CREATED_BY,
    "expires": EXPIRES,
    "id": ID,
}
"""The columns that can be chosen."""

_USUAL = (NAME, DESTINATION, ACCOUNT, STATUS, CHECK, CREATED, ID)
_WIDE_ONES = (
    *(NAME, DESTINATION, MODE, ACCOUNT, ACCOUNT_ID, STATUS, CHECK),
    *(CREATED, CREATED_BY, ID),
)
_LEFT_OUT_FIRST = (MODE, CREATED_BY, ACCOUNT_ID)
_LEFT_OUT_THEN = (CREATED, ID)
_CUT_TO = {ACCOUNT: 14, NAME: 16}
_LEFT_OUT_LAST = (CHECK, DESTINATION, ACCOUNT)
_BOLD, _RED, _GREEN, _YELLOW = 1, 31, 32, 33
COLOURS = {
    Level.OK: _GREEN,
    Level.PENDING: _YELLOW,
    Level.WARNING: _YELLOW,
    Level.REVOKED: _RED,
}


class _TableLine(NamedTuple):
    texts: Mapping[Column, str]
    colours: Mapping[Column, int]


def write_list(
    rows: Sequence[Row],
    checks: Mapping[str, CheckResult],
    chosen: Sequence[Column] = (),
    *,
    heading: bool = True,
) -> None:
    """Write the heading and a line for each row, as wide as the terminal if there is one.

    Columns that were ``chosen`` are all there, even if a line is then wider than the terminal.
    """
    now, room = datetime.now(UTC), width_of(sys.stdout)
    columns = chosen or (_USUAL if room is None else _WIDE_ONES)
    lines = [_line(row, columns, checks.get(row.id), now) for row in rows]
    if not chosen and not any(one.texts[CHECK] for one in lines):
        columns = [column for column in columns if column is not CHECK]
    widths = {column: max(cells(one.texts[column]) for one in lines) for column in columns}
    if heading:
        widths = {column: max(wide, len(column.heading)) for column, wide in widths.items()}
    if room is not None and not chosen:
        _fit(widths, room)
    if heading:
        headings = {column: _heading(column, wide) for column, wide in widths.items()}
        lines.insert(0, _TableLine(headings, dict.fromkeys(widths, _BOLD)))
    sys.stdout.writelines(f"{_drawn(one, widths)}\n" for one in lines)


def _heading(column: Column, width: int) -> str:
    return (column.heading if len(column.heading) <= width else column.short).upper()


def _line(
    row: Row, columns: Sequence[Column], check: CheckResult | None, now: datetime
) -> _TableLine:
    texts = {column: column.of(row) for column in columns}
    if not isinstance(row, Credential):
        return _TableLine({**texts, STATUS: f"damaged: {row.reason}"}, {STATUS: _RED})
    texts[STATUS] = status_text(row, now, check)  # in words, as a program may read it
    level = level_of(row, check, now)
    colours = {} if level is Level.OK else {STATUS: COLOURS[level]}
    if check is not None:
        texts[CHECK] = f"{check.label}, {local(check.at)}"
        colours[CHECK] = COLOURS[level_of(row, check)]
    return _TableLine(texts, colours)


def _fit(widths: dict[Column, int], room: int) -> None:
    """Leave out and cut columns until a line of them fits."""

    def excess() -> int:
        return sum(widths.values()) + GAP * (len(widths) - 1) - room

    def leave_out(columns: Sequence[Column]) -> None:
        for column in columns:
            if excess() > 0:
                widths.pop(column, None)

    leave_out(_LEFT_OUT_FIRST)
    widths[ID] -= min(max(excess(), 0), max(widths[ID] - ID.least, 0))
    leave_out(_LEFT_OUT_THEN)
    for column, least in _CUT_TO.items():
        widths[column] -= min(max(excess(), 0), max(widths[column] - least, 0))
    leave_out(_LEFT_OUT_LAST)
    last = [*widths][-1]
    widths[last] = max(widths[last] - max(excess(), 0), 1)


def _drawn(line: _TableLine, widths: Mapping[Column, int]) -> str:
    texts = {
        column: (short_id if column is ID else cut)(line.texts[column], wide)
        for column, wide in widths.items()
    }
    *_, last = widths
    parts = []
    for column, text in texts.items():
        fitted = text if column is last else padded(text, widths[column])
        colour = line.colours.get(column)
        parts.append(coloured(fitted, colour, sys.stdout) if colour and text else fitted)
    return (" " * GAP).join(parts).rstrip()
