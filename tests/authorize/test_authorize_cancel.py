"""Ending an authorization early, in every state in which that can happen."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from m3cred_tui.authorize.events import (
    Approved,
    BrowserOpened,
    Event,
    Failed,
    RedirectReceived,
    UrlReady,
)
from m3cred_tui.authorize.exchange import is_approval_at_risk, unfinished
from m3cred_tui.authorize.journal import Journal
from m3cred_tui.authorize.service import Authorizer
from m3cred_tui.model.authorization import AuthorizationRequest
from tests.authorize.conftest import CODE

RedirectOf = Callable[..., str]
IsFree = Callable[[], bool]


@pytest.mark.parametrize("until", [UrlReady, BrowserOpened, RedirectReceived])
async def test_closing_after_any_event_frees_the_port(
    at_stub: Authorizer,
    visitor: Any,
    redirect_of: RedirectOf,
    is_free: IsFree,
    until: type[Event],
) -> None:
    async with aclosing(at_stub.authorize()) as events:
        async for event in events:
            if isinstance(event, UrlReady):
                url = event.url
            if isinstance(event, BrowserOpened) and until is not BrowserOpened:
                await visitor.go(redirect_of(url))
            if isinstance(event, until):
                break
        assert not is_free()
    assert is_free()


async def test_the_port_is_freed_after_the_end(
    at_stub: Authorizer, visitor: Any, redirect_of: RedirectOf, is_free: IsFree, port: int
) -> None:
    async for event in at_stub.authorize():
        if isinstance(event, UrlReady):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await visitor.go(redirect_of(event.url))
    assert await reader.read() == b""  # until the listener says good-bye
    assert is_free()
    writer.close()


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    """Run ``work`` beside the block, which its failure ends: nobody waits for it in vain."""
    async with asyncio.TaskGroup() as group:
        yield group.create_task(work)


async def steps(authorizer: Authorizer) -> AsyncGenerator[Event]:
    """Yield the events of an authorization that is not to fail."""
    async with aclosing(authorizer.authorize()) as events:
        async for event in events:
            assert not isinstance(event, Failed), event
            yield event


async def test_cancelling_while_a_browser_starts_ends_the_start_and_frees_the_port(
    at_stub: Authorizer, is_free: IsFree
) -> None:
    starting, given_up = asyncio.Event(), asyncio.Event()

    async def endless(_url: str) -> None:
        starting.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    async def consume() -> None:
        async for _event in steps(replace(at_stub, open_browser=endless)):
            pass

    async with beside(consume()) as task:
        await starting.wait()
        assert not is_free()
        await _cancel(task)
        await given_up.wait()
        assert is_free()


async def test_cancelling_in_the_wait_frees_the_port_and_leaves_no_task(
    at_stub: Authorizer, is_free: IsFree
) -> None:
    waiting = asyncio.Event()

    async def consume() -> None:
        async for event in steps(at_stub):
            if isinstance(event, BrowserOpened):
                waiting.set()

    before = asyncio.all_tasks()
    async with beside(consume()) as task:
        await waiting.wait()
        await _cancel(task)
        assert is_free()
        assert asyncio.all_tasks() == before


@pytest.mark.parametrize("ending", ["cancel", "close"])
async def test_an_approval_in_progress_survives_closing_the_screen(
    at_stub: Authorizer,
    stub: Any,
    visitor: Any,
    redirect_of: RedirectOf,
    is_free: IsFree,
    ending: str,
) -> None:
    late: asyncio.Queue[Approved | Failed] = asyncio.Queue()
    received = asyncio.Event()
    stub.may_answer.clear()
    authorizer = replace(at_stub, late=late.put_nowait)

    async def consume() -> None:
        async with aclosing(steps(authorizer)) as events:
            async for event in events:
                if isinstance(event, UrlReady):
                    await visitor.go(redirect_of(event.url))
                if isinstance(event, RedirectReceived):
                    received.set()
                    if ending == "close":
                        break

    async with beside(consume()) as task:
        await received.wait()
        if ending == "cancel":
            await stub.arrived.wait()
            await _cancel(task)
    assert is_free()
    assert late.empty()
    stub.may_answer.set()
    end = await late.get()
    assert isinstance(end, Approved)
    assert end.account.name == "Acme"
    assert stub.exchanges == 1


async def test_a_failure_after_closing_the_screen_is_reported_too(
    at_stub: Authorizer, stub: Any, visitor: Any, redirect_of: RedirectOf
) -> None:
    late: asyncio.Queue[Approved | Failed] = asyncio.Queue()
    stub.exchange = b""
    async with aclosing(replace(at_stub, late=late.put_nowait).authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        await visitor.go(redirect_of(ready.url))
        async for event in events:
            if isinstance(event, RedirectReceived):
                break
    assert isinstance(await late.get(), Failed)
    assert stub.exchanges == 1


class SlowDisk(Journal):
    """Takes its time to write down that the request is answered."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def answered(self, request: AuthorizationRequest) -> None:
        del request
        self.asked.set()
        self.may_answer.wait()


async def test_leaving_while_the_disk_is_slow_loses_no_approval(
    at_stub: Authorizer, stub: Any, visitor: Any, redirect_of: RedirectOf
) -> None:
    late: asyncio.Queue[Approved | Failed] = asyncio.Queue()
    disk = SlowDisk()
    authorizer = replace(at_stub, late=late.put_nowait, journal=disk)

    async def consume() -> None:
        async for event in steps(authorizer):
            if isinstance(event, UrlReady):
                await visitor.go(redirect_of(event.url))

    before = {*unfinished()}  # those of other tests
    async with beside(consume()) as task:
        await asyncio.to_thread(disk.asked.wait)
        await _cancel(task)
    assert stub.exchanges == 0
    (exchange,) = {*unfinished()} - before
    assert is_approval_at_risk()
    disk.may_answer.set()
    assert isinstance(await late.get(), Approved)
    assert stub.exchanges == 1
    exchange.join()
    assert exchange not in unfinished()


async def test_leaving_as_the_browser_returns_loses_no_approval(
    at_stub: Authorizer, stub: Any, visitor: Any, redirect_of: RedirectOf, is_free: IsFree
) -> None:
    late: asyncio.Queue[Approved | Failed] = asyncio.Queue()
    async with aclosing(replace(at_stub, late=late.put_nowait).authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        page = await visitor.go(redirect_of(ready.url))
        assert "approved" in page.text
    assert is_free()
    assert isinstance(await late.get(), Approved)
    assert stub.exchanges == 1
    assert f"code={CODE}" in stub.forms[0]
