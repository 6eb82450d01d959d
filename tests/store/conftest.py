from datetime import UTC, datetime
from pathlib import Path

import pytest

from m3cred_tui.model.credential import (
    BILL,
    STRIPE,
    Credential,
    Status,
    StripeAccount,
    TokenResponse,
    credential_id,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def credentials(data: Path) -> Path:
    return data / "credentials"


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    return tmp_path / "config" / "identity.txt"


@pytest.fixture
def store(credentials: Path, identity: Path) -> DirectoryStore:
    return DirectoryStore(credentials.parent, IdentityFile(identity, credentials.parent))


@pytest.fixture
def acme() -> Credential:
    created_at = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
    return Credential(
        id=credential_id(created_at, bytes(10)),
        name="Acme production",
        entity_type=BILL,
        destination=STRIPE,
        account=StripeAccount("acct_1Acme", livemode=True, name="Acme Ltd", country="GB"),
        created_at=created_at,
        created_by="ann",
        status=Status.AUTHENTICATED,
    )


@pytest.fixture
def tokens() -> TokenResponse:
    return TokenResponse(
        account_id="acct_1Acme",
        livemode=True,
        scope="read_write",
        access_token=Secret("sk_live_canary_access"),
        refresh_token=Secret("rt_canary_refresh"),
        publishable_key="pk_live_canary_publishable",
    )
