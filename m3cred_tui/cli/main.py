"""The command ``m3cred``: parses the arguments, and runs the command that they name."""

# ruff: noqa: PLC0415  The parser takes as long as Python's own start: `m3cred list`, `--version`
# and the app's first paint do without it, and without the modules of every other command.

import gc
import sys
from collections.abc import Sequence

from m3cred_tui import VERSION
from m3cred_tui.cli.output.streams import guarded, prepare
from m3cred_tui.system.process import allow_own_access, clean_environment, let_the_window_decide

_INTERRUPTED = 130
_OBJECTS = 20_000
"""As many new ones the garbage collector looks through at a time: imports make no garbage."""
_TURN = 0.0005
"""Seconds that the thread that writes to the terminal waits for its turn; Python's are 5 ms."""

# The command line of httpx itself, whose libraries take as long to import as all of its others.
# Without it, httpx goes on as if those were not installed.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # that is what forbids it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    words = sys.argv[1:] if arguments is None else [*arguments]
    gc.set_threshold(_OBJECTS)
    clean_environment()
    allow_own_access()
    prepare()
    try:
        if not words:
            return _open_app()
        return guarded(lambda: _run(words))
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        gc.freeze()  # Python's end would go through all objects, a tenth of a command's time


def _run(words: Sequence[str]) -> int:
    if words == ["--version"]:
        sys.stdout.write(f"m3cred {VERSION}\n")
        return 0
    from m3cred_tui.cli.ending import ended

    if words[0] == "list" and not any(word.startswith("-") for word in words):
        from m3cred_tui.cli.commands.list import Choice, listed

        return ended("list", lambda: listed(Choice(words[1:])))
    from m3cred_tui.cli.parser import parser

    chosen = parser(words).parse_args(words)
    if chosen.command is None:
        return _open_app(
            demo=chosen.demo, passphrase_fd=chosen.passphrase_fd, mouse=not chosen.no_mouse
        )
    from importlib import import_module

    command = import_module(f"m3cred_tui.cli.commands.{chosen.command.replace('-', '_')}")
    as_json = getattr(chosen, "json", False)
    return ended(chosen.command, lambda: int(command.run(chosen)), as_json=as_json)


def import_asyncio() -> None:
    """Import asyncio without its TLS, which would take a twentieth of the app's start.

    TLS is httpx's, through asyncio's plain connections, and httpx imports it when it is needed.
    """
    if "ssl" not in sys.modules:
        sys.modules["ssl"] = None  # type: ignore[assignment]  # that is what forbids it
        import asyncio  # noqa: F401

        del sys.modules["ssl"]


def _open_app(
    *, demo: bool = False, passphrase_fd: int | None = None, mouse: bool = True
) -> int:
    let_the_window_decide()
    gc.disable()  # until the first paint: there is no garbage before it, but much to go through
    sys.setswitchinterval(_TURN)
    import_asyncio()
    from m3cred_tui.cli.commands.app import open_app
    from m3cred_tui.cli.ending import ended

    return ended("app", lambda: open_app(demo=demo, passphrase_fd=passphrase_fd, mouse=mouse))
