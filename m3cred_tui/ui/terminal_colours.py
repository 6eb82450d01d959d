"""Draws the app with as many colours as the terminal has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import COLOR_SYSTEMS
from textual.filter import NoColor

if TYPE_CHECKING:
    from textual.app import App

    from m3cred_tui.ui.terminal_abilities import Colours

OWN_THEME = "ansi-dark"
"""Textual's theme of the colours that the terminal's owner chose."""
_READABLE = "ansi_default"
_CURSOR = "bold reverse"

# Over the theme's: its blue and magenta cannot be read on black, nor all others on white.
OWN_VARIABLES = {
    "primary": _READABLE,
    "border": _READABLE,
    "border-blurred": _READABLE,
    "error": "ansi_bright_red",
    "text-primary": _READABLE,
    "text-warning": _READABLE,
    "text-error": "ansi_bright_red",
    "text-success": _READABLE,
    "block-cursor-foreground": _READABLE,
    "block-cursor-background": _READABLE,
    "block-cursor-text-style": _CURSOR,
    "block-cursor-blurred-text-style": "bold",
    "footer-key-foreground": _READABLE,
    "scrollbar": _READABLE,
    "scrollbar-hover": _READABLE,
    "scrollbar-active": _READABLE,
    "scrollbar-background": _READABLE,
    "scrollbar-background-hover": _READABLE,
    "scrollbar-background-active": _READABLE,
    "link-color": _READABLE,
}


def are_few(colours: Colours) -> bool:
    """Tell whether the theme's own colours would only be guessed at."""
    return colours in {"standard", "none"}


def draw_in(app: App[Any], colours: Colours) -> None:
    """Send these: Textual itself looks at the terminal's name and ``COLORTERM`` only."""
    if colours == "none":
        app.no_color = True
        app._filters = [NoColor()]  # noqa: SLF001  it reads nothing but NO_COLOR
    system = "standard" if colours == "none" else colours
    app.console._color_system = COLOR_SYSTEMS[system]  # noqa: SLF001  made by its __init__
