"""What a browser and our own process can ask of the callback server, and its answers.

It keeps the first valid redirect, counts rejected redirects and visits, and notes why browsers
were turned away.
"""

import asyncio
import hmac
import json
import logging
import re
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any, NamedTuple, Self

from m3cred_tui.callback import pages
from m3cred_tui.callback.connections import MOST_HEADERS, Request
from m3cred_tui.callback.pages import Response
from m3cred_tui.callback.redirect import AuthorizationCode, RedirectResult, validate_redirect
from m3cred_tui.model.authorization import CALLBACK_PATH, TurnedAway
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret

_SHORT_PATH = "/go/"
_SHORT_BYTES = 9  # 72 bits; the address fits on a line of 40 characters
_BYTES = 16


class Paths(NamedTuple):
    """The paths of one authorization request; they cannot be guessed without its state."""

    status: str
    """For our own process only: others could fill all connections with held polls."""
    end: str
    """For the browser that delivered the redirect; then the server closes."""

    @classmethod
    def of(cls, state: Secret) -> Self:
        """Return the paths of the authorization request with this state."""
        return cls(_path("/status/", state), _path("/done/", state))


def _is_same(path: str, ours: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(path.encode("utf-8", "surrogatepass"), ours.encode())


def _path(beginning: str, state: Secret) -> str:
    digest = hmac.digest(state.reveal().encode(), beginning.encode(), "sha256")
    return beginning + digest[:_BYTES].hex()


LONGEST_WAIT = 25.0
"""Seconds for which a poll is held; proxies and clients tend to give up at 30."""


class Phase(StrEnum):
    """The progress of the wait for the redirect."""

    WAITING = "waiting"
    RECEIVED = "received"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ReceptionStatus:
    """A snapshot of the wait; contains no secret."""

    version: int = 1
    """Increases with every change, from 1."""
    phase: Phase = Phase.WAITING
    mismatches: int = 0
    """Rejected redirects: malformed, without state or with the wrong one."""
    visits: int = 0
    """How often a browser opened the short address, and so reached the callback server."""
    turned_away: tuple[TurnedAway, ...] = ()
    """Why browsers were turned away: each reason once, as any web page can cause one."""

    def to_json(self) -> str:
        """Return the body of a response."""
        return json.dumps(asdict(self))


def parse_status(body: str | bytes) -> ReceptionStatus:
    """Return the status in the body of a response.

    Raises :class:`ValueError` if it is not a status: then another program listens there.
    """
    with suppress(RecursionError):
        match json.loads(body):
            case {
                "version": int(version),
                "phase": str(phase),
                "mismatches": int(mismatches),
                "visits": int(visits),
                "turned_away": [*reasons],
            }:
                turned_away = tuple(map(TurnedAway, reasons))
                return ReceptionStatus(version, Phase(phase), mismatches, visits, turned_away)
    raise ValueError("not a status of the callback server")


_STATUS_QUERY = re.compile(
    r"(?:after=(?P<after>[0-9]{1,9})(?:&wait=(?P<wait>[0-9]{1,6}(?:\.[0-9]{1,6})?))?)?"
)


def status_query(*, after: int, wait: float) -> str:
    """Return the query for a status newer than ``after``, held for ``wait`` seconds."""
    return f"after={after}&wait={wait:.3f}"


_log = logging.getLogger(__name__)
_MAX_LOGGED = 10  # because any web page can send them
REJECTION_SECONDS = 1.0
"""Between two reports of rejected redirects, as each is drawn, perhaps over a slow line."""


class Reception:
    """Receives redirects, keeps the first valid one and wakes the polls waiting for news.

    Only the event loop's thread changes it; ``result`` and ``status`` may be read from any
    thread, because each is one reference.
    """

    def __init__(self, state: Secret) -> None:
        self._state = state
        self._news = asyncio.Event()
        self._urgent_news = asyncio.Event()
        self._urgent_version = 1
        self._reported_at = -REJECTION_SECONDS
        self.result: RedirectResult | None = None
        self.status = ReceptionStatus()
        self.has_redirected = False
        """Whether a browser was sent to its end page."""
        self.end_page_requested = asyncio.Event()
        self.short_path: str | None = None
        self.short_target = ""

    def deliver(self, query: str) -> bool:
        """Receive a redirect; return whether it is valid. Only the first valid one counts."""
        try:
            result = validate_redirect(query, self._state)
        except Problem as problem:
            if self.status.mismatches < _MAX_LOGGED:
                _log.warning("a redirect was rejected: %s", problem)
            self._update(mismatches=self.status.mismatches + 1, urgent=False)
            return False
        self.has_redirected = True
        self.take(result)
        return True

    def take(self, result: RedirectResult) -> None:
        """Take a valid redirect, from any source. Only the first one counts."""
        if self.result is None:
            self.result = result
            _log.info("the redirect arrived: %s", type(result).__name__)
            approved = isinstance(result, AuthorizationCode)
            self._update(phase=Phase.RECEIVED if approved else Phase.REFUSED)

    def shorten(self, url: str) -> str:
        """Return a path that a person can type and that leads to ``url``.

        It comes from the state, so it is the same when the request is resumed.
        """
        self.short_target = url
        digest = hmac.digest(self._state.reveal().encode(), _SHORT_PATH.encode(), "sha256")
        self.short_path = _SHORT_PATH + urlsafe_b64encode(digest[:_SHORT_BYTES]).decode()
        return self.short_path

    def visit(self, request: Request) -> Response:
        """Lead to the target of our short address, and count a browser's visit.

        After the redirect, and at any other short address, a page says what happened.
        """
        short = self.short_path
        if short is None or not _is_same(request.path, short):
            return pages.ANOTHER_REQUEST
        if self.result is not None:
            return _END_PAGES[self.status.phase]
        if _is_browser(request):
            self._update(visits=self.status.visits + 1)
        return _see_other(self.short_target)

    def turn_away(self, why: TurnedAway) -> Response:
        """Return the page for a browser that is turned away, and report why."""
        if why not in self.status.turned_away:
            _log.warning("a browser was turned away: %s", why)
            self._update(turned_away=(*self.status.turned_away, why))
        return pages.TURNED_AWAY[why]

    async def newer_than(self, version: int, within: float) -> ReceptionStatus:
        """Return the status once it is newer than ``version``, or after ``within`` seconds.

        Rejected redirects are reported at most once a second.
        """
        try:
            async with asyncio.timeout(within):
                if self.status.version <= version:
                    await self._news.wait()
                if self._urgent_version <= version:
                    await self._until_next_report()
        except TimeoutError:
            pass
        return self.status

    async def _until_next_report(self) -> None:
        """Wait until rejections may be reported again, or for urgent news."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._reported_at + REJECTION_SECONDS):
                await self._urgent_news.wait()
        self._reported_at = asyncio.get_running_loop().time()

    def end_waits(self) -> None:
        """Answer all held polls now, because the server is closing."""
        self._news.set()
        self._urgent_news.set()

    def _update(self, *, urgent: bool = True, **news: Any) -> None:
        self.status = replace(self.status, version=self.status.version + 1, **news)
        self._news.set()
        self._news = asyncio.Event()
        if urgent:
            self._urgent_version = self.status.version
            self._urgent_news.set()
            self._urgent_news = asyncio.Event()


_PREFETCH_HEADERS = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")
_PREFETCHES = (b"prefetch", b"preview")
_NAVIGATION = {b"sec-fetch-mode": b"navigate", b"sec-fetch-dest": b"document"}
"""What a browser says of a page that a person opens (Fetch Metadata), if it says anything."""
_END_PAGES = {Phase.RECEIVED: pages.APPROVED, Phase.REFUSED: pages.REFUSED}


async def respond(request: Request, reception: Reception, port: int, paths: Paths) -> Response:
    """Return the response to ``request``; only a navigation to the exact path delivers."""
    if refusal := _refusal(request, reception, port, paths):
        return refusal
    if request.path == CALLBACK_PATH:
        if not reception.deliver(request.query):
            return pages.NOT_EXPECTED
        # Redirect immediately, so that the code leaves the address bar.
        return _see_other(paths.end)
    if request.path.startswith(_SHORT_PATH):
        return reception.visit(request)
    if _is_same(request.path, paths.end):
        return _end_page(reception)
    return await _status(request.query, reception)


def refuse(status: HTTPStatus, reception: Reception) -> Response:
    """Return the response to what could not be read as a request."""
    if status is HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
        return reception.turn_away(TurnedAway.TOO_LARGE)
    return pages.plain(status)


def _refusal(
    request: Request, reception: Reception, port: int, paths: Paths
) -> Response | None:
    is_public = request.path == CALLBACK_PATH or request.path.startswith(_SHORT_PATH)
    if len(request.headers) > MOST_HEADERS:
        return refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, reception)
    if not _is_for_us(request, port):
        forbidden = pages.plain(HTTPStatus.FORBIDDEN)
        return reception.turn_away(TurnedAway.OTHER_HOST) if is_public else forbidden
    if not (is_public or any(_is_same(request.path, ours) for ours in paths)):
        return pages.plain(HTTPStatus.NOT_FOUND)
    if request.method != "GET":
        return pages.plain(HTTPStatus.METHOD_NOT_ALLOWED, ("Allow", "GET"))
    if _is_prefetch(request):
        # An error makes the browser ask again when the user really navigates there.
        return pages.plain(HTTPStatus.SERVICE_UNAVAILABLE)
    return None if _is_navigation(request) else reception.turn_away(TurnedAway.NOT_OPENED)


def _is_for_us(request: Request, port: int) -> bool:
    """Return whether the host is ours, not a name rebound to loopback (DNS rebinding)."""
    ours = {f"{host}:{port}".encode() for host in ("127.0.0.1", "localhost", "[::1]")}
    hosts = request.values(b"host")
    return len(hosts) == 1 and hosts[0] in ours


def _is_prefetch(request: Request) -> bool:
    values = (value for name in _PREFETCH_HEADERS for value in request.values(name))
    return any(sign in value.lower() for value in values for sign in _PREFETCHES)


def _is_navigation(request: Request) -> bool:
    """Return whether a person opens the page, as far as the browser says.

    Sec-Fetch-Site tells nothing: Stripe's redirect comes from another site, as any link does.
    """
    if any(b"websocket" in value.lower() for value in request.values(b"upgrade")):
        return False
    return all(
        value == ours for name, ours in _NAVIGATION.items() for value in request.values(name)
    )


def _is_browser(request: Request) -> bool:
    """Return whether a person's browser sent this, as far as it says.

    Browsers say what they fetch (Fetch Metadata), and older ones call themselves Mozilla; curl
    on this computer does neither, nor do text browsers. On which computer a browser runs, no
    request tells.
    """
    agents = request.values(b"user-agent")
    return bool(request.values(b"sec-fetch-mode")) or any(
        agent.startswith(b"Mozilla/") for agent in agents
    )


def _see_other(url: str) -> Response:
    return pages.plain(HTTPStatus.SEE_OTHER, ("Location", url))


def _end_page(reception: Reception) -> Response:
    if reception.result is None:
        return pages.plain(HTTPStatus.NOT_FOUND)
    reception.end_page_requested.set()
    return _END_PAGES[reception.status.phase]


async def _status(query: str, reception: Reception) -> Response:
    asked = _STATUS_QUERY.fullmatch(query)
    if asked is None:
        return pages.plain(HTTPStatus.BAD_REQUEST)
    after, wait = int(asked["after"] or 0), float(asked["wait"] or 0)
    status = await reception.newer_than(after, min(wait, LONGEST_WAIT))
    return pages.json(status.to_json())
