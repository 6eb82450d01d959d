"""What was found in one place."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from m3cred_tui.model.problem import Problem


class State(StrEnum):
    """What a finding asks for."""

    OK = "ok"
    NOTE = "note"
    """Good to know; it stands in nobody's way."""
    MEND = "mend"


class Finding(NamedTuple):
    """What was found, as a sentence that says what to do where there is something."""

    area: str
    state: State
    told: str


def ok(area: str, told: str) -> Finding:
    """Return a finding of what is as it should be."""
    return Finding(area, State.OK, told)


def note(area: str, told: str) -> Finding:
    """Return a finding that nothing has to be done about."""
    return Finding(area, State.NOTE, told)


def mend(area: str, told: str | Problem) -> Finding:
    """Return a finding of what has to be mended."""
    return Finding(area, State.MEND, str(told))
