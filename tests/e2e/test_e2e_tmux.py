"""The wizard inside tmux, where many admins live."""

import asyncio
import shlex
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.e2e.browsers import OpenedUrls, approve_and_return
from tests.e2e.conftest import M3CRED, Home, program
from tests.e2e.terminal import Terminal, terminal
from tests.e2e.wizard import create_credential, go_to_stripe, to_authenticate

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.asyncio(loop_scope="session"),
]


@pytest.fixture
def tmux_directory() -> Iterator[Path]:
    """Return a directory for tmux whose path is short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="tmux") as path:
        directory = Path(path)
        (directory / "conf").write_text("set -g status off\n")
        yield directory


@asynccontextmanager
async def in_tmux(
    directory: Path, environ: Mapping[str, str], *command: str
) -> AsyncIterator[Terminal]:
    """Run ``command`` in tmux in a terminal."""
    socket, settings = str(directory / "socket"), str(directory / "conf")
    tmux = [program("tmux"), "-S", socket, "-f", settings, "new-session"]
    async with terminal([*tmux, shlex.join(command)], environ) as app:
        try:
            yield app
        finally:
            await ask_tmux(socket, "kill-server")


async def ask_tmux(socket: str, *command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        program("tmux"), "-S", socket, *command, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return out.decode()


async def test_the_whole_way_inside_tmux(
    home: Home, opened: OpenedUrls, page: Page, tmux_directory: Path
) -> None:
    environ = {**home.environ, "BROWSER": str(opened.program)}
    async with in_tmux(tmux_directory, environ, M3CRED, "--demo") as app:
        await app.shows("There are no credentials yet")
        await to_authenticate(app, name="Acme in tmux")
        await approve_and_return(page, await go_to_stripe(app, opened))
        await create_credential(app)
        pane = await ask_tmux(str(tmux_directory / "socket"), "capture-pane", "-p")
        assert "Acme in tmux" in pane
        assert [line.rstrip() for line in pane.splitlines()] == app.text.splitlines()
        assert len(home.saved()) == 1
