"""The connection is lost: what was waited for is there at the next one."""

import asyncio
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.e2e.browsers import approve, approve_and_return
from tests.e2e.ssh.boot_server import USERS
from tests.e2e.ssh.machines import Machine, Server
from tests.e2e.ssh.sessions import (
    DEMO,
    LogIn,
    at_stripe,
    finish,
    paste,
    short_url_shown,
    to_stripe,
    tunnel,
    tunnel_shown,
    url_of,
)
from tests.e2e.terminal import ENTER, Terminal
from tests.e2e.wizard import ACCOUNT

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.asyncio(loop_scope="session"),
]

Loss = Callable[[Terminal, Server], None]


def ssh_client_dies(session: Terminal, server: Server) -> None:
    session.signal(signal.SIGKILL)


def sshd_session_dies(session: Terminal, server: Server) -> None:
    for process in processes(server, "sshd: alice@"):
        os.kill(process, signal.SIGKILL)


def server_loses_power(session: Terminal, server: Server) -> None:
    for process in processes(server, ""):
        os.kill(process, signal.SIGKILL)


LOSSES = [ssh_client_dies, sshd_session_dies, server_loses_power]


def processes(server: Server, title: str, user: str = "alice") -> list[int]:
    """Return the processes of a user on the server whose command line has this in it."""
    namespace = Path("/proc", str(server.machine.process), "ns/pid").readlink()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (
                place.stat().st_uid == USERS[user]
                and (place / "ns/pid").readlink() == namespace
            ):
                if title.encode() in (place / "cmdline").read_bytes():
                    found.append(int(place.name))
        except FileNotFoundError:
            pass
    return found


async def gone(processes: list[int]) -> None:
    """Wait until none of them runs any more."""
    loop = asyncio.get_running_loop()
    for process in processes:
        try:
            watch = os.pidfd_open(process)
        except ProcessLookupError:
            continue
        ended = asyncio.Event()
        loop.add_reader(watch, ended.set)
        try:
            async with asyncio.timeout(10):
                await ended.wait()
        finally:
            loop.remove_reader(watch)
            os.close(watch)


async def lose(loss: Loss, session: Terminal, server: Server) -> None:
    """Lose the connection, and wait until it has ended m3cred."""
    m3cred = processes(server, "m3cred")
    assert m3cred
    loss(session, server)
    await gone(m3cred)
    await session.ends()


@pytest.mark.parametrize("loss", LOSSES)
async def test_a_connection_lost_while_waiting_is_gone_on_with_by_paste(
    server: Server, stripe: None, log_in: LogIn, page: Page, loss: Loss
) -> None:
    session = await log_in(at_stripe(server))
    url = await to_stripe(session)
    await lose(loss, session, server)
    address = await approve(page, url)

    again = await log_in(at_stripe(server))
    await again.shows(lambda screen: bool(re.search(r"… until \d\d:\d\d", screen)))
    await again.settles()
    again.press(ENTER)
    assert await url_of(again) == url
    paste(again, address)
    await finish(again, server)


async def test_a_connection_lost_while_waiting_is_gone_on_with_through_the_same_tunnel(
    server: Server, laptop: Machine, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server))
    url = await to_stripe(session)
    command = tunnel_shown(session)
    async with tunnel(server, laptop, session):
        await page.goto(short_url_shown(session))
        await session.shows("tunnel works")
        await lose(ssh_client_dies, session, server)

        again = await log_in(at_stripe(server))
        await again.shows("… until")
        await again.settles()
        again.press(ENTER)
        await url_of(again)
        assert tunnel_shown(again) == command
        await approve_and_return(page, url)
        await page.get_by_text("Stripe approved access for m3ter").wait_for()
        await finish(again, server)


@pytest.mark.parametrize("loss", LOSSES)
async def test_a_connection_lost_after_the_approval_is_gone_on_with_at_the_account(
    server: Server, stripe: None, log_in: LogIn, page: Page, loss: Loss
) -> None:
    session = await log_in(at_stripe(server))
    paste(session, await approve(page, await to_stripe(session)))
    await session.shows(ACCOUNT)
    await lose(loss, session, server)

    again = await log_in(at_stripe(server))
    await again.shows("Stripe has approved “Acme”")
    await again.settles()
    again.press(ENTER)
    await finish(again, server)


async def test_a_connection_that_hangs_does_not_keep_the_answer_from_the_next_one(
    server: Server, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server))
    url = await to_stripe(session)
    session.signal(signal.SIGSTOP)  # the server is told nothing: its m3cred still listens

    again = await log_in(at_stripe(server))
    await again.shows("… until")
    await again.settles()
    again.press(ENTER)
    await again.shows("Paste the address that it ends on")
    paste(again, await approve(page, url))
    await again.shows(ACCOUNT)

    session.signal(signal.SIGCONT)
    await session.settles()
    await finish(again, server)
    print(session)
