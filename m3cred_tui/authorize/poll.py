"""Polls our own listener over HTTP, which shows that it can be reached."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from m3cred_tui.authorize.events import Noticed, Visited
from m3cred_tui.authorize.problems import ForeignRedirect, ListenerUnreachable
from m3cred_tui.callback.reception import Status, parse_status, status_query

if TYPE_CHECKING:
    import httpx

_GRACE = 3.0  # seconds beyond the wait, after which a listener counts as unreachable
_PAUSE = 1.0


async def news(
    status_url: str, patience: Callable[[], float]
) -> AsyncGenerator[Noticed | Visited | None]:
    """Yield after every poll what is new, or ``None`` where nothing is.

    ``patience`` says for how many seconds the next poll may be held. That the listener does
    not answer, that it turned redirects away, or that a browser came by the short address, is
    told once for each change.
    """
    reachable, before = True, Status(version=0)
    async with await asyncio.to_thread(_client) as client:
        while True:
            wait = patience()
            status = await _poll(client, status_url, before.version, wait)
            if status is None:
                unreachable = ListenerUnreachable(urlsplit(status_url).netloc)
                yield Noticed(unreachable) if reachable else None
                await asyncio.sleep(min(_PAUSE, wait))
            else:
                yield _new(before, status)
                before = status
            reachable = status is not None


def _new(before: Status, status: Status) -> Noticed | Visited | None:
    if status.mismatches > before.mismatches:
        return Noticed(ForeignRedirect(status.mismatches))
    return Visited() if status.visits > before.visits else None


async def _poll(
    client: "httpx.AsyncClient", url: str, version: int, wait: float
) -> Status | None:
    import httpx  # noqa: PLC0415 - it has been imported by now, away from the event loop

    query = status_query(after=version, wait=wait)
    try:
        response = await client.get(f"{url}?{query}", timeout=wait + _GRACE)
        return parse_status(response.raise_for_status().content)
    except (httpx.HTTPError, ValueError):
        return None


def _client() -> "httpx.AsyncClient":
    import httpx  # noqa: PLC0415 - takes some 50 ms, so it happens in a thread

    # Straight to our own listener: no proxy, and no certificate authorities to be read.
    return httpx.AsyncClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False)
