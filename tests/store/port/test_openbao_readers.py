"""Others who look: the engine's own command line, and its audit log."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import Credential, OAuthModel, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.connection import Place
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.store import OpenBaoStore
from tests.store.port import bao
from tests.store.port.engines import OpenBaoEngine
from tests.store.swept_operations import PENDING, REQUESTED, credential, request, tokens

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.port.bao import Bao


def kv_get(server: Bao, path: str) -> dict[str, dict[str, object]]:
    """Return what ``bao kv get`` shows."""
    done = subprocess.run(
        [bao.program(), "kv", "get", "-format=json", path],
        env={"BAO_ADDR": server.address, "BAO_TOKEN": bao.ROOT, "HOME": "/nonexistent"},
        capture_output=True,
        check=True,
        timeout=30,
    )
    data: dict[str, dict[str, object]] = json.loads(done.stdout)["data"]
    return data


def test_the_engines_own_command_line_shows_a_record_as_documented(
    tmp_path: Path, acme: Credential, tokens: TokenResponse
) -> None:
    engine = OpenBaoEngine(tmp_path)
    engine.open().create(acme, tokens)
    shown = kv_get(engine.bao, f"secret/{engine.path}/credentials/{acme.id}")
    fields, metadata = shown["data"], shown["metadata"]
    assert len(str(fields.pop("change"))) == 16
    assert fields == {
        "schema": 1,
        "id": acme.id,
        "name": "Acme production",
        "entityType": "Bill",
        "destination": "STRIPE",
        "stripe": {
            "account": "acct_1Acme",
            "name": "Acme Ltd",
            "country": "GB",
            "livemode": True,
        },
        "createdAt": "2026-03-04T05:06:07.891011+00:00",
        "createdBy": "ann",
        "status": "authenticated",
        "tokens": {
            "accountId": "acct_1Acme",
            "livemode": True,
            "scope": "read_write",
            "accessToken": "sk_live_canary_access",
            "refreshToken": "rt_canary_refresh",
            "publishableKey": "pk_live_canary_publishable",
        },
        "createdAs": "token",
        "changedAs": "token",
    }
    assert metadata["custom_metadata"] == {
        "schema": "1",
        "version": "1",
        "name": "Acme production",
        "entityType": "Bill",
        "destination": "STRIPE",
        "account": "acct_1Acme",
        "accountName": "Acme Ltd",
        "country": "GB",
        "livemode": "true",
        "createdAt": "2026-03-04T05:06:07.891011+00:00",
        "createdBy": "ann",
        "status": "authenticated",
        "createdAs": "token",
        "changedAs": "token",
    }


@pytest.mark.long
def test_the_audit_log_of_a_full_run_has_no_name_no_account_and_no_token(
    tmp_path: Path,
) -> None:
    log = tmp_path / "audit.log"
    with bao.started(
        tmp_path, f'audit "file" "to-file" {{ options {{ file_path = "{log}" }} }}'
    ) as server:
        place = Place((server.address,), "secret", "m3cred")
        store = OpenBaoStore(Client(place, lambda: Secret(bao.ROOT)), Known(), pace=0)
        store.prepare()
        store.requests.keep(REQUESTED._replace(name="Canary name"), request("canary_state"))
        store.requests.answer(REQUESTED._replace(name="Canary name"), request("canary_state"))
        app = tokens("sk_canary")._replace(
            oauth=OAuthModel.APPS, refresh_token=Secret("rt_canary")
        )
        store.keep_pending(PENDING._replace(name="Canary name"), app)
        store.create(credential(name="Canary name"), app, store.stamp())
        with store.refreshes.begun(credential().id) as refresh:
            refresh.ask(credential().created_at)
            refresh.keep(app._replace(access_token=Secret("sk_canary_2")))
        store.update(
            credential().id,
            lambda row, kept: (row._replace(name="Canary 2"), kept),
            store.stamp(),
        )
        result = CheckResult(
            Outcome.REVOKED, credential().created_at, "Canary told", "canary by"
        )
        store.checks.keep({credential().id: result})
        store.disconnecting.begin(credential().id)
        store.read_many(store.ids())
        store.delete(credential().id)
    text = log.read_text()
    assert credential().id in text
    for secret in ("canary", "Canary", "acct_1Acme", "Acme Ltd"):
        assert secret not in text
