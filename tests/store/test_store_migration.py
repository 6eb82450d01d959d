"""Files of other versions: an older one is read as it is, a newer one is left alone."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from m3cred_tui.model.credential import (
    BILL,
    STRIPE,
    Credential,
    OAuthModel,
    Status,
    StripeAccount,
    TokenResponse,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.record import with_checksum
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.port import Damaged
from m3cred_tui.store.problems import AlreadyThere, CredentialDamaged

_WRITTEN = Path(__file__).with_name("schema_1")
"""What m3cred wrote while schema 1 was current."""
_BEFORE_APPS = Path(__file__).with_name("schema_2")
"""What m3cred wrote, in the current schema, before it supported Stripe Apps."""
_ID = "019cb73d-3593-7000-8000-000000000001"
AS_CREATED = Credential(
    id=_ID,
    name="Grüße aus Köln",
    entity_type=BILL,
    destination=STRIPE,
    account=StripeAccount("acct_1Schema", livemode=True, name="Acme Ltd", country="GB"),
    created_at=datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC),
    created_by="ann",
    status=Status.AUTHENTICATED,
)


@pytest.fixture
def old(identity: Path, credentials: Path) -> Path:
    """Write a record as it was then, in a directory without ``lock`` and ``pending/``."""
    return lay_out(_WRITTEN, identity, credentials)


def lay_out(written: Path, identity: Path, credentials: Path) -> Path:
    for folder in (identity.parent, credentials.parent, credentials):
        folder.mkdir(mode=0o700)
    (record,) = written.glob("*.json")
    file = credentials / record.name
    for source, target in ((record, file), (written / identity.name, identity)):
        target.touch(0o600)
        target.write_bytes(source.read_bytes())
    return file


def secrets(tokens: TokenResponse) -> tuple[str, ...]:
    found = tokens.access_token, tokens.refresh_token
    return tuple("" if one is None else one.reveal() for one in found)


def test_an_older_record_is_listed_verified_and_opened_without_a_change(
    store: DirectoryStore, old: Path
) -> None:
    before = old.read_bytes(), old.stat()
    assert store.ids() == [_ID]
    assert store.read(_ID) == store.verified(_ID) == AS_CREATED
    assert store.read_many([_ID]) == [AS_CREATED]
    assert secrets(store.tokens(_ID)) == ("sk_live_of_schema_1", "rt_of_schema_1")
    store.prepare()
    assert (old.read_bytes(), old.stat().st_mtime_ns) == (before[0], before[1].st_mtime_ns)


def test_an_update_gives_an_older_record_the_current_schema(
    store: DirectoryStore, old: Path
) -> None:
    renamed = AS_CREATED._replace(name="Acme")
    store.update(_ID, lambda _before, tokens: (renamed, tokens))
    fields = json.loads(old.read_bytes())
    assert (fields["schema"], "crc32" in fields) == (2, True)
    assert store.verified(_ID) == renamed
    assert secrets(store.tokens(_ID)) == ("sk_live_of_schema_1", "rt_of_schema_1")


def test_a_record_from_before_stripe_apps_uses_connect(
    store: DirectoryStore, identity: Path, credentials: Path
) -> None:
    file = lay_out(_BEFORE_APPS, identity, credentials)
    tokens = store.tokens(file.stem)
    assert (tokens.oauth, tokens.obtained_at) == (OAuthModel.CONNECT, None)
    assert secrets(tokens) == ("sk_live_of_schema_2", "rt_of_schema_2")
    assert isinstance(store.verified(file.stem), Credential)


def test_a_credential_keeps_its_oauth_model(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse
) -> None:
    at = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
    by_apps = tokens._replace(oauth=OAuthModel.APPS, obtained_at=at)
    store.create(acme, by_apps)
    kept = store.tokens(acme.id)
    assert (kept.oauth, kept.obtained_at) == (OAuthModel.APPS, at)
    refreshed = kept._replace(access_token=Secret("rk_live_next"), obtained_at=at)
    store.update(acme.id, lambda before, _tokens: (before, refreshed))
    kept = store.tokens(acme.id)
    assert (kept.oauth, secrets(kept)[0]) == (OAuthModel.APPS, "rk_live_next")
    store.update(acme.id, lambda before, _tokens: (before, tokens))
    kept = store.tokens(acme.id)
    assert (kept.oauth, kept.obtained_at) == (OAuthModel.CONNECT, None)


def test_an_older_record_can_be_deleted(store: DirectoryStore, old: Path) -> None:
    store.delete(_ID)
    assert not old.exists()


def test_a_change_of_an_older_record_is_noticed_when_it_is_opened(
    store: DirectoryStore, old: Path
) -> None:
    """It has no checksum, so a list does not notice."""
    old.write_bytes(old.read_bytes().replace(b"acct_1Schema", b"acct_1Scheme"))
    row = store.read(_ID)
    assert isinstance(row, Credential)
    assert row.account is not None
    assert row.account.id == "acct_1Scheme"
    reason = "its fields were changed after it was sealed"
    assert store.verified(_ID) == Damaged(_ID, reason)
    with pytest.raises(CredentialDamaged, match=reason):
        store.tokens(_ID)


def test_a_record_cannot_avoid_its_checksum_by_posing_as_an_older_one(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, credentials: Path
) -> None:
    store.create(acme, tokens)
    file = credentials / f"{acme.id}.json"
    fields = json.loads(file.read_bytes())
    fields["schema"] = 1
    file.write_text(json.dumps(fields))
    assert isinstance(store.read(acme.id), Damaged)
    del fields["crc32"]
    file.write_text(json.dumps(fields))
    assert store.read(acme.id) == acme
    assert isinstance(store.verified(acme.id), Damaged)


def test_a_newer_record_is_a_row_that_says_so_and_is_never_rewritten_or_removed(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, credentials: Path
) -> None:
    store.create(acme, tokens)
    file = credentials / f"{acme.id}.json"
    fields = json.loads(file.read_bytes())
    newer = with_checksum({**fields, "schema": 4, "currency": "GBP"})
    file.write_bytes(newer)
    row = Damaged(acme.id, "a newer m3cred wrote it (schema 4)")
    assert store.ids() == [acme.id]
    assert store.read(acme.id) == store.verified(acme.id) == row
    store.prepare()
    with pytest.raises(AlreadyThere):
        store.create(acme, tokens)
    with pytest.raises(AlreadyThere):
        store.keep_pending(acme._replace(status=Status.PENDING), tokens)
    with pytest.raises(CredentialDamaged, match="a newer m3cred"):
        store.update(acme.id, lambda *before: before)
    assert file.read_bytes() == newer
    assert store.ids() == [acme.id]


def test_a_record_with_nothing_new_in_it_is_left_to_an_older_m3cred(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, credentials: Path
) -> None:
    store.create(acme, tokens)
    fields = json.loads((credentials / f"{acme.id}.json").read_bytes())
    assert fields["schema"] == 2
    assert not {"renews", "approval", "history"} & fields.keys()


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ({"renews": "acme"}, "its renews is not an ID"),
        ({"approval": 1}, "its approval is not text"),
        ({"history": {}}, "its history is not one"),
        ({"history": [{"what": "renamed"}]}, "its history is not one"),
        (
            {"history": [{"what": "sold", "at": "", "by": "", "before": ""}]},
            "its what “sold” is not known",
        ),
        ({"owner": "ann"}, "it is not an m3cred credential"),
    ],
    ids=str,
)
def test_what_is_new_in_a_record_is_checked_as_the_rest_is(
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
    credentials: Path,
    field: dict[str, object],
    reason: str,
) -> None:
    store.create(acme, tokens)
    file = credentials / f"{acme.id}.json"
    fields = json.loads(file.read_bytes())
    del fields["crc32"]
    file.write_bytes(with_checksum({**fields, "schema": 3, **field}))
    assert store.read(acme.id) == Damaged(acme.id, reason)
