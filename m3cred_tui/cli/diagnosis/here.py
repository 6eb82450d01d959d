"""What is around: the terminal, its clipboard, and a browser."""

from __future__ import annotations

import asyncio
import locale
import os
import sys
from typing import TYPE_CHECKING

from m3cred_tui.browser.clipboard import send_to_clipboard
from m3cred_tui.browser.opening import BrowserDidNotOpen, browser_commands
from m3cred_tui.browser.surroundings import attached_environ
from m3cred_tui.cli.diagnosis.finding import Finding, mend, note, ok
from m3cred_tui.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEAST_COLUMNS, _LEAST_LINES = 60, 20


def terminal() -> Iterator[Finding]:
    """Look at the terminal that the app would draw on."""
    area, term = "terminal", os.environ.get("TERM", "")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        yield note(area, "There is none here; the commands need none, the app does.")
        return
    if term in {"", "dumb"}:
        shown = term or "not set"
        yield mend(
            area, f"TERM is {shown}, so the app cannot draw; m3cred create does without."
        )
        return
    columns, lines = os.get_terminal_size(sys.stderr.fileno())
    if columns < _LEAST_COLUMNS or lines < _LEAST_LINES:
        yield mend(
            area,
            f"The window has {columns} by {lines} characters; the app needs "
            f"{_LEAST_COLUMNS} by {_LEAST_LINES}.",
        )
    if locale.nl_langinfo(locale.CODESET).upper() != "UTF-8":
        yield note(area, "The locale is not of UTF-8, so the app draws with plain characters.")
    yield ok(area, f"TERM is {clean(term, most=40)}, {columns} by {lines} characters.")


def clipboard() -> Iterator[Finding]:
    """Say how text would go to the clipboard; no terminal tells whether it takes it."""
    area = "clipboard"
    if os.environ.get("TMUX"):
        yield ok(area, "By tmux, which has it in its own buffer in any case.")
        return
    clipping = asyncio.run(send_to_clipboard("", os.environ, what="Text"))
    if clipping.sequence:
        yield ok(area, "By your terminal (OSC 52), if it allows that.")
    else:
        yield note(area, f"{clipping.said} m3cred writes the URL to a file, too, with f.")


def browser() -> Iterator[Finding]:
    """Say which browser would open, without opening it."""
    area = "browser"
    try:
        environ = asyncio.run(attached_environ(os.environ))
        command = browser_commands("", environ, sys.platform)[0]
    except BrowserDidNotOpen as problem:
        yield note(
            area, f"None opens here, as {problem.reason}; open the URL on your computer."
        )
    else:
        yield ok(area, f"{clean(command[0], most=200)} opens.")
