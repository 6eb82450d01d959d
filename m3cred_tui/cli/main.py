"""The command ``m3cred``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        if not words:  # the usual start; argparse would be felt before the first paint
            return _open_app(demo=False)
        from m3cred_tui.cli.output.streams import guarded

        return guarded(lambda: _run(words))
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run(words: Sequence[str]) -> int:
    if words[0] == "list" and not any(word.startswith("-") for word in words):
        # What is run most, in prompts and scripts, mostly has nothing to be parsed; and it
        # ends before there is any garbage, but would look for it at many an import.
        import gc

        from m3cred_tui.cli.commands.list import listed

        gc.disable()
        return listed(words[1:])
    from m3cred_tui.cli.parser import parser

    chosen = parser(words).parse_args(words)
    if chosen.command is not None:
        return int(chosen.run(chosen))
    return _open_app(
        demo=chosen.demo,
        passphrase_fd=chosen.passphrase_fd,
        mouse=not chosen.no_mouse,
    )


def _open_app(*, demo: bool, passphrase_fd: int | None = None, mouse: bool = True) -> int:
    from m3cred_tui.cli.commands.app import open_app

    return open_app(demo=demo, passphrase_fd=passphrase_fd, mouse=mouse)
