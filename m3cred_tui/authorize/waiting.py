"""The wait for Stripe's redirect, by the loopback server or a paste."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from m3cred_tui.authorize.events import BrowserOpened, Noticed, Visited
from m3cred_tui.authorize.problems import (
    BrowserTurnedAway,
    ForeignRedirect,
    ListenerUnreachable,
)
from m3cred_tui.callback.pasted import pasted_redirect
from m3cred_tui.callback.reception import ReceptionStatus, parse_status, status_query
from m3cred_tui.callback.redirect import RedirectResult
from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.authorization import AuthorizationRequest
from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    import httpx


class Answer:
    """Takes the redirect from the callback server, if there is one, or from a paste.

    It is used in the event loop's thread alone.
    """

    def __init__(
        self, request: AuthorizationRequest, server: CallbackServer | None, stripe: str
    ) -> None:
        """Take the request, and the address at which Stripe's own pages are."""
        self.request = request
        self.server = server
        self.was_pasted = asyncio.Event()
        self.is_claimed = False
        self._stripe = stripe
        self._pasted: RedirectResult | None = None

    def result(self) -> RedirectResult | None:
        """Return the first valid redirect, if one has come."""
        return self._pasted or (self.server.result() if self.server else None)

    async def hear_no_more(self) -> None:
        """Stop listening; after it, no redirect but a pasted one changes the result."""
        if self.server is not None:
            await asyncio.to_thread(self.server.close)

    def paste(self, text: str, *, final: bool) -> None:
        """Take a pasted address; ``final`` where it came as a whole.

        Raises what :func:`~m3cred_tui.callback.pasted.pasted_redirect` does; waiting continues.
        """
        request = self.request
        result = pasted_redirect(
            text,
            request.state,
            redirect_uri=request.redirect_uri,
            stripe=self._stripe,
            final=final,
        )
        if self.result() is None:
            self._pasted = result
            if self.server is not None:
                self.server.take(result)
            self.was_pasted.set()


_GRACE = 3.0  # seconds beyond the wait, after which a listener counts as unreachable
_PAUSE = 1.0


async def news(
    status_url: str, patience: Callable[[], float]
) -> AsyncGenerator[Noticed | Visited | None]:
    """Yield after every poll what is new, or ``None`` where nothing is.

    ``patience`` says for how many seconds the next poll may be held. Each change is reported
    once: the listener does not answer, it rejected redirects, it turned a browser away, a
    browser used the short address.
    """
    reachable, before = True, ReceptionStatus(version=0)
    async with await asyncio.to_thread(_client) as client:
        while True:
            wait = patience()
            status = await _poll(client, status_url, before.version, wait)
            if status is None:
                address = urlsplit(status_url).netloc
                yield Noticed(ListenerUnreachable(address)) if reachable else None
                await asyncio.sleep(min(_PAUSE, wait))
            else:
                for new in _new(before, status) or [None]:
                    yield new
                before = status
            reachable = status is not None


def _new(before: ReceptionStatus, status: ReceptionStatus) -> list[Noticed | Visited | None]:
    reasons = [why for why in status.turned_away if why not in before.turned_away]
    new: list[Noticed | Visited | None] = [Noticed(BrowserTurnedAway(why)) for why in reasons]
    if status.mismatches > before.mismatches:
        new.append(Noticed(ForeignRedirect(status.mismatches)))
    if status.visits > before.visits:
        new.append(Visited())
    return new


async def _poll(
    client: "httpx.AsyncClient", url: str, version: int, wait: float
) -> ReceptionStatus | None:
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


_LOOK_EVERY = 2.0  # seconds


async def until_answered(
    answer: Answer,
    opening: Callable[[], Awaitable[None]],
    taken: Callable[[], Problem | None],
    patience: Callable[[], float],
) -> AsyncGenerator[BrowserOpened | Visited | Noticed]:
    """Yield what to report until a redirect has come or ``patience`` has run out.

    None waits for another: a browser may take long to start, and the redirect may come from
    another one, or by a paste. Raises the problem that ``taken``, which may block, returns.
    """
    browser = asyncio.create_task(_opened(opening))
    pasted = asyncio.create_task(answer.was_pasted.wait())
    other = asyncio.create_task(_taken(taken))
    running: set[asyncio.Future[Any]] = {browser, pasted, other}
    poll: asyncio.Future[Noticed | Visited | None] | None = None
    async with aclosing(_news(answer, patience)) as all_news:
        try:
            while answer.result() is None and patience() > 0:
                if poll not in running:
                    poll = asyncio.ensure_future(anext(all_news))
                    running.add(poll)
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                if other in done and answer.result() is None and patience() > 0:
                    raise other.result()
                if browser in done:
                    yield browser.result()
                if poll in done and (new := poll.result()):
                    yield new
        finally:
            for task in running:
                task.cancel()
            if running:  # a generator that still runs cannot be closed
                await asyncio.wait(running)


async def _news(
    answer: Answer, patience: Callable[[], float]
) -> AsyncGenerator[Noticed | Visited | None]:
    if answer.server is not None:
        async with aclosing(news(answer.server.status_url, patience)) as polled:
            async for new in polled:
                yield new
    while True:  # only a paste can come
        await asyncio.sleep(patience())
        yield None


async def _taken(taken: Callable[[], Problem | None]) -> Problem:
    # Another process sets no event of ours.
    while not (problem := await asyncio.to_thread(taken)):  # noqa: ASYNC110  see above
        await asyncio.sleep(_LOOK_EVERY)
    return problem


async def _opened(opening: Callable[[], Awaitable[None]]) -> BrowserOpened | Noticed:
    try:
        await opening()
    except Problem as problem:
        return Noticed(problem)
    return BrowserOpened()
