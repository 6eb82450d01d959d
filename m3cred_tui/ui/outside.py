"""What reaches the terminal beside the screen that Textual draws."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

    from m3cred_tui.authorize.ways import Ways


def write_to_terminal(app: App[Any], sequence: str) -> None:
    """Send a control sequence that draws nothing, such as one for the clipboard."""
    if sequence and (driver := app._driver) is not None:  # noqa: SLF001  Textual has no other way
        driver.write(sequence)
        driver.flush()


async def send_to_clipboard(app: App[Any], ways: Ways, text: str, *, what: str) -> str:
    """Send ``text`` to the terminal's clipboard, and say so; ``what`` begins the sentence."""
    sequence, said = await ways.clip(text, what=what)
    write_to_terminal(app, sequence)
    return said


def print_alone(app: App[Any], text: str) -> None:
    """Leave the full screen until Enter is pressed, with ``text`` as one unbroken line.

    There, every terminal selects it whole, however many lines it takes.
    """
    with app.suspend():
        sys.stdout.write(f"\n{text}\n\nPress Enter to go back to m3cred. ")
        sys.stdout.flush()
        sys.stdin.readline()
