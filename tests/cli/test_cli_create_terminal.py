"""``m3cred create`` on a real terminal, a dumb one, too."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial

import httpx
import pytest

from m3cred_tui.cli.creation import standard_input
from tests.cli.conftest import Start
from tests.cli.creation import Environ, files, set_up
from tests.e2e.terminal import (
    CTRL_BACKSLASH,
    CTRL_C,
    CTRL_S,
    CTRL_Z,
    ENTER,
    PATIENCE,
    SOON,
    Terminal,
    rests,
)
from tests.ui.visit import approve, approve_only

WAITS, QUESTION = "waits for your approval until", "Create the credential? [y/N]"


pytestmark = pytest.mark.quick(1)


@pytest.fixture(params=["dumb", "xterm-256color"])
def environment(environment: Environ, request: pytest.FixtureRequest) -> Iterator[Environ]:
    with set_up(environment | {"TERM": request.param}) as complete:
        yield complete


@pytest.fixture
def start(start: Start) -> Start:
    @asynccontextmanager
    async def run(*arguments: str, **more: str) -> AsyncIterator[Terminal]:
        async with start(*arguments, columns=90, lines=40, **more) as shown:
            yield shown
            assert b"\x1b" not in shown.raw  # nothing that a dumb terminal would stumble over

    return run


@asynccontextmanager
async def waiting(start: Start) -> AsyncIterator[Terminal]:
    """Run the command to where it waits for Stripe."""
    async with start("create", "--name", "Acme", "--no-browser") as shown:
        await shown.shows(WAITS)
        yield shown


def url_in(shown: Terminal) -> str:
    (url,) = re.findall(r"^http\S+/oauth/authorize\S+(?=\r$)", shown.raw.decode(), re.MULTILINE)
    return str(url)


async def test_a_pasted_address_is_not_shown_the_account_is_and_yes_creates_it(
    start: Start, environment: Environ
) -> None:
    async with waiting(start) as shown:
        assert not shown.echoes()
        shown.press(url_in(shown), ENTER)
        await shown.shows("! This is Stripe's own page")
        address = await asyncio.to_thread(approve_only, url_in(shown))
        shown.press(address, ENTER, ENTER)  # the second one is no answer to the question
        await shown.shows(QUESTION)
        assert files(environment, "credentials") == []
        for words in ("Stripe account", "acct_1Demo", "Mode            TEST"):
            assert words in shown.text
        shown.press("y", ENTER)
        assert await shown.ends() == 0
        assert "The credential “Acme” is created: " in shown.text
        assert "Next: choose it in the Integration Configuration in m3ter" in shown.text
        assert "m3cred show --integration " in shown.text
        assert address.partition("code=")[2][:12].encode() not in shown.raw
        assert shown.line_discipline() == shown.modes
    assert len(files(environment, "credentials")) == 1


async def test_the_steps_are_the_apps_and_a_browser_at_the_short_address_is_reported(
    start: Start, environment: Environ
) -> None:
    async with start("create", "--name", "Acme", "--no-browser", SSH_TTY="/dev/pts/1") as shown:
        await shown.shows(WAITS)
        for words in (
            "1 Open this URL in your own browser (this is an SSH session)",
            "2 Approve access for m3ter there",
            "3 Come back: by itself, or paste",
            "Run on your computer:",
            "Or paste the address that it ends on, even if no page is shown.",
            "Paste it only here, within 5 minutes of approving",
        ):
            await shown.shows(words)
        (short,) = re.findall(r"http://127\.0\.0\.1:\d+/go/\S+", shown.text)
        for agent in ("curl/8.5.0", "Mozilla/5.0"):
            assert not shown.reads("tunnel works")
            visit = partial(httpx.get, trust_env=False, headers={"User-Agent": agent})
            await asyncio.to_thread(visit, short)
        await shown.shows("✓ tunnel works: a browser has opened the short address.")
        shown.press(CTRL_C)
        assert await shown.ends() == 130


async def test_no_keeps_the_approval_and_another_command_creates_it(
    start: Start, environment: Environ
) -> None:
    async with waiting(start) as shown:
        await asyncio.to_thread(approve, url_in(shown))
        await shown.shows(QUESTION)
        shown.press(ENTER)
        assert await shown.ends() == 1
        await shown.shows("Stripe's approval is kept; to continue: m3cred resume ")
    assert files(environment, "credentials") == []
    async with start("resume") as shown:
        await shown.shows(QUESTION)
        shown.press("yes", ENTER)
        assert await shown.ends() == 0
    assert len(files(environment, "credentials")) == 1


@pytest.mark.parametrize(
    ("key", "number"),
    [(CTRL_C, signal.SIGINT), (CTRL_BACKSLASH, signal.SIGQUIT)],
    ids=["ctrl+c", "ctrl+backslash"],
)
async def test_a_key_that_ends_the_wait_leaves_the_terminal_as_it_was_and_the_request(
    start: Start, environment: Environ, key: str, number: signal.Signals
) -> None:
    async with waiting(start) as shown:
        await shown.hides()
        shown.press(key)
        assert await shown.ends() == 128 + number
        await shown.shows("Interrupted. “Acme” waits for Stripe until")
        assert shown.line_discipline() == shown.modes
    assert len(files(environment, "pending")) == 1


async def test_ctrl_c_at_the_question_creates_nothing(
    start: Start, environment: Environ
) -> None:
    async with waiting(start) as shown:
        await asyncio.to_thread(approve, url_in(shown))
        await shown.shows(QUESTION)
        shown.press("y", CTRL_C)
        assert await shown.ends() == 130
        await shown.shows("Interrupted. Stripe has approved acct_1Demo")
    assert files(environment, "credentials") == []


async def test_ctrl_c_ends_the_wait_on_a_terminal_that_nobody_reads(
    start: Start, environment: Environ
) -> None:
    async with waiting(start) as shown:
        await shown.hides()
        shown.freeze()
        await asyncio.to_thread(approve, url_in(shown))
        await asyncio.to_thread(rests, shown.pid)
        # Not by its key, for which Linux drops what nobody has read.
        shown.signal(signal.SIGINT)
        assert await shown.ends_unread(SOON) == 130
        assert shown.line_discipline() == shown.modes
    assert len(files(environment, "pending")) == 1


async def test_ctrl_c_ends_the_wait_on_a_terminal_that_ctrl_s_has_stopped(
    start: Start, environment: Environ
) -> None:
    async with waiting(start) as shown:
        await shown.hides()
        shown.press(CTRL_S)
        await asyncio.to_thread(approve, url_in(shown))
        await asyncio.to_thread(rests, shown.pid)
        shown.press(CTRL_C)
        assert await shown.ends(SOON) == 130
    assert len(files(environment, "pending")) == 1


@asynccontextmanager
async def sent_to_background(shell: Start) -> AsyncIterator[Terminal]:
    """Run the command in a shell, and go on without it while it waits for Stripe."""
    async with shell() as shown:
        shown.press("m3cred create --name Acme --no-browser", ENTER)
        await shown.shows(WAITS)
        await shown.hides()
        shown.press(CTRL_Z)
        await shown.shows("Stopped")
        shown.press("bg", ENTER)
        yield shown


async def test_in_the_background_it_still_answers_the_browser(
    shell: Start, environment: Environ
) -> None:
    async with sent_to_background(shell) as shown:
        shown.press("wait %1; echo status $?", ENTER)
        await asyncio.to_thread(approve, url_in(shown))
        await shown.shows("Stripe's approval is kept; to continue: m3cred resume ")
        await shown.shows("status 1")
    assert len(files(environment, "pending")) == 1


async def test_back_from_the_background_it_takes_a_paste_and_shows_nothing_of_it(
    shell: Start, environment: Environ
) -> None:
    async with sent_to_background(shell) as shown:
        assert shown.echoes()  # the shell's terminal is left alone
        shown.press("echo the shell $((40 + 2))", ENTER)  # and so is what is typed for it
        await shown.shows("the shell 42")
        address = await asyncio.to_thread(approve_only, url_in(shown))
        shown.press("fg", ENTER)
        await shown.hides()
        shown.press(address, ENTER)
        await shown.shows(QUESTION)
        assert address.partition("code=")[2][:12].encode() not in shown.raw
        shown.press("y", ENTER)
        await shown.shows("The credential “Acme” is created: ")
    assert len(files(environment, "credentials")) == 1


async def test_the_background_is_noticed_also_while_it_begins_to_read() -> None:
    ours, theirs = os.openpty()
    begun: asyncio.Queue[None] = asyncio.Queue()
    signals = iter([signal.SIGCONT])

    def begin() -> None:
        begun.put_nowait(None)
        for number in signals:  # the first time only
            signal.raise_signal(number)

    try:
        with ExitStack() as after:
            standard_input._read_typed(theirs, asyncio.Queue(), begin, after)
            async with asyncio.timeout(PATIENCE):
                await begun.get()
                await begun.get()
    finally:
        os.close(ours)
        os.close(theirs)


async def test_a_question_waits_in_the_background_for_its_answer(
    shell: Start, environment: Environ
) -> None:
    async with shell() as shown:
        shown.press("m3cred create --name Acme --no-browser", ENTER)
        await shown.shows(WAITS)
        await asyncio.to_thread(approve, url_in(shown))
        await shown.shows(QUESTION)
        shown.press(CTRL_Z)
        await shown.shows("Stopped")
        shown.press("bg", ENTER, "echo the shell $((40 + 2))", ENTER)
        await shown.shows("the shell 42")
        shown.press("fg", ENTER, "y", ENTER)
        await shown.shows("The credential “Acme” is created: ")
    assert len(files(environment, "credentials")) == 1


async def test_a_terminal_that_goes_away_leaves_the_request(
    start: Start, environment: Environ
) -> None:
    async with waiting(start) as shown:
        shown.hang_up()
        assert await shown.ends() > 0
    assert len(files(environment, "pending")) == 1
