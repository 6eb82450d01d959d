"""Through a real tmux and a real screen, in a terminal that keeps what reaches it."""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from m3cred_tui.browser.clipboard import osc_52, send_to_clipboard
from tests.e2e.conftest import program
from tests.e2e.terminal import Terminal, terminal

URL = "https://connect.stripe.com/oauth/authorize?state=" + "0123456789abcdef" * 16

# What the app does with a clipping; it ends at a key, so that the screen can be looked at.
_SEND = """
import asyncio, os, sys
from m3cred_tui.browser.clipboard import send_to_clipboard
clipping = asyncio.run(send_to_clipboard(sys.argv[1], os.environ, what="URL"))
print(clipping.sequence + clipping.said, flush=True)
input()
"""
SEND = [sys.executable, "-c", _SEND]
OVER_SSH = ["env", "-u", "TMUX", "-u", "TMUX_PANE", "-u", "STY", "-u", "TERM_PROGRAM"]
"""What a program does not know of the tmux or screen that the ssh before it runs in."""

Tmux = Callable[..., AbstractAsyncContextManager[Terminal]]


@pytest.fixture
def directory() -> Iterator[Path]:
    """Return a directory with a short path, as a socket's may have."""
    with tempfile.TemporaryDirectory(prefix="m3") as made:
        yield Path(made)


@pytest.fixture
def environ(directory: Path) -> dict[str, str]:
    return {
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path.cwd()),
        "SCREENDIR": str(directory),
        "TERM": "xterm-256color",
    }


@pytest.fixture
def in_tmux(directory: Path, environ: dict[str, str]) -> Tmux:
    """Run a command in a tmux with these settings, in a terminal that calls itself so."""
    settings, tmux = directory / "conf", [program("tmux"), "-S", str(directory / "s")]

    @asynccontextmanager
    async def run(
        command: list[str], *, having: str = "", term: str = "xterm-256color"
    ) -> AsyncIterator[Terminal]:
        settings.write_text(having)
        start = [*tmux, "-f", str(settings), "new-session", "--", *command]
        async with terminal(start, {**environ, "TERM": term}, columns=120) as shown:
            try:
                yield shown
            finally:
                await asyncio.to_thread(subprocess.run, [*tmux, "kill-server"], check=True)

    return run


def received(shown: Terminal) -> list[str]:
    """Return what the terminal was told to put into its clipboard."""
    found = re.findall(rb"\x1b\]52;c?;([^\a\x1b]*)(?:\a|\x1b\\)", shown.raw)
    return [b64decode(text).decode() for text in found]


async def receives(shown: Terminal) -> list[str]:
    async with asyncio.timeout(10):
        while not received(shown):
            await shown.output()
    return received(shown)


def buffer(directory: Path) -> str:
    command = [program("tmux"), "-S", str(directory / "s"), "show-buffer"]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


async def test_a_plain_terminal_gets_it(environ: dict[str, str]) -> None:
    async with terminal([*SEND, URL], environ) as shown:
        await shown.shows("URL sent to your terminal's clipboard.")
        assert await receives(shown) == [URL]


@pytest.mark.parametrize("setting", ["", "set -s set-clipboard off", "set -s set-clipboard on"])
async def test_tmux_brings_it_to_the_terminal_with_each_of_its_settings(
    directory: Path, in_tmux: Tmux, setting: str
) -> None:
    async with in_tmux([*SEND, URL], having=setting) as shown:
        await shown.shows(
            "URL sent to your terminal's clipboard, and to tmux (prefix ] pastes it)."
        )
        assert await receives(shown) == [URL]
        assert buffer(directory) == URL


async def test_the_user_is_told_when_tmux_can_reach_no_clipboard(
    directory: Path, in_tmux: Tmux
) -> None:
    async with in_tmux([*SEND, URL], term="screen-256color") as shown:
        await shown.shows(
            "URL sent to tmux only (prefix ] pastes it): it reaches no clipboard here."
        )
        assert received(shown) == []
        assert buffer(directory) == URL


@pytest.mark.parametrize(
    "setting", ["set -s set-clipboard on", "set -g allow-passthrough on", ""]
)
async def test_the_tmux_that_ssh_was_started_in_passes_it_on_as_it_was_said(
    in_tmux: Tmux, setting: str
) -> None:
    settings = f"set -g default-terminal tmux-256color\n{setting}"
    async with in_tmux([*OVER_SSH, *SEND, URL], having=settings) as shown:
        screen = await shown.shows(
            "URL sent to tmux. For your clipboard it needs: tmux set -s set-clipboard on"
        )
        assert screen.startswith("URL sent"), "nothing of the sequence is to be seen"
        assert (await receives(shown) if setting else received(shown)) == [URL][: len(setting)]


async def test_a_tmux_that_is_called_screen_takes_it_without_a_trace_on_the_screen(
    in_tmux: Tmux,
) -> None:
    settings = "set -g default-terminal screen-256color\nset -s set-clipboard on"
    async with in_tmux([*OVER_SSH, *SEND, URL], having=settings) as shown:
        screen = await shown.shows("if screen or tmux passes it on.")
        assert screen.startswith("URL sent"), "nothing of the sequence is to be seen"
        assert await receives(shown) == [URL]


