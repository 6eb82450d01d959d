"""The URL alone, outside the full screen: what Stripe answers meanwhile, and what is pasted."""

import asyncio
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.e2e.conftest import Home
from tests.e2e.terminal import CTRL_C, ENTER, ESC, PATIENCE, Terminal, terminal
from tests.e2e.terminals import OVER_SSH, ROOT
from tests.e2e.wizard import ACCOUNT, WAITING, to_authenticate, url_on
from tests.ui.visit import approve_only

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def waiting(home: Home) -> AsyncIterator[Terminal]:
    environ = {**home.environ, **OVER_SSH, "PYTHONPATH": str(ROOT)}
    async with terminal([sys.executable, "-m", "m3cred_tui", "--demo"], environ) as app:
        await app.shows("There are no credentials yet")
        await to_authenticate(app)
        await app.settles()
        app.press(ENTER)
        await app.shows("tunnel not open yet")
        await app.settles()
        yield app


async def plain(app: Terminal) -> str:
    """Show the URL alone; return the address that Stripe redirects to."""
    redirect = await asyncio.to_thread(approve_only, url_on(app.text))
    app.press("u")
    await app.shows("Press Enter to go back")
    await app.settles()
    assert not app.echoes(), "from here on, neither is a key shown nor ctrl+c the end"
    return redirect


def until_logged(home: Home, words: str) -> None:
    """Wait for what the app does while it writes nothing to the terminal."""
    (log,) = home.path.rglob("m3cred.log")
    end = time.monotonic() + PATIENCE
    while words not in log.read_text():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.02)


def pending(home: Home) -> list[Path]:
    return [*home.path.rglob("pending/*.json")]


@pytest.mark.long
async def test_what_stripe_approves_while_the_url_stands_alone_is_kept_at_once(
    waiting: Terminal, home: Home
) -> None:
    redirect = await plain(waiting)
    before = len(waiting.raw)
    await asyncio.to_thread(httpx.get, redirect, trust_env=False)
    await asyncio.to_thread(until_logged, home, "kept the approval")
    assert waiting.raw[before:] == b""  # the selection under the mouse stays
    waiting.press(ENTER)
    await waiting.shows(ACCOUNT)


@pytest.mark.long
async def test_what_is_pasted_under_the_url_is_used_and_never_shown(waiting: Terminal) -> None:
    redirect = await plain(waiting)
    before = len(waiting.raw)
    waiting.press("\r".join(re.findall(".{1,40}", redirect)), ENTER)  # wrapped
    await waiting.shows(ACCOUNT)
    assert b"ac_demo" not in waiting.raw[before:]


@pytest.mark.long
@pytest.mark.parametrize("key", [ENTER, ESC, CTRL_C], ids=["enter", "esc", "ctrl+c"])
async def test_each_key_that_ends_things_goes_back_to_the_wait(
    waiting: Terminal, key: str
) -> None:
    modes = waiting.line_discipline()
    await plain(waiting)
    waiting.press(key)
    await waiting.shows(WAITING)
    assert waiting.line_discipline() == modes


@pytest.mark.long
async def test_a_signal_ends_it_there_and_the_terminal_echoes_again(waiting: Terminal) -> None:
    await plain(waiting)
    waiting.signal(signal.SIGTERM)
    assert await waiting.ends() == 128 + signal.SIGTERM
    assert waiting.line_discipline()[3] == waiting.modes[3]


@pytest.mark.long
async def test_a_connection_that_drops_there_ends_it(waiting: Terminal, home: Home) -> None:
    await plain(waiting)
    waiting.hang_up()
    await waiting.ends()
    assert len(pending(home)) == 1
