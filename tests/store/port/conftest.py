from pathlib import Path

import pytest

from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.store.port import CredentialStore
from tests.store.port.engines import ENGINES, Engine


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return ENGINES[request.param](tmp_path)


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
