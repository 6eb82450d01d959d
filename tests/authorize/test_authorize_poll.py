"""The polls against a real callback server, and what ends the wait."""

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from m3cred_tui.authorize.events import BrowserOpened, Noticed, Visited
from m3cred_tui.authorize.problems import (
    BrowserTurnedAway,
    ForeignRedirect,
    ListenerUnreachable,
)
from m3cred_tui.authorize.waiting import Answer, news, until_answered
from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.authorization import AuthorizationRequest, TurnedAway
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.problems import AnsweredElsewhere
from tests.authorize.conftest import CODE


def _at_once() -> float:
    return 0.0


def is_unreachable(told: Noticed | Visited | None) -> bool:
    return isinstance(told, Noticed) and isinstance(told.problem, ListenerUnreachable)


async def test_forged_redirects_are_reported_once_per_change(visitor: Any, port: int) -> None:
    with CallbackServer(Secret("s"), ports=(port,)) as server:
        async with aclosing(news(server.status_url, _at_once)) as problems:
            assert await anext(problems) is None
            await visitor.go(f"{server.redirect_uri}?code=x&state=forged")
            await visitor.go(f"{server.redirect_uri}?code=x&state=forged")
            told = await anext(problems)
            assert isinstance(told, Noticed)
            assert isinstance(told.problem, ForeignRedirect)
            assert told.problem.count == 2
            assert await anext(problems) is None
            await visitor.go(f"{server.redirect_uri}?code=x")
            told = await anext(problems)
            assert isinstance(told, Noticed)
            assert isinstance(told.problem, ForeignRedirect)
            assert told.problem.count == 3


async def test_each_visit_by_the_short_address_is_reported(visitor: Any, port: int) -> None:
    with CallbackServer(Secret("s"), ports=(port,)) as server:
        short = server.short_address_for(server.redirect_uri)
        async with aclosing(news(server.status_url, _at_once)) as told:
            assert await anext(told) is None
            for _ in range(2):
                await visitor.client.get(short)
                assert await anext(told) == Visited()
            assert await anext(told) is None


async def test_everything_new_since_the_last_poll_is_reported(visitor: Any, port: int) -> None:
    with CallbackServer(Secret("s"), ports=(port,)) as server:
        short = server.short_address_for(server.redirect_uri)
        async with aclosing(news(server.status_url, _at_once)) as told:
            assert await anext(told) is None
            for _ in range(2):
                framed = {"Sec-Fetch-Dest": "iframe"}
                await visitor.client.get(server.redirect_uri, headers=framed)
            await visitor.client.get(server.redirect_uri)
            await visitor.client.get(short)
            away, foreign = await anext(told), await anext(told)
            assert isinstance(away, Noticed)
            assert isinstance(away.problem, BrowserTurnedAway)
            assert "in the background or in a frame" in str(away.problem)
            assert isinstance(foreign, Noticed)
            assert isinstance(foreign.problem, ForeignRedirect)
            assert await anext(told) == Visited()
            assert await anext(told) is None


@pytest.mark.parametrize("why", TurnedAway)
def test_a_browser_that_is_turned_away_is_told_of_with_what_to_do(why: TurnedAway) -> None:
    assert str(BrowserTurnedAway(why)).endswith("paste the address that it shows.")


async def test_a_listener_is_reported_each_time_it_stops_answering(port: int) -> None:
    first = CallbackServer(Secret("s"), ports=(port,))
    first.start()
    async with aclosing(news(first.status_url, _at_once)) as problems:
        assert await anext(problems) is None
        first.close()
        assert is_unreachable(await anext(problems))
        assert await anext(problems) is None
        with CallbackServer(Secret("s"), ports=(port,)):
            assert await anext(problems) is None
        assert is_unreachable(await anext(problems))


async def test_somebody_else_on_the_port_is_not_our_listener(stub: Any) -> None:
    async with aclosing(news(f"{stub.base}/status", _at_once)) as problems:
        assert is_unreachable(await anext(problems))


async def test_a_listener_that_never_answers_is_reported_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("m3cred_tui.authorize.waiting._GRACE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        async with aclosing(news(url, _at_once)) as problems, asyncio.timeout(4):
            assert is_unreachable(await anext(problems))


async def test_a_proxy_in_the_environment_is_not_asked_for_our_own_listener(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with CallbackServer(Secret("s"), ports=(port,)) as server:
            async with aclosing(news(server.status_url, _at_once)) as problems:
                assert await anext(problems) is None


@pytest.mark.parametrize("happens", ["nothing else", "it is answered here", "its time ends"])
async def test_an_answer_elsewhere_ends_the_wait_if_nothing_else_does_in_the_same_moment(
    no_browser: Any, happens: str
) -> None:
    redirect, expires_at = "http://127.0.0.1:1/callback", datetime(2025, 1, 1, tzinfo=UTC)
    answer = Answer(AuthorizationRequest(Secret("s"), redirect, expires_at), None, "https://s/")
    known, left = threading.Event(), 0.5

    def taken() -> Problem:
        known.wait()
        return AnsweredElsewhere("the other")

    async def end() -> list[object]:
        return [event async for event in events]

    asyncio.get_running_loop().set_default_executor(one_thread := ThreadPoolExecutor(1))
    waiting = until_answered(answer, partial(no_browser, ""), taken, lambda: left)
    async with aclosing(waiting) as events:
        assert await anext(events) == BrowserOpened()
        ending = asyncio.create_task(end())
        await asyncio.sleep(0)  # it waits now
        known.set()
        one_thread.submit(lambda: None).result()  # so the thread before it has returned
        if happens == "it is answered here":
            answer.paste(f"{redirect}?code={CODE}&state=s", final=True)
        if happens == "its time ends":
            left = 0.0
        if happens == "nothing else":
            with pytest.raises(AnsweredElsewhere):
                await ending
        else:
            assert await ending == []