@pytest.mark.parametrize("text", [URL, URL * 8], ids=["a url", "2 kB"])
@pytest.mark.parametrize(
    ("around", "said"),
    [
        ([], "URL sent through screen"),
        (OVER_SSH, "if screen or tmux passes it on."),
        ([*OVER_SSH, "TERM=screen-256color"], "if screen or tmux passes it on."),
    ],
    ids=["in screen", "over ssh", "over ssh, perhaps from tmux"],
)
async def test_screen_brings_it_to_the_terminal_however_long_it_is(
    environ: dict[str, str], around: list[str], said: str, text: str
) -> None:
    screen = program("screen")
    command = [screen, "-S", "x", "-c", os.devnull, *around, *SEND, text]
    async with terminal(command, environ, columns=120) as shown:
        try:
            assert (await shown.shows(said)).startswith("URL sent")
            assert await receives(shown) == [text]
        finally:  # it would outlive its terminal
            quit_screen = [screen, "-S", "x", "-X", "quit"]
            await asyncio.to_thread(subprocess.run, quit_screen, env=environ, check=True)


def stand_in(directory: Path, script: str) -> dict[str, str]:
    """Put a program in the place of tmux."""
    file = directory / "tmux"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o700)
    return {"PATH": f"{directory}:{os.environ['PATH']}", "TMUX": "x,1,0", "TERM": "screen"}


@pytest.mark.parametrize(
    "script",
    [
        "case $* in *-w*) exit 1;; esac",  # tmux before 3.2
        "exit 1",  # it has gone
        "kill -KILL $$",
        "exec sleep 60",
    ],
)
async def test_a_tmux_that_cannot_send_it_is_asked_to_pass_it_on(
    directory: Path, script: str
) -> None:
    environ = stand_in(directory, script)
    async with asyncio.timeout(10):
        clipping = await send_to_clipboard(URL, environ, what="URL")
    doubled = osc_52(URL).replace("\x1b", "\x1b\x1b")
    assert clipping.sequence == osc_52(URL) + f"\x1bPtmux;{doubled}\x1b\\"
    assert clipping.said.endswith("For your clipboard it needs: tmux set -s set-clipboard on")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("on", "tmux's set-clipboard is on."),
        ("external", "its set-clipboard is not on. Turn it on: tmux set -s set-clipboard on"),
        ("off", "its set-clipboard is not on. Turn it on: tmux set -s set-clipboard on"),
    ],
)
async def test_an_old_tmux_says_whether_it_passes_on_what_it_gets(
    directory: Path, setting: str, said: str
) -> None:
    environ = stand_in(directory, f"case $* in *-w*) exit 1;; esac; echo {setting}")
    assert (await send_to_clipboard(URL, environ, what="URL")).said.endswith(said)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("", "only"),
        ("\\nTerminal 0: xterm for /dev/pts/1, flags=0x0:\\n 192: Ms: (string) x", "only"),
        ("/dev/pts/1", "if it can"),
        (
            "/dev/pts/1\\nTerminal 0: xterm for /dev/pts/11, flags=0x0:\\n 192: Ms: (string) x",
            "if it can",
        ),
        (
            "/dev/pts/1\\nTerminal 0: a for /dev/pts/2, flags=0x0:\\n 192: Ms: (string) x"
            "\\nTerminal 1: b for /dev/pts/1, flags=0x0:\\n 192: Ms: [missing]",
            "only",
        ),
    ],
)
async def test_no_more_is_promised_than_tmux_knows(
    directory: Path, answer: str, said: str
) -> None:
    environ = stand_in(directory, f"cat > {directory}/given; printf '{answer}\\n'")
    clipping = await send_to_clipboard(URL, environ, what="URL")
    assert said in clipping.said
    assert clipping.sequence == ""
    assert (directory / "given").read_text() == URL


async def test_tmux_gets_neither_the_text_as_an_argument_nor_our_keys(directory: Path) -> None:
    environ = stand_in(directory, f'echo "$@" > {directory}/told; env >> {directory}/told')
    environ["M3CRED_STRIPE_SECRET_KEY"] = "sk_live_1"
    await send_to_clipboard(URL, environ, what="URL")
    told = (directory / "told").read_text()
    assert "load-buffer -w -" in told
    assert URL not in told
    assert "sk_live_1" not in told


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"TERM": "linux"}, "This terminal (linux) has no clipboard."),
        ({"TERM": "vt100\x1b[2J"}, "This terminal (vt100\ufffd[2J) has no clipboard."),
        (
            {"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"},
            "Terminal on macOS lets no program reach its clipboard.",
        ),
    ],
)
async def test_nothing_is_sent_where_it_is_known_to_be_lost(
    environ: dict[str, str], said: str
) -> None:
    assert await send_to_clipboard(URL, environ, what="URL") == ("", said)
