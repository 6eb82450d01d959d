"""Attack a callback server in every way at the same time, from a process beside.

    python -m tests.e2e.attackers PORT STATE

It goes on until its standard input ends. A line of JSON on its standard output says what has
become of each kind of attack, every now and then and at the end.
"""

import asyncio
import json
import re
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.e2e.attacks import FORGED, REQUESTS, Aim

IDLE, SLOW = "idle connections", "a byte each 100 ms"

CROWDS = {FORGED: 300, IDLE: 200, SLOW: 100, **dict.fromkeys(REQUESTS.keys() - {FORGED}, 20)}
"""How many attack at the same time in each way."""
_A_LINE_EACH, _A_BYTE_EACH = 0.25, 0.1
_BEFORE_ANOTHER_TRY = 0.05
_PATIENCE = 30.0
_ADDRESSES = cycle([(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_ROOT = Path(__file__).parents[2]

Tallies = dict[str, "Tally"]


@dataclass(slots=True)
class Tally:
    """What has become of one kind of attack."""

    sent: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    """How many for each status."""
    hung_up: int = 0
    """Ended by the server without an answer."""
    late: int = 0
    """Nobody listened any more."""
    accepted: int = 0
    """Answered as Stripe's redirect is, or so that a page from elsewhere can read it."""

    def count(self, answer: bytes) -> None:
        found = _STATUS.match(answer)
        if found is None:
            self.hung_up += 1
            return
        status = found[1].decode()
        self.answers[status] = self.answers.get(status, 0) + 1
        self.accepted += status < "400" or b"access-control-allow" in answer.lower()


class Attack:
    """The test's side of it."""

    def __init__(self) -> None:
        self._told = asyncio.Event()
        self.tallies: Tallies = {}

    @property
    def connections(self) -> int:
        return sum(tally.sent for tally in self.tallies.values())

    async def until(self, reached: Callable[[Tallies], bool], patience: float = 30.0) -> None:
        """Let it go on until ``reached``."""
        async with asyncio.timeout(patience):
            while not (self.tallies and reached(self.tallies)):
                self._told.clear()
                await self._told.wait()

    async def follow(self, reports: asyncio.StreamReader) -> None:
        """Take in what is told until there is no more."""
        async for line in reports:
            reported: dict[str, Any] = json.loads(line)
            self.tallies = {kind: Tally(**tally) for kind, tally in reported.items()}
            self._told.set()


@asynccontextmanager
async def attackers(aim: Aim) -> AsyncIterator[Attack]:
    """Attack for a block."""
    command = sys.executable, "-m", __name__, str(aim.port), aim.state
    process = await asyncio.create_subprocess_exec(*command, cwd=_ROOT, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    attack = Attack()
    following = asyncio.create_task(attack.follow(process.stdout))
    try:
        yield attack
    finally:
        process.stdin.close()
        await following
        assert await process.wait() == 0


async def _attack(aim: Aim, tallies: Tallies) -> None:
    async with asyncio.TaskGroup() as group:
        for kind, tally in tallies.items():
            requests = REQUESTS[kind](aim) if kind in REQUESTS else None
            for _ in range(CROWDS[kind]):
                if requests is None:
                    group.create_task(_dawdle(aim, tally, 1 if kind == SLOW else 0))
                else:
                    group.create_task(_send(aim, tally, requests))


async def _send(aim: Aim, tally: Tally, requests: Iterator[bytes]) -> None:
    """Send one request after the other, each on a connection of its own."""
    loop = asyncio.get_running_loop()
    async for connection in _connections(aim, tally):
        with suppress(OSError):  # answered before all of it was read
            await loop.sock_sendall(connection, next(requests))
        tally.count(await _answer(connection))


async def _dawdle(aim: Aim, tally: Tally, most: int) -> None:
    """Send so many bytes each time until the server ends it; then again."""
    loop = asyncio.get_running_loop()
    endless = aim.request("GET", "/callback?code=ac_1&state=x", f"Cookie: {'a' * 9000}")
    async for connection in _connections(aim, tally):
        answering = asyncio.ensure_future(_answer(connection))
        for byte in endless:
            done, _ = await asyncio.wait([answering], timeout=_A_BYTE_EACH)
            if done:
                break
            with suppress(OSError):  # the answer tells
                await loop.sock_sendall(connection, bytes([byte])[:most])
        tally.count(await answering)


async def _connections(aim: Aim, tally: Tally) -> AsyncIterator[socket.socket]:
    """Connect again and again, on one of the two addresses."""
    family, host = next(_ADDRESSES)
    loop = asyncio.get_running_loop()
    while True:
        with socket.socket(family) as connection:
            connection.setblocking(False)
            try:
                await loop.sock_connect(connection, (host, aim.port))
            except OSError:
                tally.late += 1
                await asyncio.sleep(_BEFORE_ANOTHER_TRY)
            else:
                tally.sent += 1
                yield connection


async def _answer(connection: socket.socket) -> bytes:
    """Return what comes until the server ends it, in whichever way."""
    loop = asyncio.get_running_loop()
    answer = b""
    with suppress(OSError):
        async with asyncio.timeout(_PATIENCE):
            while data := await loop.sock_recv(connection, 65_536):
                answer += data
    return answer


async def _main(aim: Aim) -> None:
    tallies = {kind: Tally() for kind in (*REQUESTS, IDLE, SLOW)}
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
    attacking = asyncio.create_task(_attack(aim, tallies))
    while not ended.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(_A_LINE_EACH):
                await ended.wait()
        print(json.dumps({kind: asdict(tally) for kind, tally in tallies.items()}), flush=True)
        assert not attacking.done()
    attacking.cancel()


if __name__ == "__main__":
    asyncio.run(_main(Aim(int(sys.argv[1]), sys.argv[2])))
