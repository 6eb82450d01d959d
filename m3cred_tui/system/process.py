"""The environment that libraries obey, the umask, and what others may read of this process."""

import os
import resource
import sys
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
screen, send them to a developer's tool, press keys, or replace our driver."""

_RECORDERS = frozenset({"SSLKEYLOGFILE", "PYTHONASYNCIODEBUG"})
"""The keys of every TLS connection go into a file; asyncio logs the arguments of callbacks."""

_HOME = "HOME"

_set_aside: dict[str, str] = {}
_OF_OTHERS = 0o077
_umasks: list[int] = []


def clean_environment() -> None:
    """Remove from the environment what no library may obey.

    These variables would make a library record the secret keys that are typed, or the tokens
    that Stripe sends. A ``HOME`` that is not an absolute path, such as an empty one, is removed
    in favour of the account's own. Call this before any library is imported.
    """
    names = [*filter(_is_recorder, os.environ)]
    if not os.environ.get(_HOME, "/").startswith("/"):
        names.append(_HOME)
    for name in names:
        _set_aside[name] = os.environ.pop(name)


def allow_own_access() -> None:
    """Drop what the umask takes from this user: files that are made would be of no use."""
    _umasks.append(os.umask(_OF_OTHERS))
    os.umask(_umasks[0] & _OF_OTHERS)


def restore_umask() -> None:
    """Set the umask that this process was started with, for a program that replaces it."""
    for before in _umasks[:1]:
        os.umask(before)


def set_aside() -> list[str]:
    """Return the names of the variables that were removed."""
    return sorted(_set_aside)


def as_started() -> dict[str, str]:
    """Return the environment that this process was started with, for another program."""
    return {**os.environ, **_set_aside}


def _is_recorder(name: str) -> bool:
    if name in _RECORDERS:
        return True
    return name.startswith(_OF_TEXTUAL) and name not in _LOOKS


_OF_ENGINE = frozenset(
    {"BAO_TOKEN", "VAULT_TOKEN", "BAO_CLIENT_KEY_BYTES", "VAULT_CLIENT_KEY_BYTES"}
)


def without_ours(environ: Mapping[str, str], *, has_token: bool = False) -> dict[str, str]:
    """Return an environment for another program: m3cred's variables may hold secret keys.

    The token of OpenBao or Vault opens a team's credentials, and a key of a client may get one;
    ``has_token`` leaves them to a program that the user has them for, such as ``bao`` itself.
    """
    hidden = frozenset() if has_token else _OF_ENGINE
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("M3CRED_") and name not in hidden
    }


def let_the_window_decide() -> None:
    """Remove ``COLUMNS`` and ``LINES``, which libraries prefer to the size of the window.

    They are kept on a line without a size, such as a serial one.
    """
    try:
        size = os.get_terminal_size(2)
    except OSError:
        return
    if all(size):
        for name in ("COLUMNS", "LINES"):
            os.environ.pop(name, None)


_PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def close_to_others() -> None:
    """Disable core files, and protect the memory from this user's other processes.

    Child processes are not protected, but write no core files either.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    close_memory_to_others()


def close_memory_to_others() -> None:
    """Protect the memory from this user's other processes, until another program is executed.

    Only root can then read it or the environment, or attach a debugger, and the system writes
    no core file of it (``prctl(2)``, ``PR_SET_DUMPABLE``; Linux only).
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - takes 10 ms, and only Linux needs it

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(0))
