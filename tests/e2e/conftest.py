import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.e2e.browsers import OpenedUrls, headless_chromium
from tests.e2e.terminal import Terminal, terminal

M3CRED = str(Path(sys.executable).with_name("m3cred"))

Start = Callable[..., Awaitable[Terminal]]


class Home(NamedTuple):
    """A user's home directory, with nothing in it before the test."""

    path: Path

    @property
    def environ(self) -> dict[str, str]:
        return {
            "HOME": str(self.path),
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "XDG_CACHE_HOME": str(self.path / "cache"),
            "XDG_CONFIG_HOME": str(self.path / "config"),
            "XDG_DATA_HOME": str(self.path / "data"),
            "XDG_STATE_HOME": str(self.path / "state"),
        }

    @property
    def credentials(self) -> Path:
        return self.path / "data" / "m3cred" / "demo" / "credentials"

    @property
    def identity(self) -> Path:
        return self.path / "config" / "m3cred" / "demo" / "identity.txt"

    def saved(self) -> list[dict[str, Any]]:
        """Return what the demo's credential files hold."""
        return [json.loads(file.read_bytes()) for file in self.credentials.glob("*")]


def program(name: str) -> str:
    """Return where a program is; skip the test where it is not, but never in CI."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def chromium_program() -> str:
    """Return where Chromium is, best the one without windows, which takes half the time."""
    return shutil.which("chromium-headless-shell") or program("chromium")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    path = tmp_path / "home"
    path.mkdir()
    return Home(path)


@pytest_asyncio.fixture(loop_scope="session")
async def opened(tmp_path: Path) -> AsyncIterator[OpenedUrls]:
    urls = OpenedUrls(tmp_path)
    yield urls
    urls.close()


@pytest_asyncio.fixture(loop_scope="session")
async def start(home: Home, opened: OpenedUrls) -> AsyncIterator[Start]:
    """Start the installed ``m3cred`` in a terminal, with these arguments."""
    async with AsyncExitStack() as stack:

        async def start(
            *arguments: str, environ: Mapping[str, str] = {}, **size: int
        ) -> Terminal:
            everything = {**home.environ, "BROWSER": str(opened.program), **environ}
            return await stack.enter_async_context(
                terminal([M3CRED, *arguments], everything, **size)
            )

        yield start


@pytest_asyncio.fixture(loop_scope="session")
async def app(start: Start) -> Terminal:
    """Return ``m3cred --demo`` on its empty Credentials page."""
    app = await start("--demo")
    await app.shows("There are no credentials yet")
    return app


@pytest_asyncio.fixture(loop_scope="session")
async def w3m(home: Home) -> AsyncIterator[Start]:
    """Start w3m at a URL in a terminal of its own."""
    async with AsyncExitStack() as stack:

        async def start(url: str) -> Terminal:
            return await stack.enter_async_context(
                terminal([program("w3m"), url], home.environ)
            )

        yield start


@pytest.fixture
def tmux_directory() -> Iterator[Path]:
    """Return a directory for tmux whose path is short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="tmux") as path:
        directory = Path(path)
        (directory / "conf").write_text("set -g status off\n")
        yield directory


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with headless_chromium(chromium_program()) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """Return the one page of a browser that knows nothing of other tests."""
    async with await chromium.new_context() as context:
        yield await context.new_page()
