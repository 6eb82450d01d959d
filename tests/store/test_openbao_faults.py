"""Whatever happens to a request to the engine, a change is made or not, as reported."""

from __future__ import annotations

import os
import signal
from collections import Counter
from concurrent.futures import Future
from functools import partial
from itertools import count
from pathlib import Path
from shutil import copytree
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

import pytest

from m3cred_tui.model.check import CheckResult
from m3cred_tui.model.check import Outcome as Checked
from tests.store.bao_operations import (
    DONE,
    MOVES,
    OPERATIONS,
    PATIENT,
    Ask,
    ends,
    impatient,
    processes,
    reply_to,
    reply_to_move,
    rows,
    state,
    team_store,
)
from tests.store.bao_proxy import Fault, Proxy, proxy_before
from tests.store.port import bao
from tests.store.swept_operations import ID, credential, store_in, tokens
from tests.store.swept_table import SWEPT_TEAM, TEAM_FAULTS, cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from m3cred_tui.store.port import CredentialStore
    from tests.store.bao_operations import Operation
    from tests.store.swept_table import Outcome

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]

_UNKNOWN = {"Unconfirmed", "OutcomeUnknown"}
_ASKS_AGAIN = "answer request"
"""It may be claimed when a problem is told, which is found when it is tried again."""
_CHECKED = CheckResult(Checked.OK, credential().created_at)
_WHOLE = [[ID, "Acme", "authenticated", "sk_live_first"]]
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
    for name in ("client.PATIENCE", "client._SILENCE", "client._PAUSE", "refreshing.CLAIM"):
        monkeypatch.setattr(f"m3cred_tui.store.openbao.{name}", 0.0)  # put back later
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
    for path, _, killed in _killed(
        world, name, range(requests), lambda: (world.begun(operation), "")
    ):
        found = world.state(path)
        assert found in (old, new), killed
        counts["kill", "new" if found == new else "old"] += 1
    record_property(SWEPT_TEAM, [name, requests, cells(counts, TEAM_FAULTS)])


def _without_a_fault(world: World, operation: Operation) -> tuple[object, object, int]:
    path = world.begun(operation)
    old = world.state(path)
    world.proxy.expect(None)
    assert reply_to(operation.run, team_store(world.proxy.address, path=path)) == DONE
    new = world.state(path)
    assert new != old
    return old, new, len(world.proxy.seen)


class Moves(NamedTuple):
    """A move of one credential that was checked, from or to the directory ``local``."""

    name: str
    world: World
    root: Path

    def begun(self) -> tuple[str, str]:
        """Make the state before it; return the path of the team and the directory."""
        path, local = f"moves-{os.getpid()}-{next(_paths)}", self.root / f"{next(_paths)}"
        if not (self.root / "prepared").exists():
            store_in(self.root / "prepared").prepare()
        copytree(self.root / "prepared", local)
        source, _ = self.ends(path, str(local))
        source.create(credential(), tokens())
        source.checks.keep({ID: _CHECKED})
        return path, str(local)

    def ends(self, path: str, local: str) -> tuple[CredentialStore, CredentialStore]:
        """Return both stores, as another machine finds them."""
        return ends(self.name, Path(local), team_store(self.world.engine, path=path))

    def run(self, path: str, local: str, address: str) -> str:
        return reply_to_move(self.name, Path(local), team_store(address, path=path))

    def outcome(self, path: str, local: str, told: str) -> Outcome:
        """Return where the credential is, in whole, after a move that ended so."""
        source, target = self.ends(path, local)
        found = rows(source), rows(target)
        if told.startswith(DONE):
            assert found == ([], _WHOLE), told
            return "new"
        assert found in ((_WHOLE, []), (_WHOLE, _WHOLE), ([], _WHOLE)), told
        return "old" if found == (_WHOLE, []) else "unknown"

    def completed(self, path: str, local: str, told: str) -> None:
        """Move again what was not moved, and find it whole, once, and with its check."""
        impatient(PATIENT)
        if not told.startswith(DONE):
            assert self.run(path, local, self.world.engine) == DONE, told
            assert self.outcome(path, local, DONE) == "new"
        _, target = self.ends(path, local)
        assert target.checks.read() == {ID: _CHECKED}, told
        impatient()


@pytest.mark.timeout(480)
@pytest.mark.parametrize("name", MOVES)
def test_a_fault_at_any_request_of_a_move_leaves_the_credential_whole_and_it_runs_again(
    name: str, world: World, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    moves = Moves(name, world, tmp_path)
    world.proxy.expect(None)
    begun = moves.begun()
    assert moves.run(*begun, world.proxy.address) == DONE
    requests = range(len(world.proxy.seen))
    moves.completed(*begun, "again, when there is nothing to move")
    counts: Counter[tuple[str, Outcome]] = Counter()
    for at in requests:
        for fault in Fault:
            path, local = moves.begun()
            world.proxy.expect(fault, at)
            told = moves.run(path, local, world.proxy.address)
            told = f"{told} with {fault} at {world.proxy.seen[at:]}"
            counts[fault.value, moves.outcome(path, local, told)] += 1
            moves.completed(path, local, told)
    for path, local, killed in _killed(world, name, requests, moves.begun):
        counts["kill", moves.outcome(path, local, killed)] += 1
        moves.completed(path, local, killed)
    record_property(SWEPT_TEAM, [name, len(requests), cells(counts, TEAM_FAULTS)])


def _killed(
    world: World, name: str, requests: Sequence[int], begun: Callable[[], tuple[str, str]]
) -> Iterator[tuple[str, str, str]]:
    """Kill the process before and after the engine acts on each request."""
    with processes() as run:
        for at in requests:
            for moment in ("before", "after"):
                path, local = begun()
                pid: Future[int] = Future()
                acted = Event()
                kill = partial(_kill, pid)
                # What was sent is carried out, even if who sent it is killed.
                world.proxy.before, world.proxy.after = (
                    (kill, acted.set) if moment == "before" else (acted.set, kill)
                )
                world.proxy.expect(None, at)
                team = {"addresses": [world.proxy.address], "path": path}
                ended = run(Ask(name, team, local), pid)
                assert ended == -signal.SIGKILL
                assert acted.wait(PATIENT)
                world.proxy.before = world.proxy.after = None
                yield path, local, f"killed {moment} {world.proxy.seen[at]}"


def _kill(pid: Future[int]) -> None:
    os.kill(pid.result(), signal.SIGKILL)
