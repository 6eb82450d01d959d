"""Leaving m3cred leaves the terminal as it was; where it cannot run, it says so."""

import asyncio
import os
import re
import signal
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import httpx
import pytest

from tests.e2e.browsers import OpenedUrls
from tests.e2e.conftest import M3CRED, Home, Start
from tests.e2e.terminal import (
    CTRL_C,
    CTRL_Q,
    CTRL_Z,
    ENTER,
    PATIENCE,
    RIGHT,
    Terminal,
    limit_memory,
    terminal,
)
from tests.e2e.wizard import go_to_stripe, is_pending, to_authenticate
from tests.ui.visit import approve

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

ENDING = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM]
ROOM = 2_000_000
"""Bytes of address space: too few for another thread."""
SLOW = 0.3
"""Seconds that a terminal takes to answer over a bad line."""
_ON_BY_DEFAULT = {b"7", b"25"}  # wrapping at the edge, and the cursor
_MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")


def modes_left_changed(written: bytes) -> dict[bytes, bytes]:
    """Return the private modes that are not as a terminal starts with them."""
    modes: dict[bytes, bytes] = {}
    for numbers, switch in _MODE.findall(written):
        modes |= dict.fromkeys(numbers.split(b";"), switch)
    return {
        mode: switch
        for mode, switch in modes.items()
        if (switch == b"h") is not (mode in _ON_BY_DEFAULT)
    }


def assert_as_it_was(app: Terminal) -> None:
    assert modes_left_changed(app.raw) == {}
    assert b"\x1b[?1049l" in app.raw  # it had been on the other screen
    assert app.raw.count(b"\x1b[>") == app.raw.count(b"\x1b[<")  # keyboard protocol
    assert app.line_discipline() == app.modes


@pytest.mark.parametrize("key", ["q", CTRL_Q], ids=["q", "ctrl+q"])
@pytest.mark.quick(1)
async def test_a_key_leaves_the_terminal_as_it_was(app: Terminal, key: str) -> None:
    assert modes_left_changed(app.raw)
    app.press(key)
    assert await app.ends() == 0
    assert_as_it_was(app)


@pytest.mark.parametrize("number", ENDING, ids=lambda it: it.name)
@pytest.mark.quick(1)
async def test_a_signal_leaves_the_terminal_as_it_was_and_is_logged(
    app: Terminal, number: signal.Signals, home: Home
) -> None:
    app.signal(number)
    assert await app.ends() == 128 + number
    assert_as_it_was(app)
    log = home.path / "state" / "m3cred" / "demo" / "m3cred.log"
    assert f"ui.app: {number.name}\n" in log.read_text()
    assert log.read_text().endswith(f"ends with status {128 + number}\n")


@pytest.mark.quick(1)
async def test_what_it_was_started_to_ignore_does_not_end_or_stop_it(home: Home) -> None:
    ignoring = 'trap "" HUP INT QUIT TERM TSTP TTIN TTOU; exec "$0" --demo'
    async with terminal(["/bin/sh", "-c", ignoring, M3CRED], home.environ) as app:
        await app.shows("There are no credentials yet")
        before = signals_ignored_by(app.pid)
        for number in (*ENDING, signal.SIGTSTP):
            app.signal(number)
        app.press("c")
        await app.shows("Name credential")
        assert signals_ignored_by(app.pid) == before
        app.press(CTRL_Q)
        assert await app.ends() == 0
        assert_as_it_was(app)


def signals_ignored_by(pid: int) -> str:
    (line,) = re.findall(r"SigIgn:\t(\w+)", Path(f"/proc/{pid}/status").read_text("ascii"))
    return str(line)


@pytest.mark.parametrize("number", ENDING, ids=lambda it: it.name)
# As soon as it has asked for the other screen, for its questions, for the mouse, and draws.
@pytest.mark.parametrize("written", [1, 61, 124, 137])
@pytest.mark.quick(1)
async def test_a_signal_during_the_start_leaves_the_terminal_as_it_was(
    start: Start, number: signal.Signals, written: int
) -> None:
    app = await start("--demo")
    while len(app.raw) < written and not app.reads("There are no credentials yet"):
        await app.output()
    app.signal(number)
    assert await app.ends() == 128 + number
    assert_as_it_was(app)


