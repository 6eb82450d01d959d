"""What every command has in common: how it ends, and how it tells what is wrong."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping

DONE, FAILED, WRONG_USAGE = 0, 1, 2


def add_json(parser: ArgumentParser) -> None:
    """Add the option that every command for scripts has."""
    parser.add_argument("--json", action="store_true", help="for machines; see docs/json.md")


def telling(run: Callable[[Namespace], int]) -> Callable[[Namespace], int]:
    """Have a command tell a ``Problem``: a sentence on stderr, with --json an object, too."""

    def told(chosen: Namespace) -> int:
        try:
            return run(chosen)
        except Problem as problem:
            return failed(problem, as_json=chosen.json)

    return told


def failed(problem: Problem, *, as_json: bool = False) -> int:
    """Tell what is wrong, and return the exit status."""
    if as_json:
        from m3cred_tui.cli.results import error_fields

        put_json({"error": error_fields(problem)})
    sys.stderr.write(f"m3cred: {problem}\n")
    return FAILED


def misused(sentence: str) -> int:
    """Tell of wrong usage that argparse does not notice, and return the exit status."""
    sys.stderr.write(f"m3cred: {sentence}\n")
    return WRONG_USAGE


def put_json(fields: Mapping[str, object]) -> None:
    """Write the one object of a command's output; docs/json.md has the schema of each."""
    sys.stdout.write(json_text({"version": 1, **fields}) + "\n")


def json_text(fields: Mapping[str, object], indent: int | None = 2) -> str:
    """Return an object as standard output takes it, on one line without an indent."""
    import json

    # Where the locale has few characters, the others are written as escapes.
    has_all = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return json.dumps(fields, indent=indent, ensure_ascii=not has_all)
