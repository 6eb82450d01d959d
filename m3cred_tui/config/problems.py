"""What settings have in common: problems with names and places, and keys that are not shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from m3cred_tui.model.credential import Destination
    from m3cred_tui.model.secret import Secret


PREFIX = re.compile(r"(?:sk|rk)_(?:live|test)_")
_LIKE_A_KEY = re.compile(r"((?:sk|rk|whsec|rt|ac)_|AGE-SECRET-KEY-)\w+", re.IGNORECASE)


def prefixes_of(destination: Destination) -> tuple[str, str]:
    """Return what the secret keys of a destination begin with."""
    mode = "live" if destination.livemode else "test"
    return f"sk_{mode}_", f"rk_{mode}_"


def prefix_of(key: Secret) -> str:
    """Return the part of a key that is not secret, to tell keys apart: ``sk_test_…``."""
    found = PREFIX.match(key.reveal())
    return f"{found[0]}…" if found else "…"


def masked(text: str) -> str:
    """Return ``text`` without what looks like a key."""
    return _LIKE_A_KEY.sub(r"\1***", text)


class WrongType(Problem, code="WrongType"):
    """A value in the file has the wrong type: a number instead of text, say."""

    text = "This must be {wanted}."
    wanted: str


class UnknownName(Problem, code="UnknownName"):
    """There is no setting, table, variable or OAuth model of this name."""

    text = "There is no {what} {_quoted}{_meant}"
    what: str
    given: str
    known: Iterable[str]

    @property
    def _quoted(self) -> str:
        return shown(self.given)

    @property
    def nearest(self) -> str | None:
        """The name that was probably meant, if any."""
        from difflib import get_close_matches  # noqa: PLC0415 - only here, and it takes a while

        names = {name.lower(): name for name in self.known}
        near = get_close_matches(self.given.lower(), names, 1)
        return names[near[0]] if near else None

    @property
    def _meant(self) -> str:
        if nearest := self.nearest:
            return f"; did you mean {nearest}?"
        return f"; there are {', '.join(self.known)}."


class Misplaced(Problem):
    """What is wrong with the value in one place: a setting's name, or a variable's."""

    text = "{place}: {problem}"
    place: str
    problem: Problem


def shown(text: str) -> str:
    """Return what was entered, quoted for a sentence."""
    return f"“{masked(clean(text, most=60))}”"
