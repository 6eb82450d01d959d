"""Whatever happens to a request to the engine, a change is made or not, as reported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.store.bao_operations import (
    DONE,
    OPERATIONS,
    impatient,
    reply_to,
    state,
    team_store,
)
from tests.store.bao_proxy import Fault, Proxy, proxy_before
from tests.store.port import bao
from tests.store.swept_table import SWEPT_TEAM, TEAM_FAULTS, cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.store.bao_operations import Operation
    from tests.store.swept_table import Outcome

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]

_UNKNOWN = {"Unconfirmed", "OutcomeUnknown"}
_ASKS_AGAIN = "answer request"
"""It may be claimed when a problem is told, which is found when it is tried again."""
_paths = count()


class World(NamedTuple):
    """An engine, and a proxy on the way to it."""

    engine: str
    proxy: Proxy

    def begun(self, operation: Operation) -> str:
        """Make the state before an operation, under a path of its own, which is returned."""
        path = f"faults-{os.getpid()}-{next(_paths)}"
        operation.before(team_store(self.engine, path=path))
        return path

    def state(self, path: str) -> object:
        """Return what another machine finds."""
        return state(team_store(self.engine, path=path))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("PATIENCE", "_SILENCE", "_PAUSE"):
        monkeypatch.setattr(f"m3cred_tui.store.openbao.client.{name}", 0.0)  # put back later
    impatient()
    engine = bao.running().address
    with proxy_before(engine) as proxy:
        yield World(engine, proxy)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_fault_at_any_request_leaves_the_old_or_the_new_state_as_reported(
    name: str, world: World, record_property: Callable[[str, object], None]
) -> None:
    operation = OPERATIONS[name]
    old, new, requests = _without_a_fault(world, operation)
    counts: Counter[tuple[str, Outcome]] = Counter()
    for at in range(requests):
        for fault in Fault:
            path = world.begun(operation)
            world.proxy.expect(fault, at)
            told = reply_to(operation.run, team_store(world.proxy.address, path=path))
            found, told_of = world.state(path), f"{fault} at {world.proxy.seen[at]}: {told}"
            assert found in (old, new), told_of
            if told == DONE:
                assert found == new, told_of
            elif told not in _UNKNOWN and name not in _ASKS_AGAIN:
                assert found == old, told_of
            outcome: Outcome = (
                "unknown" if told in _UNKNOWN else "new" if told == DONE else "old"
            )
            counts[fault.value, outcome] += 1
    for died, times in _killed(world, operation, requests, (old, new)).items():
        counts["kill", died] += times
    record_property(SWEPT_TEAM, [name, requests, cells(counts, TEAM_FAULTS)])


def _without_a_fault(world: World, operation: Operation) -> tuple[object, object, int]:
    path = world.begun(operation)
    old = world.state(path)
    world.proxy.expect(None)
    assert reply_to(operation.run, team_store(world.proxy.address, path=path)) == DONE
    new = world.state(path)
    assert new != old
    return old, new, len(world.proxy.seen)


def _killed(
    world: World, operation: Operation, requests: int, states: tuple[object, object]
) -> Counter[Outcome]:
    """Kill the process before and after the engine acts on each request."""
    (name,) = (name for name, one in OPERATIONS.items() if one is operation)
    counts: Counter[Outcome] = Counter()
    with _processes() as run:
        for at in range(requests):
            for moment in ("before", "after"):
                path = world.begun(operation)
                pid: Future[int] = Future()
                world.proxy.expect(None, at)
                setattr(
                    world.proxy, moment, lambda pid=pid: os.kill(pid.result(), signal.SIGKILL)
                )
                assert run(world.proxy.address, path, name, pid) == -signal.SIGKILL
                world.proxy.before = world.proxy.after = None
                found = world.state(path)
                assert found in states, f"killed {moment} {world.proxy.seen[at]}"
                counts["new" if found == states[1] else "old"] += 1
    return counts


_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.store.bao_operations import serve
serve()
"""


@contextmanager
def _processes() -> Iterator[Callable[[str, str, str, Future[int]], int]]:
    """Give what runs an operation in a process of its own, and returns its exit status."""
    command = [sys.executable, "-I", "-c", _PROGRAM, str(Path(__file__).parents[2])]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        asks, answers = process.stdin, process.stdout
        assert asks is not None
        assert answers is not None

        def run(address: str, path: str, name: str, pid: Future[int]) -> int:
            asks.write(json.dumps([address, path, name]) + "\n")
            asks.flush()
            pid.set_result(int(answers.readline()))
            return int(answers.readline())

        yield run
        with suppress(BrokenPipeError):
            asks.close()
