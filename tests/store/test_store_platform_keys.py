"""Platform keys that m3cred seals: never in the clear, never for another destination."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from m3cred_tui.model.credential import STRIPE, STRIPE_TEST
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.platform_keys import (
    forget_key,
    is_kept,
    keep_key,
    kept_key,
)
from m3cred_tui.store.problems import IdentityMissing, StoreUnusable

CANARY = "sk_test_canary"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys"


@pytest.fixture
def opener(identity: Path, data: Path) -> IdentityFile:
    return IdentityFile(identity, data)


def keep(keys: Path, opener: IdentityFile, text: str = CANARY) -> Path:
    keep_key(keys, STRIPE_TEST, Secret(text), opener)
    return keys / "STRIPE_TEST.age"


def test_a_sealed_key_opens_again_and_is_nowhere_in_the_clear(
    keys: Path, opener: IdentityFile, tmp_path: Path
) -> None:
    file = keep(keys, opener)
    assert kept_key(keys, STRIPE_TEST, opener).reveal() == CANARY
    assert (file.stat().st_mode & 0o777, keys.stat().st_mode & 0o777) == (0o600, 0o700)
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert [one for one in files if b"canary" in one.read_bytes()] == []
    assert list(keys.iterdir()) == [file]


def test_a_second_key_replaces_the_first(keys: Path, opener: IdentityFile) -> None:
    keep(keys, opener)
    keep(keys, opener, "sk_test_other")
    assert kept_key(keys, STRIPE_TEST, opener).reveal() == "sk_test_other"


def test_leftovers_of_a_killed_process_are_swept(keys: Path, opener: IdentityFile) -> None:
    keep(keys, opener)
    (keys / f".{16 * 'a'}.tmp").touch(mode=0o600)
    assert keep(keys, opener) in keys.iterdir()
    assert len(list(keys.iterdir())) == 1


def test_age_itself_opens_it(keys: Path, opener: IdentityFile) -> None:
    if not (age := shutil.which("age")):
        assert not os.environ.get("CI"), "age is not there"
        pytest.skip("age is not there")
    command = [age, "-d", "-i", str(opener.path), str(keep(keys, opener))]
    ended = subprocess.run(command, capture_output=True, check=True)
    assert CANARY.encode() in ended.stdout


def test_a_key_moved_to_another_destination_is_not_used(
    keys: Path, opener: IdentityFile
) -> None:
    keep(keys, opener).rename(keys / "STRIPE.age")
    with pytest.raises(StoreUnusable, match="sealed for another destination"):
        kept_key(keys, STRIPE, opener)


@pytest.mark.parametrize("content", [b"", b"\xff", b"sk_test_canary", b"x" * 9000])
def test_a_damaged_file_is_reported_without_its_content(
    keys: Path, opener: IdentityFile, content: bytes
) -> None:
    keep(keys, opener).write_bytes(content)
    with pytest.raises(StoreUnusable) as told:
        kept_key(keys, STRIPE_TEST, opener)
    assert "canary" not in str(told.value)


def test_a_file_that_others_can_read_is_refused(keys: Path, opener: IdentityFile) -> None:
    keep(keys, opener).chmod(0o644)
    with pytest.raises(StoreUnusable, match="chmod 600"):
        kept_key(keys, STRIPE_TEST, opener)


def test_no_new_identity_hides_the_loss_of_the_old_one(
    keys: Path, opener: IdentityFile, identity: Path
) -> None:
    keep(keys, opener)
    before = (keys / "STRIPE_TEST.age").read_bytes()
    identity.unlink()
    with pytest.raises(IdentityMissing):
        kept_key(keys, STRIPE_TEST, opener)
    with pytest.raises(IdentityMissing):
        keep_key(keys, STRIPE, Secret(CANARY), opener)
    assert not identity.exists()
    assert (keys / "STRIPE_TEST.age").read_bytes() == before


def test_a_key_is_forgotten_once(keys: Path, opener: IdentityFile) -> None:
    assert opener.is_unused()
    assert not forget_key(keys, STRIPE_TEST)
    keep(keys, opener)
    assert not opener.is_unused()
    assert is_kept(keys, STRIPE_TEST)
    assert not is_kept(keys, STRIPE)
    assert forget_key(keys, STRIPE_TEST)
    assert not forget_key(keys, STRIPE_TEST)
    assert opener.is_unused()
    with pytest.raises(FileNotFoundError):
        kept_key(keys, STRIPE_TEST, opener)


def test_a_first_credential_makes_no_new_identity_while_a_sealed_key_needs_the_old_one(
    keys: Path, opener: IdentityFile, identity: Path
) -> None:
    keep(keys, opener)
    identity.unlink()
    lost = DirectoryStore(keys.parent, opener)
    with pytest.raises(IdentityMissing):
        lost.prepare()
    assert not identity.exists()
