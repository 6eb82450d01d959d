"""What the callback server tells of itself; both ends of a poll share it."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

LONGEST_WAIT = 25.0
"""Seconds that one poll is held; below the 30 at which proxies and clients tend to give up."""


class Phase(StrEnum):
    """How far the wait for the redirect is."""

    WAITING = "waiting"
    RECEIVED = "received"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Status:
    """The wait at one moment; nothing in it is secret."""

    version: int = 1
    """Goes up at every change, from 1."""
    phase: Phase = Phase.WAITING
    mismatches: int = 0
    """Redirects that were turned away: malformed, without state or with the wrong one."""
    visits: int = 0
    """How often a browser came by the short address, and so can reach the callback server."""

    def to_json(self) -> str:
        """Return the body of an answer."""
        return json.dumps(asdict(self))


def parse_status(body: str | bytes) -> Status:
    """Return the status in the body of an answer.

    Raises :class:`ValueError` when it is anything but a status: something else is listening
    there.
    """
    try:
        fields = json.loads(body)
    except RecursionError:
        raise ValueError("not a status of the callback server") from None
    match fields:
        case {
            "version": int(version),
            "phase": str(phase),
            "mismatches": int(mismatches),
            "visits": int(visits),
        }:
            return Status(version, Phase(phase), mismatches, visits)
    raise ValueError("not a status of the callback server")


def status_query(*, after: int, wait: float) -> str:
    """Return the query that asks for a status newer than ``after``, held ``wait`` seconds."""
    return f"after={after}&wait={wait:.3f}"
