"""What another process of the same user, and the disk, may learn of m3cred."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.conftest import program
from tests.e2e.terminal import Terminal, terminal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")

_PATTERN = Path("/proc/sys/kernel/core_pattern")
CORE_PATTERN = _PATTERN.read_text() if _PATTERN.exists() else ""
M3CRED = [sys.executable, "-m", "m3cred_tui"]
OTHER = [sys.executable, "-c", "import sys, time; print('started', flush=True); time.sleep(60)"]
# Names one after the other what it may open of a process.
LOOK = """
import sys
for name in ("environ", "mem", "maps"):
    try:
        open(f"/proc/{sys.argv[1]}/{name}", "rb").close()
    except PermissionError:
        continue
    print(name)
"""

Run = Callable[..., Awaitable[Terminal]]


@pytest.fixture
def as_user() -> list[str]:
    """Return a prefix with which root is what every user is: without a capability."""
    if os.geteuid() != 0:
        return []
    return [program("setpriv"), "--bounding-set=-all", "--inh-caps=-all"]


def test_what_is_made_can_be_used_whatever_the_umask_and_by_this_user_alone(
    as_user: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    change = [*as_user, *M3CRED, "config", "set", "store.mount", "mount"]
    subprocess.run(change, env=environment, check=True, umask=0o777, timeout=30)
    modes = {stat.filemode(one.stat().st_mode) for one in tmp_path.rglob("*")}
    assert modes == {"drwx------", "-rw-------"}


@pytest.fixture
async def run(as_user: list[str], environment: dict[str, str]) -> AsyncIterator[Run]:
    """Run a command in a terminal, with ``prepared`` done in its shell before."""
    async with AsyncExitStack() as stack:

        async def run(command: list[str], shown: str, prepared: str = ":") -> Terminal:
            shell = ["/bin/sh", "-c", f'{prepared}; exec "$@"', "sh", *as_user, *command]
            app = await stack.enter_async_context(terminal(shell, environment))
            await app.shows(shown)
            return app

        yield run


@pytest.fixture
def seen_by_another(as_user: list[str]) -> Callable[[Terminal], str]:
    """Say what another process of the same user may open of one."""

    def seen(app: Terminal) -> str:
        look = [*as_user, sys.executable, "-I", "-c", LOOK, str(app.pid)]
        return subprocess.run(look, check=True, capture_output=True, text=True).stdout

    return seen


Seen = Callable[[Terminal], str]


async def test_another_process_of_the_user_reads_neither_memory_nor_environment(
    run: Run, seen_by_another: Seen
) -> None:
    app = await run([*M3CRED, "--demo"], "There are no credentials yet")
    assert seen_by_another(app) == ""


async def test_nor_where_a_passphrase_is_asked_for(run: Run, seen_by_another: Seen) -> None:
    app = await run([*M3CRED, "identity", "protect"], "New passphrase")
    assert seen_by_another(app) == ""


async def test_of_a_process_that_does_nothing_about_it_they_are_read(
    run: Run, seen_by_another: Seen
) -> None:
    assert "environ" in seen_by_another(await run(OTHER, "started"))


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
@pytest.mark.quick(1)
async def test_a_violent_death_leaves_no_core_file(
    run: Run, tmp_path: Path, number: signal.Signals
) -> None:
    app = await run(
        [*M3CRED, "--demo"],
        "There are no credentials yet",
        f"cd {tmp_path}; ulimit -c unlimited",
    )
    app.signal(number)
    assert await app.ends() == -number
    assert core_files(tmp_path) == []


@pytest.mark.skipif(not CORE_PATTERN.startswith("core"), reason="core files go elsewhere")
async def test_of_a_process_that_does_nothing_about_it_there_is_one(
    run: Run, tmp_path: Path
) -> None:
    app = await run(OTHER, "started", f"cd {tmp_path}; ulimit -c unlimited")
    app.signal(signal.SIGABRT)
    await app.ends()
    assert core_files(tmp_path) != []


def core_files(directory: Path) -> list[Path]:
    return list(directory.glob("core*"))
