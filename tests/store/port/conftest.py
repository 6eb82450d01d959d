from collections.abc import Iterator
from pathlib import Path

import pytest

from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.store.port import CredentialStore
from tests.store.bao_proxy import proxy_before
from tests.store.port import bao
from tests.store.port.engines import ENGINES, Engine, OpenBaoEngine

VAULT = "vault"
"""OpenBao behind a proxy that answers as Vault does where it differs."""


@pytest.fixture(params=[*ENGINES, pytest.param(VAULT, marks=pytest.mark.long)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param != VAULT:
        yield ENGINES[request.param](tmp_path)
        return
    with proxy_before(bao.running().address) as proxy:
        proxy.is_vault = True
        yield OpenBaoEngine(tmp_path, proxy.address)


@pytest.fixture
def store(engine: Engine) -> CredentialStore:
    return engine.open()


@pytest.fixture
def other(engine: Engine) -> CredentialStore:
    """Return the store as in another process."""
    return engine.open()


@pytest.fixture
def pending(acme: Credential) -> Credential:
    return acme._replace(status=Status.PENDING)
