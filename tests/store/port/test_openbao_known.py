"""What a machine knows of a team's credentials before, and without, the team's store."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from m3cred_tui.model.credential import OAuthModel
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.connection import Place
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.problems import StoreUnreachable
from m3cred_tui.store.openbao.store import OpenBaoStore
from tests.store.port.bao import ROOT
from tests.store.port.engines import OpenBaoEngine
from tests.store.swept_operations import (
    OTHERS,
    PENDING,
    RENEWAL,
    REQUESTED,
    credential,
    renewed,
    request,
    tokens,
)

if TYPE_CHECKING:
    from pathlib import Path

    from m3cred_tui.model.credential import Credential

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def engine(tmp_path: Path) -> OpenBaoEngine:
    return OpenBaoEngine(tmp_path)


class Machine:
    """A machine of the team, whose network may be gone."""

    def __init__(self, engine: OpenBaoEngine, home: Path) -> None:
        self._engine = engine
        self.file = home / "known" / "list"

    def store(self, *, reached: bool = True) -> OpenBaoStore:
        address = self._engine.bao.address if reached else NOBODY
        place = Place((address,), "secret", self._engine.path)
        spare = self._engine.open().spare
        return OpenBaoStore(
            Client(place, lambda: Secret(ROOT)), Known(self.file), spare, pace=0
        )


@pytest.fixture
def machine(engine: OpenBaoEngine, tmp_path: Path) -> Machine:
    return Machine(engine, tmp_path)


def test_the_list_is_there_before_and_without_the_teams_store(machine: Machine) -> None:
    store = machine.store()
    for one in OTHERS:
        store.create(credential(one, f"Name {one[-1]}"), tokens("sk_live_canary"))
    listed = store.ids()
    away = machine.store(reached=False)
    assert away.newest(2) == (listed[:2], 3)
    assert away.glance(OTHERS[0]) == credential(OTHERS[0], "Name a")
    assert away.as_of is not None
    with pytest.raises(StoreUnreachable, match="refused the connection"):
        away.ids()
    assert away.newest(5) == (listed, 3)
    back = machine.store()
    assert back.newest(5) == (listed, 3)
    assert back.as_of is not None
    back.ids()
    assert back.as_of is None


@pytest.mark.parametrize("page", [1, 2, 3, 4])
def test_a_list_of_several_pages_is_whole(
    page: int, engine: OpenBaoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("m3cred_tui.store.openbao.kv._PAGE", page)
    store = engine.open()
    for one in OTHERS:
        store.create(credential(one, f"Name {one[-1]}"), tokens())
    stranger = f"secret/data/{engine.path}/credentials/not one & no other"
    assert engine.bao.ask("POST", quote(stranger), {"data": {"a": 1}})[0] == 200
    other = engine.open()
    assert other.ids() == sorted(OTHERS, reverse=True)
    assert other.glance(OTHERS[1]) == credential(OTHERS[1], "Name b")


def test_the_list_on_this_machine_has_no_secret_and_is_its_users_alone(
    machine: Machine, acme: Credential
) -> None:
    store = machine.store()
    store.create(acme, tokens("sk_live_canary"))
    store.requests.keep(REQUESTED, request("canary_state"))
    store.ids()
    text = machine.file.read_text()
    assert acme.name in text
    assert "canary" not in text
    assert ROOT not in text
    assert stat.S_IMODE(machine.file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "wrong", ["", "m3cred-known-9 x", "m3cred-known-1 today 3", "\x00\xff"]
)
def test_a_list_that_cannot_be_used_is_no_list(machine: Machine, wrong: str) -> None:
    store = machine.store()
    store.create(credential(), tokens())
    store.ids()
    machine.file.write_text(wrong)
    assert machine.store(reached=False).newest(5) == ([], 0)
    assert len(machine.store().ids()) == 1


def test_an_approval_that_the_team_cannot_take_is_sealed_here_and_brought_later(
    engine: OpenBaoEngine, machine: Machine
) -> None:
    begun = machine.store()
    begun.prepare()
    begun.requests.keep(REQUESTED, request())
    begun.requests.answer(REQUESTED, request())
    away = machine.store(reached=False)
    away.keep_pending(PENDING, tokens("sk_live_canary"))
    assert [*away.aside] == [PENDING.id]
    assert away.newest(5).ids == [PENDING.id]
    assert away.glance(PENDING.id) == away.verified(PENDING.id) == PENDING
    assert away.tokens(PENDING.id).scope == "read_write"
    elsewhere = engine.open()
    back = machine.store()
    assert back.ids() == [PENDING.id]
    assert [*back.aside] == []
    assert elsewhere.verified(PENDING.id) == PENDING
    kept = elsewhere.tokens(PENDING.id).access_token
    assert kept is not None
    assert kept.reveal() == "sk_live_canary"


def test_an_approval_that_was_kept_here_is_used_from_here_and_not_brought_after_that(
    machine: Machine,
) -> None:
    store = machine.store()
    store.prepare()
    store.create(credential(), tokens())
    machine.store(reached=False).keep_pending(RENEWAL, tokens("sk_live_renewed"))
    back = machine.store()
    back.renew(credential().id, RENEWAL.id, renewed)
    assert [*back.aside] == []
    assert back.ids() == [credential().id]


def test_an_approval_that_was_written_out_sealed_stays_here_until_the_team_has_it(
    machine: Machine,
) -> None:
    store = machine.store()
    store.prepare()
    text = store.sealed(PENDING, tokens("sk_live_canary"))
    away = machine.store(reached=False)
    assert away.keep_sealed(text) == PENDING
    assert [*away.aside] == [PENDING.id]
    assert machine.store().pending_ids() == [PENDING.id]
    assert [*away.aside] == []


def test_a_credential_of_a_stripe_app_is_not_damaged_where_it_was_created(
    engine: OpenBaoEngine,
) -> None:
    store = engine.open()
    of_an_app = tokens()._replace(oauth=OAuthModel.APPS, refresh_token=Secret("rt_once"))
    store.create(credential(), of_an_app)
    assert store.glance(credential().id) == credential()


def test_what_is_found_when_a_credential_is_opened_is_in_the_list_too(
    engine: OpenBaoEngine,
) -> None:
    store, colleague = engine.open(), engine.open()
    for one in OTHERS:
        store.create(credential(one, f"Name {one[-1]}"), tokens())
    colleague.delete(OTHERS[0])
    colleague.update(OTHERS[1], lambda row, kept: (row._replace(name="New"), kept))
    assert store.glance(OTHERS[0]) is not None
    assert store.verified(OTHERS[0]) is None
    assert store.glance(OTHERS[0]) is None
    assert store.verified(OTHERS[1]) == store.glance(OTHERS[1]) == credential(OTHERS[1], "New")
    assert store.newest(5).ids == sorted(OTHERS[1:], reverse=True)
