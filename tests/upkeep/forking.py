"""A warm, single-threaded process that forks users of a credential, and kills them."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import traceback
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING, Any, NamedTuple

from m3cred_tui.model.credential import STRIPE_TEST
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.openbao import refreshing
from m3cred_tui.stripe.gateway import Platform
from m3cred_tui.upkeep.service import Upkeep
from tests.store.bao_operations import team_store, warm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from m3cred_tui.store.port import CredentialStore
    from tests.upkeep.conftest import World

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.upkeep.forking import serve
serve()
"""
_ROOT = Path(__file__).parents[2]

_WAKING = (b"\0",)
"""What an event loop sends itself."""

Ask = dict[str, Any]


class Told(NamedTuple):
    """How a process ended: ``used`` with its access token, a problem's name, or ``killed``."""

    outcome: str
    told: str = ""
    steps: int = 0


class Forks:
    """The parent's side of the pipe."""

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        assert server.stdin is not None
        assert server.stdout is not None
        self._asks, self._answers = server.stdin, server.stdout

    def crowd(self, ask: Ask, kills: Sequence[int]) -> list[Told]:
        """Run an operation in as many processes at the same time.

        Each is killed after it has changed something, or heard of Stripe, that many times; 0
        is never.
        """
        self._asks.write(json.dumps({**ask, "kills": list(kills)}).encode() + b"\n")
        self._asks.flush()
        return [Told(*told) for told in json.loads(self._answers.readline())]


@contextmanager
def forks() -> Iterator[Forks]:
    command = [sys.executable, "-I", "-B", "-c", _PROGRAM, str(_ROOT)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as server:
        yield Forks(server)


def asked(
    world: World,
    root: Path,
    operation: str,
    credential_id: str,
    team: Mapping[str, object] | None = None,
) -> Ask:
    """Return what a crowd is to do; ``team`` is what ``team_store`` takes, with addresses."""
    platform = world.platforms[STRIPE_TEST]
    return {
        "root": str(root),
        "operation": operation,
        "id": credential_id,
        "now": world.clock().isoformat(),
        "client_id": platform.client_id,
        "secret_key": platform.secret_key.reveal(),
        "base": platform.api_base,
        "team": team,
    }


def serve() -> None:
    """Fork for each line of the standard input, until it ends."""
    # Warm, so that no kill hits an import.
    warm()
    for module in ("anyio._backends._asyncio", "certifi", "m3cred_tui.stripe.transport"):
        import_module(module)

    refreshing.CLAIM = 2.0  # seconds, after which another machine takes over from a killed one
    while line := sys.stdin.readline():
        ask = json.loads(line)
        children = [
            _fork({**ask, "turn": turn}, kill) for turn, kill in enumerate(ask["kills"])
        ]
        _say([one.told() for one in children])


class _Child(NamedTuple):
    pid: int
    pipe: int

    def told(self) -> Told:
        with os.fdopen(self.pipe, "rb") as pipe:
            said = pipe.read()
        os.waitpid(self.pid, 0)
        return Told(*json.loads(said)) if said else Told("killed")


def _fork(ask: Ask, kill: int) -> _Child:
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return _Child(pid, ours)
    os.close(ours)
    steps = _Steps(kill)
    told = _told(ask)._replace(steps=steps.taken)
    steps.kill = 0
    os.write(theirs, json.dumps(told).encode())
    os._exit(0)


class _Steps:
    """Counts the effects that others may notice of this process, and kills it after one."""

    def __init__(self, kill: int) -> None:
        self.kill = kill
        self.taken = 0
        for name in ("mkdir", "write", "ftruncate", "replace", "link", "unlink"):
            setattr(os, name, self._counted(getattr(os, name)))
        for kind in (socket.socket, ssl.SSLSocket):
            for name in ("send", "sendall", "sendmsg", "recv"):
                setattr(kind, name, self._counted(getattr(kind, name)))

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            result = call(*given, **named)
            if given[1:] == _WAKING:
                return result
            self.taken += 1
            if self.taken == self.kill:
                os.kill(os.getpid(), SIGKILL)
            return result

        return counted


def _told(ask: Ask) -> Told:
    try:
        return Told("used", asyncio.run(_OPERATIONS[ask["operation"]](ask)))
    except Problem as problem:
        return Told(type(problem).__name__, str(problem))
    except BaseException:
        return Told("traceback", traceback.format_exc())


async def _access(ask: Ask) -> str:
    return (await _upkeep(ask).access(ask["id"])).key.reveal()


async def _disconnect(ask: Ask) -> str:
    return (await _upkeep(ask).disconnect(ask["id"])).told


_OPERATIONS = {"access": _access, "disconnect": _disconnect}


def _upkeep(ask: Mapping[str, Any]) -> Upkeep:
    now = datetime.fromisoformat(ask["now"])
    key, base = Secret(ask["secret_key"]), ask["base"]
    platform = Platform(ask["client_id"], key, base, base)
    return Upkeep(_store(ask), lambda _destination: platform, lambda: now)


def _store(ask: Mapping[str, Any]) -> CredentialStore:
    if team := ask["team"]:
        first = ask["turn"] % len(team["addresses"])  # each begins at another node
        addresses = [*team["addresses"][first:], *team["addresses"][:first]]
        return team_store(*addresses, path=team["path"], ca=team["ca"], token=team["token"])
    root = Path(ask["root"])
    return DirectoryStore(
        root / "data", IdentityFile(root / "config" / "identity.txt", root / "data")
    )


def _say(answer: object) -> None:
    data = json.dumps(answer).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]
