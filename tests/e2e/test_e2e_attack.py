"""A real login, while whoever else is on the computer attacks the receiver of its redirect."""

import asyncio
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Page

from m3cred_tui.authorize.problems import BrowserTurnedAway, ForeignRedirect
from m3cred_tui.callback.connections import MOST_CONNECTIONS
from m3cred_tui.model.authorization import TurnedAway
from tests.e2e.attack_table import ATTACKED
from tests.e2e.attack_watch import COUNTING, Usage, Watch, Watched, times_of_keys, words
from tests.e2e.attackers import CROWDS, Tallies, attackers
from tests.e2e.attacks import FORGED, REQUESTS, Aim
from tests.e2e.browsers import OpenedUrls, approve_and_return, redirect_uri_of
from tests.e2e.conftest import Home
from tests.e2e.terminal import Terminal, terminal
from tests.e2e.wizard import ACCOUNT, create_credential, go_to_stripe, to_authenticate

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(150),
]

SOON, AT_LAST, LOGIN = 1.5, 5.0, 40.0
"""Seconds until a key shows, mostly and at most, and from the URL to the account."""
MORE_MEMORY = 24 * 1024
"""KiB; a crowd of the largest requests takes 3 MiB, and the app draws meanwhile."""
MORE_FILES = MOST_CONNECTIONS + 30
BYTES_A_SECOND = 2000
"""The time left and one sentence each second."""
LARGEST_LOG = 16 * 1024


@pytest_asyncio.fixture(loop_scope="session")
async def watched(home: Home, opened: OpenedUrls) -> AsyncIterator[Watched]:
    environ = {**home.environ, "BROWSER": str(opened.program)}
    with tempfile.TemporaryDirectory() as place:  # short enough for the path of a socket
        counting = Path(place) / "counting"
        command = [sys.executable, "-c", COUNTING, str(counting)]
        async with terminal(command, environ) as app:
            yield Watched(app, counting)


def aim_at(url: str) -> Aim:
    port = urlsplit(redirect_uri_of(url)).port
    assert port is not None
    return Aim(port, parse_qs(urlsplit(url).query)["state"][0])


def is_in_full_swing(tallies: Tallies) -> bool:
    return tallies[FORGED].sent >= 2000 and all(one.sent >= 60 for one in tallies.values())


def is_over(tallies: Tallies) -> bool:
    return all(one.late for one in tallies.values())


async def finish_login(app: Terminal, page: Page, url: str) -> float:
    """Approve, and go back to m3cred; return how long it took."""
    went = time.monotonic()
    async with asyncio.timeout(LOGIN):
        await approve_and_return(page, url)
        await page.get_by_text("Go back to your terminal").wait_for()
        await app.shows(ACCOUNT)
    return time.monotonic() - went


async def test_a_login_succeeds_while_everything_attacks_its_receiver(
    watched: Watched,
    opened: OpenedUrls,
    page: Page,
    home: Home,
    record_property: Callable[[str, object], None],
) -> None:
    app = watched.app
    await app.shows("There are no credentials yet")
    await to_authenticate(app)
    url = await go_to_stripe(app, opened)
    await app.shows("browser was opened")
    await app.settles()
    async with Watch(watched) as quiet:
        quiet_keys = await times_of_keys(app)

    async with Watch(watched) as watch, attackers(aim_at(url)) as attack:
        await attack.until(is_in_full_swing, patience=60)
        drawn = watch.bytes_a_second
        keys = await times_of_keys(app)
        before, everybody_asked = attack.connections, attack.tallies
        login = await finish_login(app, page, url)
        meanwhile = attack.connections - before
        await attack.until(is_over)
        await create_credential(app)

    assert_nothing_accepted(attack.tallies)
    assert_nobody_crowded_out(everybody_asked)
    assert_nothing_else_said(watch.words - quiet.words, url)
    assert median(keys) < SOON
    assert max(keys) < AT_LAST
    assert drawn < BYTES_A_SECOND
    assert watch.peak.memory < quiet.peak.memory + MORE_MEMORY
    assert watch.peak.files < quiet.peak.files + MORE_FILES
    assert Usage.of(watched).files <= quiet.peak.files
    assert_log_is_short(home)
    assert len(home.saved()) == 1
    measured = [
        f"connections: {before:,} before the browser went to Stripe, {meanwhile:,} until the "
        f"account was shown, {attack.connections - before - meanwhile:,} after it",
        f"from the URL to the account: {login:.1f} s",
        f"a key shows after {median(keys) * 1e3:.0f} ms ({max(keys) * 1e3:.0f} at most); "
        f"without the attack {median(quiet_keys) * 1e3:.0f} ({max(quiet_keys) * 1e3:.0f})",
        f"memory: {quiet.peak.memory / 1024:.1f} MiB before, {watch.peak.memory / 1024:.1f} "
        f"at most; open files: {quiet.peak.files} before, {watch.peak.files} at most, "
        f"{Usage.of(watched).files} after; to the terminal: {drawn:.0f} bytes a second",
    ]
    tallies = {kind: asdict(tally) for kind, tally in attack.tallies.items()}
    record_property(ATTACKED, [tallies, measured])


def assert_nothing_accepted(tallies: Tallies) -> None:
    assert {kind: one.answers for kind, one in tallies.items() if one.accepted} == {}


def assert_nobody_crowded_out(tallies: Tallies) -> None:
    """Whoever asked at once was answered, as a browser has to be.

    On a loaded machine nobody asks at once in the stampede at the beginning.
    """
    hung_up = {kind: tallies[kind].hung_up for kind in REQUESTS}
    few = {kind: CROWDS[kind] + tallies[kind].sent // 20 for kind in REQUESTS}
    assert {kind: hung_up[kind] for kind in REQUESTS if hung_up[kind] > few[kind]} == {}


def assert_nothing_else_said(new: set[str], url: str) -> None:
    problems = ForeignRedirect(0), *map(BrowserTurnedAway, TurnedAway)
    sentences = " ".join(["✓ Approved; asking which account it is", *map(str, problems)])
    # The URL is wrapped elsewhere when there is more below it.
    wrapped = {one for one in new if re.sub(r"\d+", "0", url).find(one) >= 0}
    assert new - words(sentences) - wrapped == set()


def assert_log_is_short(home: Home) -> None:
    (log,) = home.path.rglob("*.log")
    assert log.stat().st_size < LARGEST_LOG
    assert "Traceback" not in log.read_text()
