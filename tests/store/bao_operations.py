"""What is done to a team's store while something goes wrong: one change each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from m3cred_tui.model.credential import Credential
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.moving import move
from m3cred_tui.store.openbao import client, refreshing
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.connection import Place
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.store import OpenBaoStore
from tests.store.swept_operations import (
    ID,
    OVER,
    PENDING,
    RENEWAL,
    REQUESTED,
    YOUNGER,
    credential,
    renewed,
    request,
    store_in,
    tokens,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from m3cred_tui.store.port import CredentialStore

ROOT = "root"
DONE = "done"
PATIENT = 30.0
"""Seconds that are enough for a request on a busy machine."""
_OTHER = "0196d5c8-0000-7000-8000-00000000000e"


class Operation(NamedTuple):
    """A change to the credential ``ID``, and what makes the state before it."""

    before: Callable[[OpenBaoStore], object]
    run: Callable[[OpenBaoStore], object]


def team_store(*addresses: str, path: str, token: str = ROOT, ca: str = "") -> OpenBaoStore:
    """Return the store as on another machine."""
    place = Place(addresses, "secret", path, ca_file=ca)
    return OpenBaoStore(Client(place, lambda: Secret(token)), Known(), pace=0)


def impatient(patience: float = 1.0) -> None:
    """Have requests of this process give up soon, and its claims run out."""
    client.PATIENCE, client._SILENCE, client._PAUSE = patience, 0.3 * patience, 0.02
    refreshing.CLAIM = 1.0


def state(store: CredentialStore) -> object:
    """Return all that a store holds."""
    return rows(store), store.disconnecting.ids()


def rows(store: CredentialStore) -> list[list[str]]:
    """Return each credential with its name, status and access token."""
    return [[one, *_told(store, one)] for one in store.ids()]


def _told(store: CredentialStore, credential_id: str) -> list[str]:
    row = store.read(credential_id)
    if not isinstance(row, Credential):
        return ["damaged" if row else "gone"]
    if row.account is None:
        return [row.name, row.status.value]
    access_token = store.tokens(credential_id).access_token
    return [row.name, row.status.value, access_token.reveal() if access_token else ""]


def reply_to(run: Callable[[OpenBaoStore], object], store: OpenBaoStore) -> str:
    """Return ``done``, or the problem's type."""
    try:
        run(store)
    except Problem as problem:
        return type(problem).__name__
    return DONE


def _created(store: OpenBaoStore) -> None:
    store.create(credential(_OTHER, "Other"), tokens("sk_other"))
    store.create(credential(), tokens())


def _pending(store: OpenBaoStore) -> None:
    store.create(credential(_OTHER, "Other"), tokens("sk_other"))
    store.keep_pending(PENDING, tokens())


def _requested(store: OpenBaoStore) -> None:
    store.requests.keep(REQUESTED, request())


def _code_sent(store: OpenBaoStore) -> None:
    _requested(store)
    store.requests.answer(REQUESTED, request())


def _approved_again(store: OpenBaoStore) -> None:
    _created(store)
    store.keep_pending(RENEWAL, tokens("sk_live_renewed"))


def _update(store: OpenBaoStore) -> None:
    changed = credential(name="Acme changed"), tokens("sk_live_changed")
    store.update(ID, lambda *_before: changed)


def _rename(store: OpenBaoStore) -> None:
    store.update(ID, lambda one, held: (one._replace(name="Anew"), held), store.stamp())


def _refresh(store: OpenBaoStore) -> None:
    with store.refreshes.begun(ID) as refresh:
        refresh.ask(OVER)
        refresh.keep(tokens("sk_live_refreshed"))


def _create_named(store: OpenBaoStore) -> None:
    store.create(credential(), tokens(), store.stamp())


def _nothing(_store: OpenBaoStore) -> None:
    pass


OPERATIONS = {
    "create": Operation(_nothing, _create_named),
    "create from pending": Operation(_pending, _create_named),
    "update": Operation(_created, _update),
    "rename": Operation(_created, _rename),
    "renew": Operation(_approved_again, lambda store: store.renew(ID, YOUNGER, renewed)),
    "delete": Operation(_created, lambda store: store.delete(ID)),
    "delete pending": Operation(_pending, lambda store: store.delete(ID)),
    "keep pending": Operation(_created, lambda store: store.keep_pending(RENEWAL, tokens())),
    "keep request": Operation(
        _nothing, lambda store: store.requests.keep(REQUESTED, request())
    ),
    "answer request": Operation(
        _requested, lambda store: store.requests.answer(REQUESTED, request())
    ),
    "settle request": Operation(_code_sent, lambda store: store.requests.settle(ID)),
    "drop request": Operation(_requested, lambda store: store.requests.drop(ID)),
    "refresh": Operation(_created, _refresh),
    "disconnect": Operation(_created, lambda store: store.disconnecting.begin(ID)),
}


MOVES = "move to openbao", "move to directory"


def ends(name: str, local: Path, team: OpenBaoStore) -> tuple[CredentialStore, CredentialStore]:
    """Return the source and the target of a move between this machine and a team's store."""
    here = store_in(local)
    return (here, team) if name == "move to openbao" else (team, here)


def reply_to_move(name: str, local: Path, team: OpenBaoStore) -> str:
    """Return ``done``, or what became of the first credential that was not moved."""
    try:
        moved = [*move(*ends(name, local, team), dry=False)]
    except Problem as problem:
        return f"{type(problem).__name__}: {problem}"
    return next((f"{one.outcome}: {one.told}" for one in moved if not one.is_done), DONE)


class Ask(NamedTuple):
    """What a process is to do; ``team`` is what :func:`team_store` takes, with addresses."""

    name: str
    team: dict[str, Any]
    local: str

    def reply(self) -> str:
        addresses = self.team.pop("addresses")
        team = team_store(*addresses, **self.team)
        if self.name in MOVES:
            return reply_to_move(self.name, Path(self.local), team)
        return reply_to(OPERATIONS[self.name].run, team)


_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.store.bao_operations import serve
serve()
"""


@contextmanager
def processes() -> Iterator[Callable[[Ask, Future[int]], int]]:
    """Give what runs an operation in a process of its own, and returns its exit status."""
    command = [sys.executable, "-I", "-c", _PROGRAM, str(Path(__file__).parents[2])]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        asks, answers = process.stdin, process.stdout
        assert asks is not None
        assert answers is not None

        def run(asked: Ask, pid: Future[int]) -> int:
            asks.write(json.dumps(asked) + "\n")
            asks.flush()
            pid.set_result(int(answers.readline()))
            return int(answers.readline())

        yield run
        with suppress(BrokenPipeError):
            asks.close()


def warm() -> None:
    """Import what stores import while they work, for each process that is forked."""
    for module in (
        "encodings.idna",
        "pyrage",
        "m3cred_tui.store.directory.checks",
        "m3cred_tui.store.directory.refreshing",
        "m3cred_tui.store.openbao.wire",
    ):
        import_module(module)


def serve() -> None:
    """Execute what each line asks for in a process of its own, whose ID is told first."""
    warm()
    impatient(PATIENT)
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            os._exit(0 if Ask(*json.loads(line)).reply() == DONE else 1)
        _say(pid)
        _say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()
