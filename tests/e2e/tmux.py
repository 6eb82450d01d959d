"""A program in tmux in a terminal."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.conftest import program
from tests.e2e.terminal import Terminal, terminal


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
