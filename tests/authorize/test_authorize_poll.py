"""The polls against a real callback server."""

import socket
from contextlib import aclosing
from typing import Any

import pytest

from m3cred_tui.authorize.events import Noticed, Visited
from m3cred_tui.authorize.problems import (
    BrowserTurnedAway,
    ForeignRedirect,
    ListenerUnreachable,
)
from m3cred_tui.authorize.waiting import news
from m3cred_tui.callback.pages import TurnedAway
from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.secret import Secret


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


async def test_a_proxy_in_the_environment_is_not_asked_for_our_own_listener(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with CallbackServer(Secret("s"), ports=(port,)) as server:
            async with aclosing(news(server.status_url, _at_once)) as problems:
                assert await anext(problems) is None