@pytest.mark.long
async def test_being_told_to_continue_while_it_leaves_does_not_take_the_terminal_back(
    app: Terminal,
) -> None:
    app.signal(signal.SIGTERM)
    app.signal(signal.SIGCONT)  # as systemd and timeout do it
    assert await app.ends() == 128 + signal.SIGTERM
    assert_as_it_was(app)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP], ids=lambda it: it.name)
@pytest.mark.quick(1)
async def test_after_a_stop_it_continues_and_leaves_the_terminal_as_it_was(
    app: Terminal, number: signal.Signals
) -> None:
    app.signal(number)
    await asyncio.to_thread(os.waitpid, app.pid, os.WUNTRACED)
    if number == signal.SIGTSTP:
        await app.settles()
        assert_as_it_was(app)  # for the shell, meanwhile
    app.signal(signal.SIGCONT)
    app.press("c")
    await app.shows("Name credential")
    app.press(CTRL_Q)
    assert await app.ends() == 0
    assert_as_it_was(app)


@pytest.mark.quick(1)
async def test_what_a_terminal_answers_only_after_a_stop_presses_no_key(app: Terminal) -> None:
    late: list[str] = []
    app.answers = late.append
    app.signal(signal.SIGTSTP)
    await asyncio.to_thread(os.waitpid, app.pid, os.WUNTRACED)
    app.answers = app.press
    app.signal(signal.SIGCONT)
    await app.shows("There are no credentials yet")
    app.press(*late, "c")
    assert late
    await app.shows("Name credential")


@pytest.mark.parametrize("command", [M3CRED, "sh -c '\"$@\"; exit $?' sh " + M3CRED])
@pytest.mark.long
async def test_ctrl_z_gives_the_shell_its_terminal_and_fg_brings_the_app_back(
    home: Home, command: str
) -> None:
    async with a_shell(home) as shell:
        shell.press(f"{command} --demo", ENTER)
        await shell.shows("There are no credentials yet")
        shell.press("c")
        await shell.shows("⏎ Continue")
        shell.press("Acme")
        await shell.shows("Acme")
        shell.press(CTRL_Z)
        await shell.shows("Stopped")
        assert modes_left_changed(shell.raw) == {}
        assert shell.raw.count(b"\x1b[>") == shell.raw.count(b"\x1b[<")
        shell.press("clear; echo the shell $((40 + 2))", ENTER)
        await shell.shows("the shell 42")
        assert shell.echoes()
        shell.press("fg", ENTER)
        await shell.shows("Name credential")
        await shell.shows("Acme")
        await shell.shows("⏎ Continue")
        shell.press(" Two")
        await shell.shows("Acme Two")
        shell.press(CTRL_Q)
        await shell.focuses("Stay")
        shell.press(RIGHT, ENTER)
        await shell.shows(lambda screen: screen.strip() == "$")
        shell.press("echo status $?", ENTER)
        await shell.shows("status 0")
        assert_as_it_was(shell)


def a_shell(home: Home) -> AbstractAsyncContextManager[Terminal]:
    """Run a shell with job control, which leaves the terminal's modes alone."""
    shell = ["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"]
    return terminal(shell, {**home.environ, "PS1": "$ "})


