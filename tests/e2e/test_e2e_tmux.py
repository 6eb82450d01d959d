"""The wizard inside tmux, where many admins live."""

from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.e2e.browsers import OpenedUrls, approve_and_return
from tests.e2e.conftest import M3CRED, Home
from tests.e2e.terminal import CTRL_Z, ENTER
from tests.e2e.tmux import ask_tmux, in_tmux
from tests.e2e.wizard import create_credential, go_to_stripe, to_authenticate

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


async def test_the_whole_way_inside_tmux(
    home: Home, opened: OpenedUrls, page: Page, tmux_directory: Path
) -> None:
    environ = {**home.environ, "BROWSER": str(opened.program)}
    async with in_tmux(tmux_directory, environ, M3CRED, "--demo") as app:
        await app.shows("There are no credentials yet")
        await to_authenticate(app, name="Acme in tmux")
        await approve_and_return(page, await go_to_stripe(app, opened))
        await create_credential(app)
        await app.shows("⏎ Details")  # the footer is the last to follow the focus
        await app.settles()
        pane = await ask_tmux(str(tmux_directory / "socket"), "capture-pane", "-p")
        assert "Acme in tmux" in pane
        assert [line.rstrip() for line in pane.splitlines()] == app.text.splitlines()
        assert len(home.saved()) == 1


async def test_ctrl_z_inside_tmux_and_fg(home: Home, tmux_directory: Path) -> None:
    shell = ("/bin/bash", "--norc", "--noprofile", "-i")
    async with in_tmux(tmux_directory, home.environ, *shell) as app:
        await app.shows("bash-")
        app.press(f"{M3CRED} --demo", ENTER)
        await app.shows("There are no credentials yet")
        app.press(CTRL_Z)
        await app.shows("Stopped")
        assert not app.reads("There are no credentials yet")
        app.press("echo the shell $((40 + 2))", ENTER)
        await app.shows("the shell 42")
        app.press("fg", ENTER)
        await app.shows("There are no credentials yet")
        app.press("q")
        await app.shows("the shell 42")
        app.press("echo status $?", ENTER)
        await app.shows("status 0")
