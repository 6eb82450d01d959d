"""Durable changes against the bare system calls, and reading all against parsing the bytes."""

from __future__ import annotations

import json
import os
from time import perf_counter
from typing import TYPE_CHECKING

from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from tests.benchmarks.places import TOKENS, credential, filled
from tests.benchmarks.table import Line, median_ratio, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from m3cred_tui.model.credential import Credential
    from tests.benchmarks.programs import Programs

    Change = Callable[[Credential], object]

_COUNTS = 10_000, 100_000
_CHANGES = 40
"""In a round; each waits for the disk."""
_MOST_READING_ROUNDS = 5
_AIM, _AIM_OF_UPDATES = 2.0, 3.0
"""An update has to open the sealed part and to seal it anew: age takes 0.2 ms for that."""
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def store(programs: Programs, rounds: int) -> Iterator[Line]:
    """Measure in this process: starting another would take longer than most of it."""
    yield from _changes(programs.root / "changes", rounds)
    for count in _COUNTS:
        yield _reading(filled(programs.root, count), count, min(rounds, _MOST_READING_ROUNDS))


def _changes(root: Path, rounds: int) -> Iterator[Line]:
    ours = DirectoryStore(
        root / "data", IdentityFile(root / "config" / "identity.txt", root / "data")
    )
    ours.prepare()
    bare = root / "bare"
    bare.mkdir()
    first = credential(1)
    ours.create(first, TOKENS)
    data = (root / "data" / "credentials" / f"{first.id}.json").read_bytes()
    creates, updates = _Sides(), _Sides()
    folder = os.open(bare, os.O_RDONLY | os.O_DIRECTORY)
    for number in range(rounds):
        begin = 2 + number * _CHANGES
        new = [credential(one) for one in range(begin, begin + _CHANGES)]
        creates.add(
            _time(lambda one: ours.create(one, TOKENS), new),
            _time(lambda one: _bare_create(folder, f"{one.id}.json", data), new),
        )
        updates.add(
            _time(lambda one: ours.update(one.id, lambda *before: before), new),
            _time(lambda one: _bare_update(folder, f"{one.id}.json", data), new),
        )
    os.close(folder)
    yield creates.line("durable create, one of many")
    yield updates.line("durable update, opened and sealed anew", aim=_AIM_OF_UPDATES)


def _bare_create(folder: int, name: str, data: bytes) -> None:
    _bare_write(folder, data)
    os.link(".tmp", name, src_dir_fd=folder, dst_dir_fd=folder)
    os.unlink(".tmp", dir_fd=folder)
    os.fsync(folder)


def _bare_update(folder: int, name: str, data: bytes) -> None:
    _bare_write(folder, data)
    os.rename(".tmp", name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def _bare_write(folder: int, data: bytes) -> None:
    file = os.open(".tmp", _NEW_FILE, 0o600, dir_fd=folder)
    os.write(file, data)
    os.fsync(file)
    os.close(file)


def _reading(home: Path, count: int, rounds: int) -> Line:
    data = home / "data" / "m3cred"
    identity = IdentityFile(home / "config" / "m3cred" / "identity.txt", data)
    ours = DirectoryStore(data, identity)
    sides = _Sides()
    for _ in range(rounds):
        began = perf_counter()
        rows = ours.read_many(ours.ids())
        read = perf_counter() - began
        began = perf_counter()
        parsed = _parsed(data / "credentials")
        sides.add(read, perf_counter() - began)
        if not len(rows) == len(parsed) == count:
            raise ValueError(f"{len(rows)} and {len(parsed)} of {count} were read")
        del rows, parsed
    return sides.line(f"list and read {count:,}; yardstick: read and parse the same bytes")


def _parsed(credentials: Path) -> list[object]:
    names = sorted(os.listdir(credentials), reverse=True)  # noqa: PTH208  as the store does
    parsed = []
    for name in names:
        file = os.open(f"{credentials}/{name}", os.O_RDONLY)
        parsed.append(json.loads(os.read(file, 65536)))
        os.close(file)
    return parsed


def _time(change: Change, credentials: list[Credential]) -> float:
    began = perf_counter()
    for one in credentials:
        change(one)
    return (perf_counter() - began) / len(credentials)


class _Sides:
    """The times of m3cred and of its yardstick, by round."""

    def __init__(self) -> None:
        self.ours: list[float] = []
        self.bare: list[float] = []

    def add(self, ours: float, bare: float) -> None:
        self.ours.append(ours)
        self.bare.append(bare)

    def line(self, what: str, aim: float = _AIM) -> Line:
        ratio = median_ratio(self.ours, self.bare)
        return Line(
            what,
            milliseconds(self.ours),
            milliseconds(self.bare),
            f"{ratio:.2f}",
            f"{aim:g}",
            ratio <= aim,
        )
