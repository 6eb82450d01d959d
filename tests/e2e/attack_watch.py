"""What an attack does to the app: each screen of the wait, keys, memory and open files."""

import asyncio
import re
import socket
import time
from pathlib import Path
from typing import NamedTuple, Self

from tests.e2e.terminal import Terminal
from tests.e2e.wizard import ACCOUNT

_HERE, _ELSEWHERE = "1 Open this URL in a browser", "1 Open this URL through a tunnel"
_KEYS = 10
_A_SAMPLE_EACH = 0.1
_DRAWN = 0.05
"""Seconds of silence after which a screen is whole."""

COUNTING = """
import os, socket, sys, threading
from m3cred_tui.cli.main import main

asked = socket.socket(socket.AF_UNIX)
asked.bind(sys.argv[1])
asked.listen()

def count():
    while True:
        asker, _ = asked.accept()
        with asker:
            asker.sendall(b"%d" % len(os.listdir("/proc/self/fd")))

threading.Thread(target=count, daemon=True).start()
sys.exit(main(["--demo"]))
"""
"""An app that says at a socket how many files it has open, which only itself may see."""


class Watched(NamedTuple):
    """An app, and the socket at which it counts its files."""

    app: Terminal
    counting: Path


class Usage(NamedTuple):
    """What a process has: its memory in KiB, and how many open files."""

    memory: int
    files: int

    @classmethod
    def of(cls, watched: Watched) -> Self:
        status = Path(f"/proc/{watched.app.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(str(watched.counting))
            return cls(int(found[1]), int(asked.recv(16)))


class Watch:
    """Looks on for a block."""

    def __init__(self, watched: Watched) -> None:
        self._watched, self._app = watched, watched.app
        self._began, self._drawn = time.monotonic(), len(self._app.raw)
        self._usages = [Usage.of(watched)]
        self.words: set[str] = set()
        """Those of every screen before the account is shown."""

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._see()), asyncio.create_task(self._sample())]
        return self

    async def __aexit__(self, *_exception: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    @property
    def peak(self) -> Usage:
        return Usage(*map(max, zip(*self._usages, strict=True)))

    @property
    def bytes_a_second(self) -> float:
        return (len(self._app.raw) - self._drawn) / (time.monotonic() - self._began)

    async def _see(self) -> None:
        while ACCOUNT not in self._app.text:
            self.words |= words(self._app.text)
            await self._app.output()
            await self._app.settles(_DRAWN)

    async def _sample(self) -> None:
        while True:
            self._usages.append(Usage.of(self._watched))
            await asyncio.sleep(_A_SAMPLE_EACH)


def words(text: str) -> set[str]:
    """Return the words in a text, with each number as 0; a line or a bar is no word."""
    return {one for one in re.sub(r"\d+", "0", text).split() if re.search(r"\w", one)}


async def times_of_keys(app: Terminal) -> list[float]:
    """Change between the places of a browser; return how long each key takes to show."""
    times = []
    for place in (_ELSEWHERE, _HERE) * (_KEYS // 2):
        pressed = time.monotonic()
        app.press("b")
        await app.shows(place)
        times.append(time.monotonic() - pressed)
        await app.settles(3 * _DRAWN)
    return times
