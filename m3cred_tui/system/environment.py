"""The environment variables that libraries obey, before any library is imported."""

import os
from collections.abc import Mapping

_OF_TEXTUAL = "TEXTUAL"
_LOOKS = frozenset(
    f"{_OF_TEXTUAL}_{name}"
    for name in (
        "ANIMATIONS",
        "COLOR_SYSTEM",
        "DIM_FACTOR",
        "DISABLE_KITTY_KEY",
        "FILTERS",
        "FPS",
        "SMOOTH_SCROLL",
        "SPEEDUPS",
        "THEME",
    )
)
"""Textual's variables that only change how it draws; the others record keys, pastes or the
screen, hand them to a developer's tool, press keys, or put another driver in place of ours."""

_RECORDERS = frozenset({"SSLKEYLOGFILE", "PYTHONASYNCIODEBUG"})
"""The keys of every TLS connection go into a file; asyncio logs the arguments of callbacks."""

_HOME = "HOME"

_set_aside: dict[str, str] = {}


def clean_environment() -> None:
    """Take out of the environment what no library may obey.

    That is what would have it write down what it sees: the secret keys that are typed, and the
    tokens on their way from Stripe. It is also a ``HOME`` that is no directory's path, empty
    say, so that the account's own counts. Call it before any library is imported.
    """
    names = [*filter(_is_recorder, os.environ)]
    if not os.environ.get(_HOME, "/").startswith("/"):
        names.append(_HOME)
    for name in names:
        _set_aside[name] = os.environ.pop(name)


def set_aside() -> list[str]:
    """Return the names of the variables that were taken out."""
    return sorted(_set_aside)


def as_started() -> dict[str, str]:
    """Return the environment that this process was started with, for another program."""
    return {**os.environ, **_set_aside}


def _is_recorder(name: str) -> bool:
    if name in _RECORDERS:
        return True
    return name.startswith(_OF_TEXTUAL) and name not in _LOOKS


def without_ours(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for another program: m3cred's variables may hold secret keys."""
    return {name: value for name, value in environ.items() if not name.startswith("M3CRED_")}


def let_the_window_decide() -> None:
    """Forget ``COLUMNS`` and ``LINES``, which libraries believe rather than the window.

    They stay on a line that knows no size, a serial one say.
    """
    try:
        size = os.get_terminal_size(2)
    except OSError:
        return
    if all(size):
        for name in ("COLUMNS", "LINES"):
            os.environ.pop(name, None)
