"""What a record of the log looks like: harmless lines, in which no secret is left.

Nobody logs a secret here. Should it happen all the same, or stand in another library's
message, its shape gives it away.
"""

from __future__ import annotations

import re
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from m3cred_tui.model.text import clean

if TYPE_CHECKING:
    import logging

_PACKAGE = "m3cred_tui."
_LONGEST_LINE = 1000
_MOST_LINES = 200
_DEEPEST = 40

_HIDDEN = "***"
_SHAPES = (
    # The query and the fragment of a URL, the one who asks in it, and a query by itself.
    (r"(://[^\s?#]*)[?#]\S*", rf"\1?{_HIDDEN}"),
    (r"://[^\s/@]*@", f"://{_HIDDEN}@"),
    (r"([?#&])[^\s?#&=]*=\S*", rf"\1{_HIDDEN}"),
    (
        r"(?i)\b(code|state|token|secret|client_secret|access_token|refresh_token"
        r"|password|passphrase)=\S+",
        rf"\1={_HIDDEN}",
    ),
    (r"(?i)\b(bearer|basic)\s+\S{8,}", rf"\1 {_HIDDEN}"),
    # Stripe's keys, tokens and codes; longer ones also where they stick to what is before.
    (r"(?i)(?<![a-z0-9])(sk|rk|pk|ac|rt|whsec)_\S+", rf"\1_{_HIDDEN}"),
    (r"(sk|rk|pk|ac|rt|whsec)_(?:live_|test_)?[A-Za-z0-9]{16}\S*", rf"\1_{_HIDDEN}"),
    (r"(?i)(age-secret-key-)\S+", rf"\1{_HIDDEN}"),
    # What is as random as a state (43 characters of base64url).
    (r"(?<![\w-])(?=[\w-]*[0-9])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{40,}", _HIDDEN),
)
_PATTERNS = [(re.compile(pattern), shown) for pattern, shown in _SHAPES]


def masked(text: str) -> str:
    """Return ``text`` without what has the shape of a secret, and without URLs' queries."""
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return text


def line_of(text: str) -> str:
    """Return ``text`` as one line that a terminal can only draw, without secrets."""
    return masked(clean(text, most=_LONGEST_LINE))


def traceback_of(error: BaseException) -> list[str]:
    """Return the last 200 lines of a traceback, without the values of variables."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return [_indentation(line) + line_of(line) for line in lines[-_MOST_LINES:]]


def _indentation(line: str) -> str:
    return " " * min(len(line) - len(line.lstrip(" ")), _DEEPEST)


def lines_of(record: logging.LogRecord) -> str:
    """Return a record as one line, and an indented one for each of its traceback."""
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    source = record.name.removeprefix(_PACKAGE)
    head = f"{moment} {record.process} {record.levelname} {source}"
    lines = [f"{head}: {line_of(record.getMessage())}"]
    if record.exc_info and (error := record.exc_info[1]):
        lines += (f"  {line}" for line in traceback_of(error))
    return "".join(f"{line}\n" for line in lines)
