"""What is on the disk, and who can read it."""

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from m3cred_tui.model.credential import Credential, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.problems import CredentialDamaged, IdentityMissing, StoreUnusable


@pytest.fixture
def generous_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def below(root: Path) -> list[Path]:
    return sorted(root.rglob("*"))


def test_no_file_holds_a_secret_in_the_clear(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, tmp_path: Path
) -> None:
    store.create(acme, tokens)
    files = [path for path in below(tmp_path) if path.is_file()]
    assert [file.name for file in files] == ["identity.txt", f"{acme.id}.json", "lock"]
    for file in files:
        content = file.read_bytes()
        assert b"canary" not in content
        assert b"read_write" not in content


@pytest.mark.usefixtures("generous_umask")
def test_every_file_is_for_this_user_alone(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, tmp_path: Path
) -> None:
    store.create(acme, tokens)
    modes = {
        str(path.relative_to(tmp_path)): stat.filemode(path.stat().st_mode)
        for path in below(tmp_path)
    }
    assert modes == {
        "config": "drwx------",
        "config/identity.txt": "-rw-------",
        "data": "drwx------",
        "data/credentials": "drwx------",
        f"data/credentials/{acme.id}.json": "-rw-------",
        "data/lock": "-rw-------",
    }


@pytest.mark.skipif(
    not shutil.which("age") and os.environ.get("CI") != "true", reason="age is not installed"
)
def test_age_itself_opens_a_sealed_part_with_the_identity(
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
    credentials: Path,
    identity: Path,
) -> None:
    store.create(acme, tokens)
    record = json.loads((credentials / f"{acme.id}.json").read_bytes())
    sealed = record.pop("sealed")
    del record["crc32"]
    command = ["age", "--decrypt", "--identity", str(identity)]
    opened = subprocess.run(command, input=sealed.encode(), capture_output=True, check=True)
    assert json.loads(opened.stdout) == {
        **record,
        "tokens": {
            "accountId": "acct_1Acme",
            "livemode": True,
            "scope": "read_write",
            "accessToken": "sk_live_canary_access",
            "refreshToken": "rt_canary_refresh",
            "publishableKey": "pk_live_canary_publishable",
        },
    }


def test_the_identity_is_made_once_and_kept(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, identity: Path
) -> None:
    store.prepare()
    before = identity.read_bytes()
    store.prepare()
    store.create(acme, tokens)
    assert identity.read_bytes() == before


def test_an_identity_from_age_keygen_is_accepted(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, identity: Path
) -> None:
    store.prepare()
    [_, key] = identity.read_text().splitlines()
    identity.write_text(f"# created: 2026-01-01T00:00:00Z\n# public key: age1\n{key}\r\n\n")
    store.create(acme, tokens)
    assert isinstance(store.tokens(acme.id).access_token, Secret)


def test_a_lost_identity_is_reported_and_not_replaced(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, identity: Path
) -> None:
    store.create(acme, tokens)
    identity.unlink()
    for ask in (store.prepare, lambda: store.tokens(acme.id)):
        with pytest.raises(IdentityMissing, match=r"Put it back") as told:
            ask()
        assert str(identity) in str(told.value)
    assert not identity.exists()
    assert store.read(acme.id) == acme


def test_the_identity_of_another_machine_opens_nothing(
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
    tmp_path: Path,
    credentials: Path,
) -> None:
    store.create(acme, tokens)
    empty = tmp_path / "empty"
    there = IdentityFile(tmp_path / "there" / "identity.txt", empty)
    DirectoryStore(empty, there).prepare()
    elsewhere = DirectoryStore(credentials.parent, there)
    with pytest.raises(CredentialDamaged, match="cannot be opened with this identity"):
        elsewhere.tokens(acme.id)


@pytest.mark.parametrize("content", ["", "# only this", "AGE-SECRET-KEY-1CANARY", "{0}{0}"])
def test_a_file_that_is_not_an_identity_is_refused_and_not_shown(
    content: str, store: DirectoryStore, identity: Path
) -> None:
    store.prepare()
    identity.write_text(content.format(identity.read_text()))
    with pytest.raises(StoreUnusable, match="does not hold one age identity") as told:
        store.prepare()
    assert "SECRET" not in str(told.value)


def test_a_key_in_the_clear_that_a_killed_process_left_is_removed(
    store: DirectoryStore, identity: Path
) -> None:
    store.prepare()
    left = identity.with_name(".0123456789abcdef.tmp")
    left.write_bytes(identity.read_bytes())
    (kept := identity.with_name("notes.txt")).touch()
    store.prepare()
    assert sorted(identity.parent.iterdir()) == [identity, kept]


def test_preparing_leaves_only_the_directories_and_the_identity(
    store: DirectoryStore, tmp_path: Path
) -> None:
    store.prepare()
    names = [str(path.relative_to(tmp_path)) for path in below(tmp_path)]
    places = ["data", "data/credentials", "data/lock", "data/pending"]
    assert names == ["config", "config/identity.txt", *places]
