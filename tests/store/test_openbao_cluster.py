"""A team's store on three nodes, of which one is killed, hangs, is stopped or steps down."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, NamedTuple, cast

import pytest

from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import Credential
from m3cred_tui.store.moving import move
from tests.store.bao_cluster import Cluster, bao_cluster, wait_until
from tests.store.bao_operations import (
    DONE,
    MOVES,
    Ask,
    ends,
    processes,
    reply_to,
    reply_to_move,
    rows,
    team_store,
)
from tests.store.swept_operations import (
    ID,
    OVER,
    REQUESTED,
    credential,
    request,
    store_in,
    tokens,
)
from tests.upkeep.conftest import world_in
from tests.upkeep.forking import asked, forks
from tests.upkeep.test_upkeep_crowd import is_connected, refreshes, tokens_used

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator
    from pathlib import Path

    from m3cred_tui.store.directory.store import DirectoryStore
    from m3cred_tui.store.openbao.store import OpenBaoStore
    from m3cred_tui.store.port import CredentialStore

pytestmark = [pytest.mark.long, pytest.mark.timeout(240), pytest.mark.xdist_group("cluster")]

_paths = count()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with bao_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def path() -> str:
    return f"cluster-{next(_paths)}"


def machine(cluster: Cluster, path: str, turn: int = 0) -> OpenBaoStore:
    """Return the store as on a machine that begins with this node."""
    addresses = [node.address for node in (*cluster.nodes[turn:], *cluster.nodes[:turn])]
    return team_store(*addresses, path=path, token=cluster.token, ca=str(cluster.certificate))


def one_at(number: int) -> str:
    return f"0196d5c8-0000-7000-8000-{number:012x}"


def _killed(cluster: Cluster) -> None:
    cluster.leader.send(signal.SIGKILL)


def _hung(cluster: Cluster) -> None:
    cluster.leader.hang()


def _stopped(cluster: Cluster) -> None:
    cluster.leader.send(signal.SIGTERM)


DISASTERS: dict[str, Callable[[Cluster], None]] = {
    "killed": _killed,
    "hung": _hung,
    "stopped": _stopped,
    "steps down": Cluster.step_down,
}


@pytest.mark.parametrize("disaster", DISASTERS)
def test_what_was_reported_done_is_there_whatever_happens_to_the_leader(
    disaster: str, cluster: Cluster, path: str
) -> None:
    begun = threading.Semaphore(0)
    told: dict[str, list[tuple[str, str]]] = {}

    def work(turn: int) -> None:
        store = machine(cluster, path, turn)
        for number in range(turn, 30, 3):
            one = one_at(number)
            does = [*_DOES, "delete"] if number % 2 else [*_DOES]
            told[one] = [(do, reply_to(_CHANGES[do](one), store)) for do in does]
            begun.release()

    with ThreadPoolExecutor(3) as machines:
        at_work = [machines.submit(work, turn) for turn in range(3)]
        for _ in range(9):
            begun.acquire()
        DISASTERS[disaster](cluster)
        for worker in at_work:
            worker.result()
    cluster.whole()
    other = machine(cluster, path, 2)
    problems = Counter(reply for replies in told.values() for _, reply in replies)
    assert problems[DONE] > 75, problems
    for one, replies in told.items():
        assert found(other, one) in expected(replies), (one, replies)


CHECKED = CheckResult(Outcome.OK, credential().created_at)
MOVED = [one_at(number) for number in range(12)]
WHOLE = [[one, f"Name {one[-4:]}", "authenticated", f"sk_{one[-4:]}"] for one in MOVED[::-1]]


class Moving(NamedTuple):
    """A move of credentials that were checked, from or to the directory ``local``."""

    name: str
    cluster: Cluster
    path: str
    local: Path

    def ends(self, turn: int = 0) -> tuple[CredentialStore, CredentialStore]:
        """Return the source and the target, through a node."""
        return ends(self.name, self.local, machine(self.cluster, self.path, turn))

    def begin(self) -> None:
        source, _ = self.ends()
        store_in(self.local).prepare()
        for one, name, _, secret in WHOLE:
            source.create(credential(one, name), tokens(secret))
        source.checks.keep(dict.fromkeys(MOVED, CHECKED))

    def is_whole(self, done: Container[str] = ()) -> bool:
        """Return whether each is there or still here, as it was, and what is done is there."""
        source, target = map(rows, self.ends(2))
        gone = [one for one in WHOLE if one not in source and one not in target]
        not_moved = [one for one in source if one[0] in done or one not in WHOLE]
        return not gone and not not_moved and all(one in WHOLE for one in target)

    def completes(self) -> None:
        """Move again, and find each once, with its check."""
        team = machine(self.cluster, self.path, 1)
        assert reply_to_move(self.name, self.local, team) == DONE
        source, target = self.ends(2)
        assert (rows(source), rows(target)) == ([], WHOLE)
        assert target.checks.read() == dict.fromkeys(MOVED, CHECKED)


@pytest.fixture(params=MOVES)
def moving(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    path: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Moving:
    monkeypatch.setattr("m3cred_tui.store.openbao.refreshing.CLAIM", 2.0)
    moving = Moving(request.param, cluster, path, tmp_path)
    moving.begin()
    return moving


@pytest.mark.parametrize("disaster", DISASTERS)
def test_a_move_loses_and_doubles_nothing_whatever_happens_to_the_leader(
    disaster: str, moving: Moving
) -> None:
    begun = threading.Semaphore(0)

    def work() -> set[str]:
        done = set()
        for one in move(*moving.ends(), dry=False):
            begun.release()
            done |= {one.row.id} if one.is_done else set()
        return done

    with ThreadPoolExecutor(1) as mover:
        at_work = mover.submit(work)
        for _ in range(3):
            begun.acquire()
        DISASTERS[disaster](moving.cluster)
        done = at_work.result()
    moving.cluster.whole()
    assert moving.is_whole(done), done
    moving.completes()


def has(store: CredentialStore, least: int) -> bool:
    return len(store.ids()) >= least


def test_a_move_that_is_killed_again_and_again_loses_and_doubles_nothing(
    moving: Moving,
) -> None:
    cluster = moving.cluster
    team = {
        "addresses": [node.address for node in cluster.nodes],
        "path": moving.path,
        "token": cluster.token,
        "ca": str(cluster.certificate),
    }
    _, target = moving.ends()
    with processes() as run, ThreadPoolExecutor(1) as mover:
        for number in (2, 5, 8):
            pid: Future[int] = Future()
            ended = mover.submit(run, Ask(moving.name, team, str(moving.local)), pid)
            wait_until(partial(has, target, number), "some are moved")
            os.kill(pid.result(), signal.SIGKILL)
            assert ended.result() == -signal.SIGKILL
            assert moving.is_whole()
    moving.completes()


def _update(one: str) -> Callable[[OpenBaoStore], object]:
    changed = credential(one, f"Changed {one[-4:]}"), tokens("sk_changed")
    return lambda store: store.update(one, lambda *_before: changed)


def _refresh(one: str) -> Callable[[OpenBaoStore], object]:
    def run(store: OpenBaoStore) -> None:
        with store.refreshes.begun(one) as refresh:
            refresh.ask(OVER)
            refresh.keep(tokens("sk_refreshed"))

    return run


def _create(one: str) -> Callable[[OpenBaoStore], object]:
    return _named(one, f"New {one[-4:]}", "sk_new")


def _named(one: str, name: str, secret: str = "sk_x") -> Callable[[OpenBaoStore], object]:
    new = credential(one, name), tokens(secret)
    return lambda store: store.create(*new, store.stamp())


def _delete(one: str) -> Callable[[OpenBaoStore], object]:
    return lambda store: store.delete(one)


_DOES = "create", "update", "refresh"
_CHANGES = {"create": _create, "update": _update, "refresh": _refresh, "delete": _delete}
_AFTER = {"create": "sk_new", "update": "sk_changed", "refresh": "sk_refreshed", "delete": None}


def found(store: OpenBaoStore, one: str) -> str | None:
    row = store.read(one)
    if row is None:
        return None
    assert isinstance(row, Credential), row
    access_token = store.tokens(one).access_token
    assert access_token is not None
    return access_token.reveal()


def expected(replies: list[tuple[str, str]]) -> set[str | None]:
    """Return what may be there: what was done last, and whatever may have been done since."""
    possible: set[str | None] = {None}
    for do, reply in replies:
        if reply == DONE:
            possible = {_AFTER[do]}
        elif reply == "Unconfirmed":
            possible.add(_AFTER[do])
    return possible


def test_what_one_machine_has_just_written_is_what_another_reads_at_a_standby(
    cluster: Cluster, path: str
) -> None:
    ours, turn = machine(cluster, path), cluster.nodes.index(cluster.standbys[0])
    for number in range(50):
        one = one_at(number)
        assert reply_to(_create(one), ours) == DONE
        assert found(machine(cluster, path, turn), one) == "sk_new"


def test_of_machines_that_finish_the_same_request_one_sends_its_code(
    cluster: Cluster, path: str
) -> None:
    stores = [machine(cluster, path, number % 3) for number in range(12)]
    for turn in range(10):
        one = REQUESTED._replace(id=one_at(turn))
        stores[0].requests.keep(one, request())
        with ThreadPoolExecutor(len(stores)) as machines:
            replies = Counter(machines.map(partial(reply_to, _answer(one)), stores))
        assert replies == {DONE: 1, "AnsweredElsewhere": len(stores) - 1}


def _answer(one: Credential) -> Callable[[OpenBaoStore], object]:
    return lambda store: store.requests.answer(one, request())


def test_a_storm_of_creates_renames_and_deletes_leaves_what_was_reported(
    cluster: Cluster, path: str
) -> None:
    names = [f"Name {number}" for number in range(6)]

    def work(turn: int) -> dict[str, str]:
        """Return the names that this machine's credentials have at the end."""
        store, chance = machine(cluster, path, turn % 3), random.Random(turn)
        own: dict[str, str] = {}
        for number in range(25):
            one, name = one_at(1000 * turn + number), chance.choice(names)
            do = chance.choice(["create", "rename", "delete"]) if own else "create"
            old = chance.choice(sorted(own)) if own else ""
            if do == "create":
                if reply_to(_named(one, name), store) == DONE:
                    own[one] = name
            elif do == "rename":
                if reply_to(_renamed(old, name), store) == DONE:
                    own[old] = name
            elif reply_to(_delete(old), store) == DONE:
                del own[old]
        return own

    with ThreadPoolExecutor(6) as machines:
        kept = [*machines.map(work, range(6))]
    reported = {one: name for own in kept for one, name in own.items()}
    there = machine(cluster, path)
    rows = [there.read(one) for one in there.ids()]
    assert {row.id: row.name for row in rows if isinstance(row, Credential)} == reported
    assert len({*reported.values()}) == len(reported), "a name was given twice"