async def test_what_a_slow_terminal_answers_is_not_left_for_the_shell(home: Home) -> None:
    async with a_shell(home) as shell:
        shell.press(f"{M3CRED} --demo", ENTER)
        while b"\x1b[?2048$p" not in shell.raw:
            await shell.output()
        late = "\x1b[?2026;2$y\x1b[?2048;2$y\x1b[<35;7;7M\x1b[I"
        soon = asyncio.get_running_loop().call_later
        # A terminal answers in order: what it was asked last, it answers last.
        shell.answers = lambda last: soon(SLOW, shell.press, f"{late}{last}")
        shell.press("q")
        await shell.shows(lambda screen: screen.strip() == "$")
        while await shell.writes_within(2 * SLOW):
            pass
        shell.press("echo the shell $((40 + 2))", ENTER)
        wanted = ["$ echo the shell $((40 + 2))", "the shell 42", "$"]
        await shell.shows(lambda screen: [*filter(None, screen.splitlines())] == wanted)


async def test_where_no_shell_would_bring_it_back_ctrl_z_says_so(app: Terminal) -> None:
    app.press(CTRL_Z)
    await app.shows("m3cred cannot be suspended here")
    app.press("q")
    assert await app.ends() == 0


@pytest.mark.long
async def test_a_signal_during_the_wait_leaves_the_terminal_as_it_was(
    app: Terminal, opened: OpenedUrls, home: Home
) -> None:
    await to_authenticate(app)
    await go_to_stripe(app, opened)
    app.signal(signal.SIGTERM)
    assert await app.ends() == 128 + signal.SIGTERM
    assert_as_it_was(app)
    assert home.saved() == []


async def test_a_dropped_connection_ends_the_program(app: Terminal, opened: OpenedUrls) -> None:
    await to_authenticate(app)
    await go_to_stripe(app, opened)
    app.hang_up()
    assert await app.ends() > 0


@pytest.mark.long
async def test_a_limit_that_is_reached_in_the_wait_ends_the_app_with_a_sentence(
    app: Terminal, opened: OpenedUrls, start: Start
) -> None:
    await to_authenticate(app)
    url = await go_to_stripe(app, opened)
    limit_memory(app.pid, more=ROOM)
    with suppress(httpx.HTTPError, AssertionError):  # the demo Stripe has the same limit
        await asyncio.to_thread(approve, url)
    assert await app.ends(3 * PATIENCE) == 1
    assert b"m3cred: The system gives m3cred no more threads, memory or open files: " in app.raw
    assert b"Traceback" not in app.raw
    assert_as_it_was(app)
    await (await start("--demo")).shows("Acme")


@pytest.mark.long
async def test_leaving_during_the_wait_loses_nothing_and_so_asks_nothing(
    app: Terminal, opened: OpenedUrls, start: Start
) -> None:
    await to_authenticate(app)
    await go_to_stripe(app, opened)
    app.press("q")
    assert await app.ends() == 0
    assert_as_it_was(app)
    again = await start("--demo")
    await again.shows(is_pending)


async def test_ctrl_c_does_not_end_the_app_and_says_what_does(app: Terminal) -> None:
    app.press(CTRL_C)
    await app.shows(lambda screen: "ctrl+q" in screen.lower() or "^q" in screen)
    assert not app.closed


@pytest.mark.long
async def test_without_the_mouse_the_terminal_keeps_its_own_selection(start: Start) -> None:
    app = await start("--demo", "--no-mouse")
    await app.shows("There are no credentials yet")
    assert not set(modes_left_changed(app.raw)) & {b"1000", b"1002", b"1003", b"1006"}
    app.press("q")
    await app.ends()


async def test_a_dumb_terminal_is_refused_with_a_sentence(start: Start) -> None:
    app = await start("--demo", environ={"TERM": "dumb"})
    assert await app.ends() == 1
    assert b"\x1b" not in app.raw
    told = " ".join(app.raw.decode().split())
    assert re.fullmatch(r"m3cred: [^.]*terminal[^.]*\.", told)


async def test_without_a_terminal_it_is_refused_with_a_sentence(home: Home) -> None:
    process = await asyncio.create_subprocess_exec(
        M3CRED,
        "--demo",
        env=home.environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    assert process.returncode == 1
    assert out == b""
    (line,) = error.decode().splitlines()
    assert line.startswith("m3cred: ")
    assert "terminal" in line
    assert list(home.path.iterdir()) == []
