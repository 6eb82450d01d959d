"""The app with a team's store on a real OpenBao."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from m3cred_tui.model.credential import Credential
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao import client
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.connection import Place
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.store import OpenBaoStore
from m3cred_tui.stripe.adapters import ConnectGateway
from m3cred_tui.ui.screens.credentials import CredentialsPage
from tests.store.bao_proxy import Fault, Proxy, proxy_before
from tests.store.port import bao
from tests.store.port.engines import OpenBaoEngine
from tests.store.swept_operations import credential, store_in, tokens
from tests.ui.user import opened, straight_to_stage_4

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from m3cred_tui.model.credential import TokenResponse
    from m3cred_tui.ui.services import Services
    from tests.ui.conftest import Browser


@pytest.fixture
def engine(tmp_path: Path) -> OpenBaoEngine:
    return OpenBaoEngine(tmp_path)


@pytest.fixture
def network(engine: OpenBaoEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Return the way to the engine, which can be gone."""
    monkeypatch.setattr(client, "PATIENCE", 0.1)
    monkeypatch.setattr(CredentialsPage, "WATCH_EVERY", 0.02)
    with proxy_before(engine.bao.address) as proxy:
        yield proxy


def place(engine: OpenBaoEngine, address: str) -> Place:
    return Place((address,), "secret", engine.path)


@pytest.fixture
def store(engine: OpenBaoEngine, network: Proxy, tmp_path: Path) -> OpenBaoStore:
    """Return the store of this machine, in place of the directory."""
    known, spare = Known(tmp_path / "team" / "known"), store_in(tmp_path / "team")
    at = Client(place(engine, network.address), lambda: Secret(bao.ROOT))
    return OpenBaoStore(at, known, spare, pace=0.05)


@pytest.mark.long
async def test_a_credential_is_created_for_the_team_and_seen_on_another_machine(
    services: Services, browser: Browser, engine: OpenBaoEngine
) -> None:
    async with opened(services, (100, 24)) as user:
        await user.sees("There are no credentials yet.", "team: 127.0.0.1:", engine.path)
        await straight_to_stage_4(user, "Acme live")
        await user.press("enter")
        await user.until(lambda: browser.opened)
        await browser.approve()
        await user.focuses("Create Credential")
        await user.press("enter")
        await user.sees("Acme live", "authenticated")
        await user.press("enter")
        await user.sees("Record read, agrees with the fields above")
    elsewhere = engine.open()
    [row] = elsewhere.read_many(elsewhere.ids())
    assert getattr(row, "name", None) == "Acme live"


@pytest.mark.long
async def test_the_list_remains_without_the_store_says_why_and_works_again_by_itself(
    services: Services, engine: OpenBaoEngine, network: Proxy
) -> None:
    colleague = engine.open()
    colleague.create(credential(name="Acme"), tokens())
    async with opened(services) as user:
        await user.sees("Acme", "team: 127.0.0.1:")
        network.expect(Fault.GONE)
        await user.sees("Acme", "as of ", "cannot be reached")
        colleague.update(credential().id, lambda row, kept: (row._replace(name="Bolt"), kept))
        network.expect(None)
        await user.sees("Bolt")
        await user.until(lambda: not user.shows("cannot be reached"))
        await user.until(lambda: not user.shows("as of"))


async def test_a_key_reads_the_list_again_without_waiting_until_it_is_due(
    services: Services, engine: OpenBaoEngine, store: OpenBaoStore
) -> None:
    store._pace = 3600.0
    engine.open().create(credential(name="Acme"), tokens())
    async with opened(services) as user:
        await user.sees("Acme")
        engine.open().update(
            credential().id, lambda row, kept: (row._replace(name="Bolt"), kept)
        )
        await user.press("f5")
        await user.sees("Bolt")


async def test_the_first_paint_is_the_last_known_list(
    services: Services,
    engine: OpenBaoEngine,
    network: Proxy,
    store: OpenBaoStore,
    tmp_path: Path,
) -> None:
    engine.open().create(credential(name="Acme"), tokens())
    store.ids()
    network.expect(Fault.GONE)
    known = OpenBaoStore(store.kv.client, Known(tmp_path / "team" / "known"))
    page = CredentialsPage(services._replace(store=known))
    assert page._listing.row(credential().id) == credential(name="Acme")
    assert network.seen == []  # what is painted first waits for nothing
    async with opened(services) as user:
        await user.sees("Acme", "as of ", "cannot be reached")


@pytest.mark.long
async def test_an_approval_is_kept_here_while_the_store_is_gone_and_brought_there_by_the_app(
    services: Services,
    browser: Browser,
    engine: OpenBaoEngine,
    network: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exchange, exchanges = ConnectGateway.exchange, []

    async def exchanged(gateway: ConnectGateway, code: Secret) -> TokenResponse:
        response = await exchange(gateway, code)
        exchanges.append(response.account_id)
        network.expect(Fault.GONE, -1)  # the store is gone as the reply arrives
        return response

    monkeypatch.setattr(ConnectGateway, "exchange", exchanged)
    async with opened(services, (100, 24)) as user:
        await straight_to_stage_4(user, "Acme live")
        await user.press("enter")
        await user.until(lambda: browser.opened)
        await browser.approve()
        await user.focuses("Create Credential")
        await user.sees("The approval is sealed on this machine until the team's store can be")
        await user.press("enter")
        await user.sees("cannot be reached")
        await user.press("escape", "escape", "escape", "escape")
        await user.sees("Acme live", "pending")
        await user.sees("“Acme live” is approved, and sealed on this machine until")
        assert services.store.aside
        network.expect(None)
        elsewhere = engine.open()
        await user.until(lambda: not services.store.aside)
        [row] = elsewhere.read_many(elsewhere.ids())
        assert isinstance(row, Credential)
        assert (row.status, row.account and row.account.id) == ("pending", exchanges[0])
        await user.press("down", "enter")
        await user.focuses("Create Credential")
        await user.press("enter")
        await user.sees("Acme live", "authenticated")
    assert len(exchanges) == 1


@pytest.mark.long
async def test_a_connection_that_is_not_secure_is_one_sentence_on_the_page(
    services: Services, engine: OpenBaoEngine
) -> None:
    at = place(engine, engine.bao.address.replace("http:", "https:"))
    at = at._replace(is_unverified=True)
    store = OpenBaoStore(Client(at, lambda: Secret(bao.ROOT)), Known(), pace=0.05)
    async with opened(services._replace(store=store)) as user:
        await user.sees(
            "its certificate is not checked", "is not secure: it does not speak TLS"
        )
