"""The processes of the server's users, and what they do there."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.e2e.ssh.boot_server import USERS
from tests.e2e.ssh.machines import ENVIRON, Server
from tests.e2e.terminal import PATIENCE, Terminal

Loss = Callable[[Terminal, Server], None]

_HOLDING = """
import socket, sys
held = []
for address in sys.argv[1:]:
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    held.append(socket.create_server((host, int(port)), family=family))
print("up", flush=True)
sys.stdin.read()
for one in held:
    one.setblocking(False)
    try:
        one.accept()
    except BlockingIOError:
        continue
    print("visited", *one.getsockname())
"""


def ssh_client_dies(session: Terminal, _server: Server) -> None:
    session.signal(signal.SIGKILL)


def sshd_session_dies(_session: Terminal, server: Server) -> None:
    _kill(processes(server, "sshd: alice"))


def server_loses_power(_session: Terminal, server: Server) -> None:
    _kill(processes(server))


async def lose(loss: Loss, session: Terminal, server: Server) -> None:
    """Lose the connection, and wait until that has ended m3cred."""
    m3cred = processes(server, sys.executable)
    assert m3cred
    loss(session, server)
    await gone(m3cred)
    await session.ends()


def processes(server: Server, program: str = "", user: str = "alice") -> list[int]:
    """Return a user's processes on the server whose command line begins with this."""
    machine = Path("/proc", str(server.machine.process), "ns/pid").readlink()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            on_it = (
                place.stat().st_uid == USERS[user] and (place / "ns/pid").readlink() == machine
            )
            if on_it and (place / "cmdline").read_bytes().startswith(program.encode()):
                found.append(int(place.name))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
    return found


@asynccontextmanager
async def holding(server: Server, user: str, *addresses: str) -> AsyncIterator[None]:
    """Let a program of this user listen, which nobody may visit."""
    command = server.as_user(user, sys.executable, "-c", _HOLDING, *addresses)
    process = await asyncio.create_subprocess_exec(
        *command, env=ENVIRON, stdin=PIPE, stdout=PIPE
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"up\n"
        yield
    finally:
        told, _ = await process.communicate(b"")  # it ends with its input
    assert told == b""


def _kill(processes: Iterable[int]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):  # one may have ended with another
            os.kill(process, signal.SIGKILL)


async def gone(processes: Iterable[int]) -> None:
    """Wait until none of them is there any more."""
    for process in processes:
        with suppress(ProcessLookupError):
            await _ended(os.pidfd_open(process))


async def _ended(watch: int) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(watch, ended.set)
    try:
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
    finally:
        loop.remove_reader(watch)
        os.close(watch)
