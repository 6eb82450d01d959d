"""What is done to a team's store while something goes wrong: one change each."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.credential import Credential
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao import client
from m3cred_tui.store.openbao.client import Client, Place
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
    tokens,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = "root"
DONE = "done"
_OTHER = "0196d5c8-0000-7000-8000-00000000000e"


class Operation(NamedTuple):
    """A change to the credential ``ID``, and what makes the state before it."""

    before: Callable[[OpenBaoStore], object]
    run: Callable[[OpenBaoStore], object]


def team_store(*addresses: str, path: str, token: str = ROOT, ca: str = "") -> OpenBaoStore:
    """Return the store as on another machine."""
    place = Place(addresses, "secret", path, ca_file=ca)
    return OpenBaoStore(Client(place, lambda: Secret(token)), Known(), pace=0)


def impatient() -> None:
    """Have requests of this process give up soon."""
    client.PATIENCE, client._SILENCE, client._PAUSE = 1.0, 0.3, 0.02


def state(store: OpenBaoStore) -> object:
    """Return all that a store holds."""
    rows = [[one, *_told(store, one)] for one in store.ids()]
    return rows, store.disconnecting.ids()


def _told(store: OpenBaoStore, credential_id: str) -> list[str]:
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


def serve() -> None:
    """Execute the operation in each line in a process of its own, whose ID is told first."""
    import httpx  # noqa: F401, PLC0415 - so that no process has to read it

    impatient()
    while line := sys.stdin.readline():
        address, path, name = json.loads(line)
        pid = os.fork()
        if pid == 0:
            done = reply_to(OPERATIONS[name].run, team_store(address, path=path)) == DONE
            os._exit(0 if done else 1)
        _say(pid)
        _say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()
