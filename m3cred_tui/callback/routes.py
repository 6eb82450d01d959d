"""The paths of the callback server."""

import re
from http import HTTPStatus

from m3cred_tui.callback import pages
from m3cred_tui.callback.connections import MOST_HEADERS, Request
from m3cred_tui.callback.pages import Response
from m3cred_tui.callback.reception import (
    LONGEST_WAIT,
    SHORT_PATH,
    Paths,
    Phase,
    Reception,
    is_same,
)
from m3cred_tui.model.authorization import CALLBACK_PATH

_PREFETCH_HEADERS = (b"sec-purpose", b"purpose", b"x-moz")
_STATUS_QUERY = re.compile(
    r"(?:after=(?P<after>[0-9]{1,9})(?:&wait=(?P<wait>[0-9]{1,6}(?:\.[0-9]{1,6})?))?)?"
)

_END_PAGES = {Phase.RECEIVED: pages.APPROVED, Phase.REFUSED: pages.REFUSED}


async def respond(request: Request, reception: Reception, port: int, paths: Paths) -> Response:
    """Return the response to ``request``; only a GET of the exact path delivers a redirect."""
    if refusal := _refusal(request, port, paths):
        return refusal
    if request.path == CALLBACK_PATH:
        if not reception.deliver(request.query):
            return pages.NOT_EXPECTED
        # Redirect immediately, so that the code leaves the address bar.
        return _see_other(paths.end)
    if request.path.startswith(SHORT_PATH):
        url = reception.visit(request.path)
        return _see_other(url) if url else pages.plain(HTTPStatus.NOT_FOUND)
    if is_same(request.path, paths.end):
        return _end_page(reception)
    return await _status(request.query, reception)


def _refusal(request: Request, port: int, paths: Paths) -> Response | None:
    if len(request.headers) > MOST_HEADERS:
        return pages.plain(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    if not _is_for_us(request, port):
        return pages.plain(HTTPStatus.FORBIDDEN)
    is_public = request.path == CALLBACK_PATH or request.path.startswith(SHORT_PATH)
    if not (is_public or any(is_same(request.path, ours) for ours in paths)):
        return pages.plain(HTTPStatus.NOT_FOUND)
    if request.method != "GET":
        return pages.plain(HTTPStatus.METHOD_NOT_ALLOWED, ("Allow", "GET"))
    if _is_prefetch(request):
        # An error makes the browser ask again when the user really navigates there.
        return pages.plain(HTTPStatus.SERVICE_UNAVAILABLE)
    return None


def _is_for_us(request: Request, port: int) -> bool:
    """Return whether the host is ours, not a name rebound to loopback (DNS rebinding)."""
    ours = {f"{host}:{port}".encode() for host in ("127.0.0.1", "localhost", "[::1]")}
    hosts = request.values(b"host")
    return len(hosts) == 1 and hosts[0] in ours


def _is_prefetch(request: Request) -> bool:
    values = (value for name in _PREFETCH_HEADERS for value in request.values(name))
    return any(b"prefetch" in value.lower() for value in values)


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
