"""What fits where a word is being typed, found by going through the parser of the words."""

# ruff: noqa: SLF001  argparse has no other way to look into a parser
from __future__ import annotations

import argparse
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Kind(StrEnum):
    """Who knows what fits."""

    WORDS = "words"
    """m3cred."""
    FILES = "files"
    """The shell: names of files."""
    COMMANDS = "commands"
    """The shell: names of commands."""


class Candidate(NamedTuple):
    """A word that fits, and what it is."""

    value: str
    told: str = ""


class Answer(NamedTuple):
    """What fits; there are no candidates where the shell knows."""

    kind: Kind
    candidates: Sequence[Candidate] = ()


_NOTHING = Answer(Kind.WORDS)
_FILE = "FILE"
_OF_CREDENTIALS = frozenset({"show", "check", "exec", "delete"})
_ID_LETTERS = frozenset("0123456789abcdef-")


def answer(words: Sequence[str]) -> Answer:
    """Return what fits in the place of the last word; the program's name is not among them."""
    from m3cred_tui.cli.parser import parser

    *before, current = words or [""]
    place = _Place(parser(before))
    for word in before:
        place.go_on(word)
    return place.answer(current)


class _Place:
    """Where on a command line we are."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._path: list[str] = []
        self._is_demo = False
        self._options_over = False
        self._option: argparse.Action | None = None
        self._enter(parser)

    def go_on(self, word: str) -> None:
        """Take a word that is complete."""
        if self._option is not None:
            self._option = None
        elif word == "--" and not self._options_over:
            self._options_over = True
        elif word.startswith("-") and word != "-" and not self._options_over:
            self._is_demo |= word == "--demo"
            action = self._parser._option_string_actions.get(word)
            self._option = action if action is not None and action.nargs != 0 else None
        else:
            self._take(word)

    def answer(self, current: str) -> Answer:
        """Return what fits here; ``current`` is as much of it as is typed."""
        if self._option is not None:
            return self._fitting(self._option, current)
        if current.startswith("-") and not self._options_over:
            return Answer(Kind.WORDS, [*self._options()])
        return self._fitting(self._positionals[0], current) if self._positionals else _NOTHING

    def _enter(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._positionals = [one for one in parser._actions if not one.option_strings]
        self._taken = 0

    def _take(self, word: str) -> None:
        if not self._positionals:
            return
        action = self._positionals[0]
        if isinstance(action, argparse._SubParsersAction):
            if word in action.choices:
                self._path.append(word)
                self._enter(action.choices[word])
            else:
                self._positionals = []
            return
        self._taken += 1
        if action.nargs == argparse.REMAINDER:
            self._options_over = True
        elif action.nargs not in ("*", "+"):
            self._positionals = self._positionals[1:]
            self._taken = 0

    def _options(self) -> Iterator[Candidate]:
        for action in self._parser._actions:
            if action.option_strings and action.help is not argparse.SUPPRESS:
                yield Candidate(action.option_strings[-1], action.help or "")

    def _fitting(self, action: argparse.Action, current: str) -> Answer:
        if isinstance(action, argparse._SubParsersAction):
            does = {one.dest: one.help or "" for one in action._choices_actions}
            return Answer(
                Kind.WORDS, [Candidate(one, does.get(one, "")) for one in action.choices]
            )
        if action.choices is not None:
            return Answer(Kind.WORDS, [Candidate(str(one)) for one in action.choices])
        if action.nargs == argparse.REMAINDER:
            return Answer(Kind.FILES if self._taken else Kind.COMMANDS)
        if action.metavar == _FILE:
            return Answer(Kind.FILES)
        if action.option_strings:
            return _NOTHING
        return Answer(Kind.WORDS, [*self._named(action, current)])

    def _named(self, action: argparse.Action, current: str) -> Iterator[Candidate]:
        match self._path, action.dest:
            case ["config", "set" | "unset"], "name":
                yield from settings()
            case ["resume"], "pending":
                yield from credentials(current, is_demo=self._is_demo, only_pending=True)
            case [command], "name" | "names" if command in _OF_CREDENTIALS:
                yield from credentials(current, is_demo=self._is_demo)


def settings() -> Iterator[Candidate]:
    """Yield the name of every setting."""
    from m3cred_tui.config.table import settable

    for name, (group, _) in settable().items():
        yield Candidate(name, f"of {group.label}")


def credentials(
    current: str, *, is_demo: bool, only_pending: bool = False
) -> Iterator[Candidate]:
    """Yield the credentials by their names, and by their IDs where one may be meant."""
    from collections import Counter

    from m3cred_tui.config.locations import locations
    from m3cred_tui.model.credential import Credential
    from m3cred_tui.store.directory.store import CredentialStore
    from m3cred_tui.store.identity import IdentityFile

    places = locations(demo=is_demo)
    store = CredentialStore(places.data, IdentityFile(places.identity))
    ids = store.pending_ids() if only_pending else store.ids()
    rows = [row for row in store.read_many(ids) if row is not None]
    names = Counter(row.name for row in rows if isinstance(row, Credential))
    is_id = bool(current) and _ID_LETTERS.issuperset(current)
    for row in rows:
        if isinstance(row, Credential) and names[row.name] == 1:
            yield Candidate(row.name, f"{row.destination.label}, {row.id}")
            if is_id:
                yield Candidate(row.id, row.name)
        else:  # only its ID tells it from the others
            told = row.name if isinstance(row, Credential) else f"damaged: {row.reason}"
            yield Candidate(row.id, told)
