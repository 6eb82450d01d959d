"""``m3cred completion``: what completes m3cred's words in a shell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator


_SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: ArgumentParser) -> None:
    """Add the shell."""
    from argparse import SUPPRESS

    parser.description = (
        "Print what completes commands, options, the names and IDs of credentials, and the "
        "names of settings. Its first lines say where to put it."
    )
    parser.add_argument("shell", choices=_SHELLS, help="the shell that it is for")
    # For the scripts: reads the words from standard input, each with a null character after it.
    parser.add_argument("--answer", action="store_true", help=SUPPRESS)


def run(chosen: Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    from m3cred_tui.cli.ending import DONE, failed
    from m3cred_tui.model.problem import Problem

    if not chosen.answer:
        from m3cred_tui.cli.completing.scripts import SCRIPTS

        sys.stdout.write(SCRIPTS[chosen.shell])
        return DONE
    try:
        sys.stdout.writelines(f"{line}\n" for line in _answer(chosen.shell))
    except Problem as problem:
        return failed(problem)
    return DONE


def _answer(shell: str) -> Iterator[str]:
    from m3cred_tui.cli.completing.candidates import answer

    given = (
        sys.stdin.buffer.read().decode(errors="surrogateescape").removesuffix("\0").split("\0")
    )
    if shell == "bash":
        yield from _bash_answer(*given)
        return
    kind, candidates = answer(given)
    yield kind
    yield from (f"{value}\t{told}" for value, told in candidates)


def _bash_answer(typed: str, replaced: str) -> Iterator[str]:
    from m3cred_tui.cli.completing.bash import insertions, taken_apart
    from m3cred_tui.cli.completing.candidates import answer

    line = taken_apart(typed)
    kind, candidates = answer(line.words[1:])
    yield kind
    yield from insertions((one.value for one in candidates), line, replaced)
