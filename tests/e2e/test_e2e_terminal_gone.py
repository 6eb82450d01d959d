"""A terminal that goes away, freezes, or sends what is no text."""

import asyncio
import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.browsers import OpenedUrls
from tests.e2e.conftest import M3CRED, Home
from tests.e2e.terminal import CTRL_L, CTRL_Q, ESC, SOON, Terminal, rests, terminal
from tests.e2e.wizard import go_to_stripe, to_authenticate

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

HUNG_UP = 129


class Line:
    """m3cred on a terminal that is not its controlling one: nobody sends it a SIGHUP."""

    def __init__(self, home: Home) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [M3CRED, "--demo"],
            env=home.environ,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def reads_until(self, wanted: bytes) -> None:
        read = b""
        while wanted not in read:
            read += os.read(self._ours, 65_536)

    def press(self, keys: str | bytes) -> None:
        os.write(self._ours, keys.encode() if isinstance(keys, str) else keys)

    def rests(self) -> None:
        rests(self.process.pid)

    def cut(self) -> None:
        os.close(self._ours)
        self._ours = -1

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        if self._ours >= 0:
            self.cut()


@pytest.fixture
def line(home: Home) -> Iterator[Line]:
    with ExitStack() as stack:
        line = Line(home)
        stack.callback(line.end)
        line.reads_until(b"There are no credentials yet")
        yield line


async def test_a_terminal_that_goes_without_a_signal_ends_the_program(line: Line) -> None:
    line.cut()
    assert line.process.wait(SOON) == HUNG_UP


@pytest.mark.long
async def test_a_terminal_that_goes_while_something_is_drawn_ends_the_program(
    line: Line,
) -> None:
    line.press("c")
    line.reads_until(b"Name credential")
    line.press("Acme")
    line.cut()
    assert line.process.wait(SOON) == HUNG_UP


async def test_a_frozen_terminal_that_then_goes_does_not_hold_the_program(line: Line) -> None:
    for _ in range(40):  # each draws a page that nobody takes
        line.press("c")
        line.press(ESC)
    line.rests()
    line.cut()
    assert line.process.wait(SOON) == HUNG_UP


@pytest.mark.long
async def test_a_frozen_terminal_does_not_hold_up_a_signal_and_is_given_back(
    line: Line,
) -> None:
    line.press("?" * 100)  # the help opens and closes
    line.rests()
    line.process.terminate()
    assert line.process.wait(SOON) == 128 + 15
    line.reads_until(b"\x1b[?1049l")


@pytest.mark.long
async def test_what_a_frozen_terminal_missed_is_drawn_when_it_goes_on(
    app: Terminal,
) -> None:
    app.pause()
    app.press("?" * 100, "c")  # the help opens and closes
    await asyncio.to_thread(rests, app.pid)
    app.resume()
    await app.shows("Name credential")
    await app.settles()
    seen = app.text
    app.press(CTRL_L)
    await app.settles()
    assert app.text == seen


@pytest.mark.long
async def test_a_signal_that_came_while_the_terminal_was_frozen_is_not_lost(
    line: Line,
) -> None:
    for _ in range(300):  # asyncio by itself loses signals behind so many keys
        line.press("c")
        line.press(ESC)
    line.rests()
    line.process.terminate()
    await asyncio.to_thread(line.reads_until, b"\x1b[?1049l")
    assert line.process.wait(SOON) == 128 + 15


@pytest.mark.long
async def test_a_parent_that_ignores_the_hangup_does_not_keep_the_program_alive(
    home: Home, opened: OpenedUrls
) -> None:
    ignoring = ["/bin/sh", "-c", 'trap "" HUP; exec "$0" --demo', M3CRED]
    async with terminal(ignoring, {**home.environ, "BROWSER": str(opened.program)}) as app:
        await app.shows("There are no credentials yet")
        await to_authenticate(app)
        await go_to_stripe(app, opened)
        app.hang_up()
        assert await app.ends(SOON) == HUNG_UP
    assert home.saved() == []


@pytest.mark.long
async def test_what_is_no_text_and_no_key_does_not_end_the_program(line: Line) -> None:
    line.press("c")
    line.reads_until(b"Name credential")
    line.press("Müller".encode("latin-1"))
    line.reads_until("�".encode())
    line.press("\x1b[9999999999~")
    line.rests()
    line.press(CTRL_Q)
    line.reads_until(b"Leave m3cred?")
