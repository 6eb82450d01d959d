"""Machines of a team that do the same thing at the same moment."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.model.credential import (
    Credential,
    OAuthModel,
    Status,
    TokenResponse,
    credential_id,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao import refreshing
from m3cred_tui.store.problems import AnsweredElsewhere, NameTaken, NotThere
from tests.store.port.engines import OpenBaoEngine
from tests.store.swept_operations import ID, REQUESTED, credential, request, tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from m3cred_tui.store.openbao.store import OpenBaoStore

MACHINES = 4


@pytest.fixture
def engine(tmp_path: Path) -> OpenBaoEngine:
    return OpenBaoEngine(tmp_path)


def at_once(
    engine: OpenBaoEngine, do: Callable[[OpenBaoStore, int], object]
) -> Counter[object]:
    """Do it on several machines, and count what came of it."""
    stores = [engine.open() for _ in range(MACHINES)]
    for store in stores:
        store.ids()  # so that none of them begins with a connection

    def outcome(number: int) -> object:
        try:
            return do(stores[number], number)
        except (AnsweredElsewhere, NameTaken, NotThere) as problem:
            return problem.code

    with ThreadPoolExecutor(MACHINES) as machines:
        return Counter(machines.map(outcome, range(MACHINES)))


def test_machines_that_finish_one_request_send_its_code_once(engine: OpenBaoEngine) -> None:
    engine.open().requests.keep(REQUESTED, request())
    claimed = at_once(engine, lambda store, _: store.requests.answer(REQUESTED, request()))
    assert claimed == {None: 1, "AnsweredElsewhere": MACHINES - 1}
    row = engine.open().read(ID)
    assert isinstance(row, Credential)
    assert row.status is Status.UNKNOWN


def test_machines_that_create_one_name_create_one_credential(engine: OpenBaoEngine) -> None:
    def create(store: OpenBaoStore, number: int) -> None:
        seen = store.stamp()
        store.ids()
        one = credential_id(credential().created_at, bytes([number] * 10))
        store.create(credential(one, "Acme"), tokens(), seen)

    assert at_once(engine, create) == {None: 1, "NameTaken": MACHINES - 1}
    assert len(engine.open().ids()) == 1


def test_a_name_is_free_again_as_soon_as_its_credential_is_gone_or_renamed(
    engine: OpenBaoEngine,
) -> None:
    store, other = engine.open(), engine.open()
    ids = [credential_id(credential().created_at, bytes([n] * 10)) for n in range(4)]
    store.create(credential(ids[0], "Acme"), tokens(), store.stamp())
    store.delete(ids[0])
    other.create(credential(ids[1], "Acme"), tokens(), other.stamp())
    other.update(ids[1], lambda row, kept: (row._replace(name="Bolt"), kept), other.stamp())
    store.create(credential(ids[2], "Acme"), tokens(), store.stamp())
    with pytest.raises(NameTaken):
        other.create(credential(ids[3], "bolt"), tokens(), other.stamp())


@pytest.mark.long
def test_a_delete_is_not_undone_by_a_change_at_the_same_moment(engine: OpenBaoEngine) -> None:
    store = engine.open()
    for _ in range(5):
        store.create(credential(), tokens())

        def act(machine: OpenBaoStore, number: int) -> object:
            if number == 0:
                machine.delete(ID)
                return "deleted"
            return machine.update(ID, lambda row, kept: (row, kept)) and "changed"

        at_once(engine, act)
        assert store.read(ID) is None
        assert store.ids() == []


def _renamed(row: Credential, kept: TokenResponse) -> tuple[Credential, TokenResponse]:
    return row._replace(name=f"{row.name} renamed"), kept


@pytest.mark.long
def test_a_storm_of_creates_renames_and_deletes_loses_nothing(engine: OpenBaoEngine) -> None:
    def act(store: OpenBaoStore, number: int) -> None:
        for turn in range(3):
            created_at = credential().created_at + timedelta(minutes=turn)
            one = credential_id(created_at, bytes([number] * 10))
            name = f"{number} {turn}"
            store.create(credential(one, name), tokens(f"sk_live_{number}"), store.stamp())
            if turn == 1:
                store.update(one, _renamed, store.stamp())
            if turn == 2:
                store.delete(one)

    assert at_once(engine, act) == {None: MACHINES}
    left = engine.open()
    names = sorted(
        row.name for row in left.read_many(left.ids()) if isinstance(row, Credential)
    )
    assert names == sorted(
        one for number in range(MACHINES) for one in (f"{number} 0", f"{number} 1 renamed")
    )


def test_tokens_that_work_once_are_used_once_by_several_machines(
    engine: OpenBaoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "_LOOK_AGAIN", 0.01)
    app = tokens("rk_0")._replace(oauth=OAuthModel.APPS, refresh_token=Secret("rt_0"))
    engine.open().create(credential(), app)
    used: Counter[str] = Counter()

    def refresh(store: OpenBaoStore, _: int) -> str:
        with store.refreshes.begun(ID) as begun:
            refresh_token = begun.tokens.refresh_token
            assert refresh_token is not None
            if refresh_token.reveal() == "rt_0":
                begun.ask(credential().created_at)
                used[refresh_token.reveal()] += 1
                new = app._replace(access_token=Secret("rk_1"), refresh_token=Secret("rt_1"))
                begun.keep(new)
            assert begun.tokens.access_token is not None
            return begun.tokens.access_token.reveal()

    assert at_once(engine, refresh) == {"rk_1": MACHINES}
    assert used == {"rt_0": 1}


def test_the_claim_of_a_machine_that_died_runs_out_and_its_key_is_used_again(
    engine: OpenBaoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "_LOOK_AGAIN", 0.01)
    store, other = engine.open(), engine.open()
    store.create(credential(), tokens())
    died = store.refreshes.begun(ID)
    asked = died.__enter__().ask(credential().created_at)  # and its machine is gone
    monkeypatch.setattr(other.kv.client, "time", lambda: 2e9)
    with other.refreshes.begun(ID) as refresh:
        assert refresh.unanswered == asked
        assert refresh.ask(credential().created_at + timedelta(minutes=1)) == asked
        refresh.keep(tokens("rk_new"))
    died.__exit__(None, None, None)
    kept = other.tokens(ID).access_token
    assert kept is not None
    assert kept.reveal() == "rk_new"