def _renamed(one: str, name: str) -> Callable[[OpenBaoStore], object]:
    return lambda store: store.update(
        one, lambda before, held: (before._replace(name=name), held), store.stamp()
    )


def test_machines_refresh_each_single_use_token_once_whoever_is_killed(
    cluster: Cluster, path: str, tmp_path: Path
) -> None:
    addresses = [node.address for node in cluster.nodes]
    ca, chance = str(cluster.certificate), random.Random(20260304)
    team = {"addresses": addresses, "path": path, "ca": ca, "token": cluster.token}
    disasters = iter(DISASTERS.values())
    ended: Counter[str] = Counter()
    with world_in(tmp_path) as world, forks() as forking:
        world.store = cast("DirectoryStore", machine(cluster, path))  # by the port alone
        credentials = [world.connect(f"owner{number}@acme.example") for number in range(20)]
        world.clock.go_on(hours=1)
        for number, one in enumerate(credentials):
            before = refreshes(world)
            ask = asked(world, tmp_path, "access", one, team)
            if number % 5 == 4:
                next(disasters)(cluster)
            crowd = forking.crowd(ask, [*(chance.randint(5, 40) for _ in range(3)), 0])
            cluster.whole()
            [last] = forking.crowd(ask, [0])
            ended.update(told.outcome for told in crowd)
            assert tokens_used([*crowd, last]) == {world.access_token(one)}
            assert is_connected(world, last.told)
            assert refreshes(world) == before + 1, crowd
    assert ended["killed"] > 20, ended


def test_the_engines_own_client_reads_a_record_and_its_log_has_no_name_account_or_token(
    cluster: Cluster, path: str
) -> None:
    store = machine(cluster, path)
    store.create(credential(name="Canary Name"), tokens("sk_live_canary"), store.stamp())
    store.update(ID, lambda one, held: (one._replace(name="Canary Renamed"), held))
    store.checks.read()
    read = cluster.request("GET", f"secret/data/{path}/credentials/{ID}").json()
    assert "sk_live_canary" in str(read["data"]["data"])
    logged = cluster.audit_log.read_text()
    assert path in logged
    for canary in ("Canary", "sk_live_canary", "acct_1Acme", "Acme Ltd", cluster.token):
        assert canary not in logged
