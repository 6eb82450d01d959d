"""The command line in processes of its own, as a shell would start it."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.cli.forking import Forks, forks
from tests.e2e.terminal import ENTER, Terminal, terminal

Start = Callable[..., AbstractAsyncContextManager[Terminal]]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose directories are this test's."""
    directories = {
        f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("DATA", "CONFIG", "STATE")
    }
    kept = {name: os.environ[name] for name in ("PATH", "LANG")}
    return {**kept, **directories, "HOME": str(tmp_path), "TERM": "xterm-256color"}


@pytest.fixture
def python(environment: dict[str, str]) -> Run:
    """Run this Python with ``arguments``, without a terminal, until it ends."""

    def run(
        *arguments: str, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            env={**environment, **(more or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def warm() -> Iterator[Forks]:
    with forks() as made:
        yield made


@pytest.fixture
def m3cred(warm: Forks, environment: dict[str, str]) -> Run:
    """Run ``m3cred`` with ``arguments``, without a terminal, until it ends.

    It is forked with all modules there, which is most of what a short command costs.
    """

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        try:
            command = warm.start({**environment, **more}, *arguments)
            return subprocess.CompletedProcess(arguments, *command.end())
        finally:
            warm.kill()

    return run


@pytest.fixture
def m3cred_anew(python: Run) -> Run:
    """Do the same as a shell would, for what a process has from its start."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return python("-m", "m3cred_tui", *arguments, more=more)

    return run


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Start:
    """Run ``m3cred`` with ``arguments`` on a terminal, which may be wide and with more set."""
    environment |= {"LANG": "C.UTF-8", "TMPDIR": str(tmp_path)}

    @asynccontextmanager
    async def run(
        *arguments: str, columns: int = 240, lines: int = 24, **more: str
    ) -> AsyncIterator[Terminal]:
        command = [sys.executable, "-m", "m3cred_tui", *arguments]
        environ = environment | more
        async with terminal(command, environ, columns=columns, lines=lines) as shown:
            yield shown

    return run


@pytest.fixture
def shell(environment: dict[str, str]) -> Start:
    """Run a shell with job control, in which ``m3cred`` stands for the command."""

    @asynccontextmanager
    async def run() -> AsyncIterator[Terminal]:
        # Without editing, it leaves the terminal as a program finds it: what is typed is shown.
        command = ["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"]
        environ = environment | {"LANG": "C.UTF-8", "PS1": "$ "}
        async with terminal(command, environ, columns=90, lines=40) as shown:
            shown.press(f"alias m3cred=\"'{sys.executable}' -m m3cred_tui\"", ENTER)
            yield shown

    return run
