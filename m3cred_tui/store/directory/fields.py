"""Fields of a JSON object from a file, each checked and cleaned as it is taken."""

import json
from datetime import UTC, datetime
from typing import TypeVar

from m3cred_tui.model.text import clean
from m3cred_tui.store.files import FlawError

Json = dict[str, object]
T = TypeVar("T")

_LONGEST_LINE = 200
# Beyond these, a time cannot be told in every time zone.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)

# As json.loads, which takes a quarter longer.
_decode = json.JSONDecoder().raw_decode


def json_object(data: bytes) -> Json:
    """Return the object; raises :class:`FlawError` for anything else, with no part of it."""
    try:
        decoded = data.decode("utf-8")
        value, end = _decode(decoded)
    except (ValueError, RecursionError):
        # Without its cause, which shows the text.
        raise FlawError("it is not whole JSON") from None
    if end != len(decoded) and decoded[end:].strip():
        raise FlawError("it is not whole JSON")
    if not isinstance(value, dict):
        raise FlawError("it is not a JSON object")
    return value


def text(fields: Json, key: str) -> str:
    """Return a text as it stands there; like all below, raises :class:`FlawError`."""
    value = fields.get(key)
    if type(value) is not str:
        raise FlawError(f"its {key} is not text")
    return value


def line(fields: Json, key: str) -> str:
    """Return a text as a line that a terminal can only draw."""
    return clean(text(fields, key), most=_LONGEST_LINE)


def boolean(fields: Json, key: str) -> bool:
    """Return true or false."""
    value = fields.get(key)
    if type(value) is not bool:
        raise FlawError(f"its {key} is neither true nor false")
    return value


def time(fields: Json, key: str) -> datetime:
    """Return a time that says its zone."""
    try:
        value = datetime.fromisoformat(text(fields, key))
    except ValueError:
        raise FlawError(f"its {key} is not a time") from None
    if value.tzinfo is None:
        raise FlawError(f"its {key} has no time zone")
    if not _EARLIEST <= value < _LATEST:
        raise FlawError(f"its {key} is not a time")
    return value


def known(table: dict[str, T], fields: Json, key: str) -> T:
    """Return what a code stands for in a table."""
    code = text(fields, key)
    if code not in table:
        raise FlawError(f"its {key} “{clean(code, most=40)}” is not known")
    return table[code]
