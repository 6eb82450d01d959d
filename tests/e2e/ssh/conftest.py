import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.browsers import headless_chromium
from tests.e2e.conftest import chromium_program, program
from tests.e2e.ssh import machines
from tests.e2e.ssh.machines import Keys, Machine, Server, make_keys
from tests.e2e.ssh.sessions import LogIn, logged_in
from tests.e2e.terminal import Terminal


@pytest.fixture(scope="session")
def keys() -> Iterator[Keys]:
    """Return new keys, once it is sure that there can be machines to use them."""
    programs = ("ip", "mount", "nsenter", "screen", "setpriv", "ssh", "sshd", "tmux", "unshare")
    for name in programs:
        program(name)
    if reason := machines.forbidden():
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="ssh-") as place:
        yield make_keys(Path(place))


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def laptop(keys: Keys) -> AsyncIterator[Machine]:
    async with machines.laptop() as laptop:
        yield laptop


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def chromium(laptop: Machine, keys: Keys) -> AsyncIterator[Browser]:
    """Return the laptop's browser."""
    started = keys.place / "chromium"
    started.write_text(f'#!/bin/sh\nexec {" ".join(laptop.on(chromium_program()))} "$@"\n')
    started.chmod(0o755)
    async with headless_chromium(str(started)) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def server(keys: Keys, laptop: Machine) -> AsyncIterator[Server]:
    """Return a server that nobody has logged in to before."""
    async with machines.server(keys, laptop) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def stripe(server: Server, laptop: Machine) -> AsyncIterator[None]:
    async with machines.stripe(server.keys, server.machine, laptop):
        yield


@pytest_asyncio.fixture(loop_scope="session")
async def log_in(server: Server, laptop: Machine) -> AsyncIterator[LogIn]:
    """Log in from the laptop and run a command line."""
    async with AsyncExitStack() as stack:

        async def log_in(command: str, **how: int | str) -> Terminal:
            session = logged_in(server, laptop, command, **how)  # type: ignore[arg-type]
            return await stack.enter_async_context(session)

        yield log_in
