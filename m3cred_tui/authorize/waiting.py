"""The wait for the redirect, with the browser and the polls beside each other."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from m3cred_tui.authorize.answer import Answer
from m3cred_tui.authorize.events import BrowserOpened, Noticed, Visited
from m3cred_tui.authorize.poll import news
from m3cred_tui.model.problem import Problem

_LOOK_EVERY = 2.0  # seconds


async def until_answered(
    answer: Answer,
    opening: Callable[[], Awaitable[None]],
    taken: Callable[[], Problem | None],
    patience: Callable[[], float],
) -> AsyncGenerator[BrowserOpened | Visited | Noticed]:
    """Yield what is to be told until an answer has come or ``patience`` has run out.

    None waits for another: a browser may take long to start, and the answer may come from
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
