"""Tokens with exactly the policies that m3cred prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.policy import ADMIN, READER, policy
from m3cred_tui.store.openbao.problems import StoreNotAllowed, StoreTokenRefused
from m3cred_tui.store.openbao.store import OpenBaoStore
from tests.store.port.engines import OpenBaoEngine
from tests.store.swept_operations import REQUESTED, request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from m3cred_tui.model.credential import Credential, TokenResponse


@pytest.fixture
def engine(tmp_path: Path) -> OpenBaoEngine:
    return OpenBaoEngine(tmp_path)


@pytest.fixture
def as_role(engine: OpenBaoEngine) -> Callable[[str], OpenBaoStore]:
    """Return the store as somebody sees it whose token has a role's policy, and no other."""
    place = engine.open().kv.place

    def log_in(role: str) -> OpenBaoStore:
        name = f"{role}-{place.path}"
        body = {"policy": policy(place, role)}
        assert engine.bao.ask("PUT", f"sys/policies/acl/{name}", body)[0] == 204
        asked = {"policies": [name], "no_default_policy": True, "display_name": role}
        _, answer = engine.bao.ask("POST", "auth/token/create", asked)
        token = answer["auth"]["client_token"]
        return OpenBaoStore(Client(place, lambda: Secret(token)), Known(), pace=0)

    return log_in


def test_an_admin_does_everything_with_the_printed_policy(
    as_role: Callable[[str], OpenBaoStore], acme: Credential, tokens: TokenResponse
) -> None:
    store = as_role(ADMIN)
    store.prepare()
    store.requests.keep(REQUESTED, request())
    store.requests.answer(REQUESTED, request())
    store.requests.settle(REQUESTED.id)
    store.create(acme, tokens, store.stamp())
    store.update(acme.id, lambda row, kept: (row._replace(name="Acme 2"), kept), store.stamp())
    with store.refreshes.begun(acme.id) as refresh:
        refresh.ask(acme.created_at)
        refresh.keep(tokens)
    store.checks.keep({acme.id: CheckResult(Outcome.OK, acme.created_at)})
    store.disconnecting.begin(acme.id)
    store.disconnecting.end(acme.id)
    assert [row and row.id for row in store.read_many(store.ids())] == [acme.id]
    assert store.checks.read()[acme.id].outcome is Outcome.OK
    store.delete(acme.id)
    assert store.ids() == []


def test_a_reader_lists_everything_and_reads_no_token(
    engine: OpenBaoEngine,
    as_role: Callable[[str], OpenBaoStore],
    acme: Credential,
    tokens: TokenResponse,
) -> None:
    store = engine.open()
    store.create(acme, tokens)
    store.checks.keep({acme.id: CheckResult(Outcome.OK, acme.created_at)})
    reader = as_role(READER)
    assert reader.ids() == [acme.id]
    assert reader.read_many([acme.id]) == [reader.verified(acme.id)] == [acme]
    assert [*reader.checks.read()] == [acme.id]
    for forbidden in (
        lambda: reader.tokens(acme.id),
        lambda: reader.delete(acme.id),
        lambda: reader.update(acme.id, lambda *before: before),
        reader.prepare,
    ):
        with pytest.raises(StoreNotAllowed):
            forbidden()
    assert engine.open().verified(acme.id) == acme


def test_a_row_that_a_reader_sees_while_the_record_is_ahead_is_the_one_before(
    engine: OpenBaoEngine,
    as_role: Callable[[str], OpenBaoStore],
    acme: Credential,
    tokens: TokenResponse,
) -> None:
    engine.open().create(acme, tokens)
    data = f"secret/data/{engine.path}/credentials/{acme.id}"
    _, answer = engine.bao.ask("GET", data)
    assert (
        engine.bao.ask("POST", data, {"data": answer["data"]["data"] | {"name": "New"}})[0]
        == 200
    )
    reader, admin = as_role(READER), as_role(ADMIN)
    assert reader.read_many(reader.ids()) == [acme]
    # Whoever may read the record brings the list up to date, for readers, too.
    assert admin.read_many(admin.ids()) == [acme._replace(name="New")]
    assert reader.read_many(reader.ids()) == [acme._replace(name="New")]


def test_a_token_that_is_revoked_in_the_middle_is_told_from_one_that_is_not_allowed(
    engine: OpenBaoEngine, as_role: Callable[[str], OpenBaoStore], acme: Credential
) -> None:
    admin = as_role(ADMIN)
    assert admin.ids() == []
    token = admin.kv.client._token
    assert token is not None
    engine.bao.ask("POST", "auth/token/revoke", {"token": token.reveal()})
    with pytest.raises(StoreTokenRefused, match="bao login"):
        admin.ids()


def test_a_record_says_by_the_engines_names_who_created_and_last_changed_it(
    engine: OpenBaoEngine,
    as_role: Callable[[str], OpenBaoStore],
    acme: Credential,
    tokens: TokenResponse,
) -> None:
    engine.open().create(acme, tokens)
    as_role(ADMIN).update(acme.id, lambda row, kept: (row._replace(name="New"), kept))
    _, answer = engine.bao.ask("GET", f"secret/data/{engine.path}/credentials/{acme.id}")
    fields, shown = answer["data"]["data"], answer["data"]["metadata"]["custom_metadata"]
    assert (fields["createdAs"], fields["changedAs"]) == ("token", "token-admin")
    assert (shown["createdAs"], shown["changedAs"]) == ("token", "token-admin")
    assert shown["name"] == "New"
