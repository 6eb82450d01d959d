"""The wait for the redirect, with the browser and the polls beside each other."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from m3cred_tui.authorize.events import BrowserOpened, Noticed
from m3cred_tui.authorize.poll import news
from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.problem import Problem


async def until_redirect(
    server: CallbackServer,
    opening: Callable[[], Awaitable[None]],
    patience: Callable[[], float],
) -> AsyncGenerator[BrowserOpened | Noticed]:
    """Yield what is to be told until a redirect has come or ``patience`` has run out.

    Neither waits for the other: a browser may take long to start, and a redirect may come
    from another one.
    """
    browser = asyncio.create_task(_opened(opening))
    running: set[asyncio.Future[Any]] = {browser}
    poll: asyncio.Future[Problem | None] | None = None
    async with aclosing(news(server.status_url, patience)) as problems:
        try:
            while server.result() is None and patience() > 0:
                if poll not in running:
                    poll = asyncio.ensure_future(anext(problems))
                    running.add(poll)
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                if browser in done:
                    yield browser.result()
                if poll in done and (problem := poll.result()):
                    yield Noticed(problem)
        finally:
            for task in running:
                task.cancel()
            if running:  # a generator that still runs cannot be closed
                await asyncio.wait(running)


async def _opened(opening: Callable[[], Awaitable[None]]) -> BrowserOpened | Noticed:
    try:
        await opening()
    except Problem as problem:
        return Noticed(problem)
    return BrowserOpened()
