"""Writes the tables of error codes in docs/json.md and docs/create.md from the program.

Run it in the checkout after a change of a problem: ``python -m docs.problems``.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import m3cred_tui
from m3cred_tui.model.problem import Problem

PAGES = (Path(__file__).with_name("json.md"), Path(__file__).with_name("create.md"))

_MODULES = ("authorize.problems", "cli.creation.", "store.problems", "stripe.problems")
"""Where the problems are that end ``create`` and ``resume``."""
BESIDES = {"LimitReached", "NoTerminal", "NotSetUp", "PortsOfAnotherUser"}
"""The codes of others that do, too."""
EXCEPT = {
    # Only reported; the wait continues.
    *(
        "BrowserTurnedAway",
        "CodeWaits",
        "ForeignRedirect",
        "ListenerUnreachable",
        "TooMuchInput",
    ),
    # Of other commands.
    *("IdentityInPlace", "KeyOfOtherMode", "NamedLater", "TokenMissing"),
}
"""The codes of those that do not."""

_TABLE = re.compile(
    r"(?<=<!-- written by docs/problems.py -->\n).*?(?=<!-- end -->)", re.DOTALL
)


def problems(of: type[Problem] = Problem) -> list[type[Problem]]:
    """Return the problems of the program that have a code, in the order of their codes."""
    for module in pkgutil.walk_packages(m3cred_tui.__path__, "m3cred_tui."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return sorted((one for one in _below(of) if one.code), key=lambda one: one.code)


def _below(of: type[Problem]) -> Iterator[type[Problem]]:
    for one in of.__subclasses__():
        if one.__module__.startswith("m3cred_tui."):
            yield one
            yield from _below(one)


def ends_create(problem: type[Problem]) -> bool:
    """Return whether it may end ``create`` or ``resume``, settings and teams aside."""
    module = problem.__module__.removeprefix("m3cred_tui.")
    return problem.code not in EXCEPT and (
        problem.code in BESIDES or module.startswith(_MODULES)
    )


def page(path: Path) -> str:
    """Return the whole page, its table as the program is now."""
    table = _table(one for one in problems() if path.name != "create.md" or ends_create(one))
    return _TABLE.sub(lambda _: table, path.read_text(encoding="utf-8"))


def _table(rows: Iterable[type[Problem]]) -> str:
    return "\n".join(["| code | |", "|---|---|", *map(_row, rows), ""])


def _row(problem: type[Problem]) -> str:
    meaning = problem.__doc__ or problem.text
    first, *_ = meaning.split("\n\n")
    shown = re.sub(r"\{_?(\w+)[^}]*\}", lambda name: f"*{name[1].replace('_', ' ')}*", first)
    return f"| `{problem.code}` | {' '.join(shown.replace('``', '`').split())} |"


if __name__ == "__main__":
    for one in PAGES:
        one.write_text(page(one), encoding="utf-8")
