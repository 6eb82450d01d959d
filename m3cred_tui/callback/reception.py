"""What has come in so far: the first valid redirect, those turned away, and visits."""

import asyncio
import hmac
import json
import logging
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple, Self

from m3cred_tui.callback.redirect import AuthorizationCode, RedirectResult, validate_redirect
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret

SHORT_PATH = "/go/"
_SHORT_BYTES = 9  # 72 bits; the address fits on a line of 40 characters
_BYTES = 16


class Paths(NamedTuple):
    """Those of one authorization request; who does not know its state cannot find them."""

    status: str
    """For our own process: others could have as many polls held as there is room for."""
    end: str
    """For whoever brought the redirect: after it, the server closes."""

    @classmethod
    def of(cls, state: Secret) -> Self:
        """Return the paths of the authorization request with this state."""
        return cls(_path("/status/", state), _path("/done/", state))


def new_short_path() -> str:
    """Return a path that a person can type."""
    return SHORT_PATH + secrets.token_urlsafe(_SHORT_BYTES)


def is_same(path: str, ours: str) -> bool:
    """Compare in a time that tells nothing of ours."""
    return hmac.compare_digest(path.encode("utf-8", "surrogatepass"), ours.encode())


def _path(beginning: str, state: Secret) -> str:
    digest = hmac.digest(state.reveal().encode(), beginning.encode(), "sha256")
    return beginning + digest[:_BYTES].hex()


LONGEST_WAIT = 25.0
"""Seconds that one poll is held; below the 30 at which proxies and clients tend to give up."""


class Phase(StrEnum):
    """How far the wait for the redirect is."""

    WAITING = "waiting"
    RECEIVED = "received"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ReceptionStatus:
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


def parse_status(body: str | bytes) -> ReceptionStatus:
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
            return ReceptionStatus(version, Phase(phase), mismatches, visits)
    raise ValueError("not a status of the callback server")


def status_query(*, after: int, wait: float) -> str:
    """Return the query that asks for a status newer than ``after``, held ``wait`` seconds."""
    return f"after={after}&wait={wait:.3f}"


_log = logging.getLogger(__name__)
_MOST_LOGGED = 10  # of what any web page can send
TOLD_EACH_SECONDS = 1.0
"""Between two polls that are told of redirects turned away: each is drawn on a slow line."""


class Reception:
    """Takes redirects in, keeps the first valid one and wakes those who wait for news.

    Only the event loop's thread changes it; ``result`` and ``status`` may be read from any,
    as each is one reference.
    """

    def __init__(self, state: Secret) -> None:
        self._state = state
        self._news = asyncio.Event()
        self._urgent_news = asyncio.Event()
        self._urgent_version = 1
        self._told_at = -TOLD_EACH_SECONDS
        self.result: RedirectResult | None = None
        self.status = ReceptionStatus()
        self.end_page_asked = asyncio.Event()
        self.short_path: str | None = None
        self.leads_to = ""

    def deliver(self, query: str) -> bool:
        """Take in a redirect; tell whether it is valid. Only the first valid one counts."""
        try:
            result = validate_redirect(query, self._state)
        except Problem as problem:
            if self.status.mismatches < _MOST_LOGGED:
                _log.warning("a redirect was turned away: %s", problem)
            self._tell(mismatches=self.status.mismatches + 1, urgent=False)
            return False
        self.take(result)
        return True

    def take(self, result: RedirectResult) -> None:
        """Take a valid redirect, however it came. Only the first one counts."""
        if self.result is None:
            self.result = result
            _log.info("the redirect has come: %s", type(result).__name__)
            approved = isinstance(result, AuthorizationCode)
            self._tell(phase=Phase.RECEIVED if approved else Phase.REFUSED)

    def visit(self, path: str) -> str | None:
        """Return where the short address at ``path`` leads; each time is told.

        It leads nowhere once a redirect has come, or when it is not exactly ours.
        """
        short = self.short_path
        if short is None or self.result is not None or not is_same(path, short):
            return None
        self._tell(visits=self.status.visits + 1)
        return self.leads_to

    async def newer_than(self, version: int, within: float) -> ReceptionStatus:
        """Return the status once it is newer than ``version``, or after ``within`` seconds.

        Of redirects that were turned away, it is not told more often than once a second.
        """
        try:
            async with asyncio.timeout(within):
                if self.status.version <= version:
                    await self._news.wait()
                if self._urgent_version <= version:
                    await self._until_told_again()
        except TimeoutError:
            pass
        return self.status

    async def _until_told_again(self) -> None:
        """Wait until it is time for news that can wait, or others have come."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._told_at + TOLD_EACH_SECONDS):
                await self._urgent_news.wait()
        self._told_at = asyncio.get_running_loop().time()

    def end_waits(self) -> None:
        """Have everybody who waits for news answered now, as the server is closing."""
        self._news.set()
        self._urgent_news.set()

    def _tell(self, *, urgent: bool = True, **news: Any) -> None:
        self.status = replace(self.status, version=self.status.version + 1, **news)
        self._news.set()
        self._news = asyncio.Event()
        if urgent:
            self._urgent_version = self.status.version
            self._urgent_news.set()
            self._urgent_news = asyncio.Event()
