"""Write docs/commands.md from the parser of the command line.

Run it in the checkout after changing a command: ``python -m docs.commands``.
"""

# ruff: noqa: SLF001  argparse has no public way to inspect a parser
import argparse
from collections.abc import Iterator
from pathlib import Path

from m3cred_tui.cli.parser import SHARED, parser

PAGE = Path(__file__).with_suffix(".md")

_INTRODUCTION = """\
# Commands

`docs/commands.py` writes this page from the parser; `m3cred COMMAND --help` shows the same.
The output of `--json` is described in [json.md](json.md), the settings in
[configuration.md](configuration.md), and `create` and `resume` in [create.md](create.md).

Results go to standard output, everything else to standard error. Colours are for terminals
only, and not with `NO_COLOR`. A credential is named by its name, by its ID, by the end of its
ID (or its beginning; at least four characters), or by the ID of its account (`acct_…`); if
that matches several, all are listed and none is guessed. No secret is ever an argument. If the
identity is under a passphrase, a command that opens something sealed asks for it on the
terminal, or reads it from `--passphrase-fd`, which is taken before and after the command, as
is `--demo`.

| Status | |
|---|---|
| 0 | done |
| 1 | failed: one sentence on standard error, and an object with `--json` |
| 2 | wrong usage |
| 3, 4 | an approval could not be kept, or is lost: see [create.md](create.md) |
| 130 | interrupted (Ctrl+C) |
| 141 | the reader of standard output has gone, as in `m3cred list \\| head -1` |

`m3cred exec` has the status of its command; 127 if it was not found, 126 if it cannot be run.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([_INTRODUCTION, *_sections(parser(), "m3cred", "")])


def _sections(of: argparse.ArgumentParser, name: str, does: str) -> Iterator[str]:
    yield _section(of, name, does)
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action._choices_actions:
                yield from _sections(
                    action.choices[one.dest], f"{name} {one.dest}", one.help or ""
                )


def _section(of: argparse.ArgumentParser, name: str, does: str) -> str:
    said = of.description or (f"{does[:1].upper()}{does[1:]}." if does else "")
    parts = [f"## {name}", "", said, "", f"    {_usage(of)}", "", *_rows(of)]
    if of.epilog:
        parts += ["", of.epilog]
    return "\n".join([*parts, ""])


def _usage(of: argparse.ArgumentParser) -> str:
    usage = " ".join(of.format_usage().removeprefix("usage: ").split())
    left_out = ["-h"] if _is_whole(of) else ["-h", *map(_name, _shared(of))]
    for option in left_out:
        usage = usage.replace(f" [{option}]", "")
    return usage


def _is_whole(of: argparse.ArgumentParser) -> bool:
    return of.prog == "m3cred"


def _shared(of: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the options that are told once, of m3cred as a whole."""
    return [one for one in of._actions if SHARED.intersection(one.option_strings)]


def _rows(of: argparse.ArgumentParser) -> list[str]:
    rows = [*_told(of)]
    return ["| | |", "|---|---|", *rows] if rows else []


def _told(of: argparse.ArgumentParser) -> Iterator[str]:
    formatter = of._get_formatter()
    told_elsewhere = [] if _is_whole(of) else _shared(of)
    for action in of._actions:
        if action in told_elsewhere:
            continue
        if isinstance(action, argparse._SubParsersAction):
            for one in action._choices_actions:
                yield _row(one.dest, one.help or "")
        elif action.help != argparse.SUPPRESS and action.dest != "help":
            yield _row(_name(action), formatter._expand_help(action) if action.help else "")


def _name(action: argparse.Action) -> str:
    taken = action.metavar or ("|".join(map(str, action.choices)) if action.choices else "")
    value = str(taken if action.nargs != 0 else "")
    if not action.option_strings:
        return value or action.dest
    return ", ".join(f"{one} {value}".strip() for one in action.option_strings)


def _row(name: str, told: str) -> str:
    cells = (f"`{name}`", told)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
