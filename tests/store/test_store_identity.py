"""The identity under a passphrase: the file alone is worthless."""

import os
import stat
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.model.credential import Credential, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.store import sealing
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.files import FlawError, make_folder
from m3cred_tui.store.identity import IdentityFile, opened
from m3cred_tui.store.problems import (
    IdentityInPlace,
    IdentityLocked,
    IdentityMissing,
    StoreUnusable,
    WrongPassphrase,
)
from tests.store.light_age import armoured, asking_for, wrapped_lightly

if TYPE_CHECKING:
    from collections.abc import Callable

PASSPHRASE = "correct horse"
KEY = b"AGE-SECRET-KEY-"


def seal_something(data: Path) -> Path:
    """Create what an identity was needed for."""
    record = data / "credentials" / "0196d5c8-0000-7000-8000-000000000000.json"
    make_folder(record.parent)
    record.touch(mode=0o600)
    return record


def key_of(identity: IdentityFile) -> str:
    return str(identity.to_open().to_public())


@pytest.fixture
def file(identity: Path, data: Path) -> IdentityFile:
    """Return an identity in the clear, with its owner's comment."""
    identity.parent.mkdir(mode=0o700)
    identity.touch(mode=0o600)
    identity.write_bytes("# Zoë's, made in May\r\n".encode("latin-1") + sealing.new_identity())
    return IdentityFile(identity, data)


@pytest.fixture
def locked(file: IdentityFile, data: Path) -> IdentityFile:
    """Put the identity under the passphrase; return it as a new process finds it."""
    plain = file.path.read_bytes()
    file.path.write_bytes(wrapped_lightly(plain, PASSPHRASE))
    return IdentityFile(file.path, data)


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrap like age, but without the seconds of work."""

    def wrap(plain: bytes, passphrase: Secret) -> bytes:
        return wrapped_lightly(plain, passphrase.reveal())

    monkeypatch.setattr(sealing, "wrap", wrap)


def test_a_locked_identity_neither_opens_nor_seals(
    locked: IdentityFile, credentials: Path, acme: Credential, tokens: TokenResponse
) -> None:
    store = DirectoryStore(credentials.parent, locked)
    assert locked.is_locked()
    for ask in (store.prepare, lambda: store.create(acme, tokens)):
        with pytest.raises(IdentityLocked, match="under a passphrase") as told:
            ask()
        assert str(locked.path) in str(told.value)
    assert store.ids() == []


def test_an_unlocked_identity_stays_unlocked_while_the_process_runs(
    locked: IdentityFile, data: Path, acme: Credential, tokens: TokenResponse
) -> None:
    store = DirectoryStore(data, locked)
    locked.unlock(Secret(PASSPHRASE))
    store.create(acme, tokens)
    assert store.tokens(acme.id).scope == "read_write"
    assert not locked.is_locked()
    assert IdentityFile(locked.path, data).is_locked()


def test_a_wrong_passphrase_leaves_it_locked_and_is_not_shown(locked: IdentityFile) -> None:
    with pytest.raises(WrongPassphrase) as told:
        locked.unlock(Secret("canary guess"))
    assert "canary" not in str(told.value)
    assert told.value.__cause__ is None
    assert locked.is_locked()


@given(passphrase=st.text(min_size=1, max_size=60), other=st.text(min_size=1, max_size=60))
def test_only_the_right_passphrase_opens_an_identity(passphrase: str, other: str) -> None:
    file = wrapped_lightly(b"plain", passphrase)
    assert sealing.unwrap(file, Secret(passphrase)) == b"plain"
    if other != passphrase:
        with pytest.raises(sealing.WrongPassphraseError):
            sealing.unwrap(file, Secret(other))


def test_a_passphrase_is_taken_as_typed_as_age_takes_it() -> None:
    composed = "caf\u00e9"
    decomposed = unicodedata.normalize("NFD", composed)
    with pytest.raises(sealing.WrongPassphraseError):
        sealing.unwrap(wrapped_lightly(b"plain", composed), Secret(decomposed))
    with pytest.raises(sealing.WrongPassphraseError):
        sealing.unwrap(wrapped_lightly(b"plain", "blank "), Secret("blank"))


@pytest.mark.timeout(5)
@pytest.mark.parametrize("work", [23, 24, 40, 63, 64, 99])
@pytest.mark.parametrize("armour", [False, True])
def test_a_file_that_demands_years_of_work_is_refused_immediately(
    work: int, armour: bool, file: IdentityFile
) -> None:
    greedy = asking_for(work, wrapped_lightly(b"plain", PASSPHRASE, armour=False))
    file.path.write_bytes(armoured(greedy) if armour else greedy)
    with pytest.raises(StoreUnusable, match=rf"too much work to open \(2\^{work}; "):
        file.unlock(Secret(PASSPHRASE))


@pytest.mark.timeout(5)
def test_a_file_that_demands_more_memory_than_there_is_is_refused(
    locked: IdentityFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {"SC_PHYS_PAGES": 1 << 17, "SC_PAGE_SIZE": 1 << 12}  # 512 MiB
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    greedy = asking_for(20, wrapped_lightly(b"plain", PASSPHRASE, armour=False))
    with pytest.raises(FlawError, match=r"2\^20; 2\^19 is the most"):
        sealing.unwrap(greedy, Secret(PASSPHRASE))


@pytest.mark.parametrize("cut", [12, 40, 90, 200, 300, 400])
def test_a_truncated_file_is_reported_and_never_opens(cut: int, locked: IdentityFile) -> None:
    locked.path.write_bytes(locked.path.read_bytes()[:cut])
    with pytest.raises((StoreUnusable, WrongPassphrase)):
        locked.unlock(Secret(PASSPHRASE))
    with pytest.raises((StoreUnusable, IdentityLocked)):
        locked.to_open()


@pytest.mark.parametrize("content", [b"", b"no key", b"AGE-SECRET-KEY-1CANARY", KEY * 2])
def test_a_wrapped_file_that_is_not_an_identity_is_refused_and_not_shown(
    content: bytes, file: IdentityFile
) -> None:
    file.path.write_bytes(wrapped_lightly(content, PASSPHRASE))
    with pytest.raises(StoreUnusable, match="does not hold one age identity") as told:
        file.unlock(Secret(PASSPHRASE))
    assert "SECRET" not in str(told.value)


def test_the_loss_of_an_unlocked_identity_is_noticed(locked: IdentityFile, data: Path) -> None:
    seal_something(data)
    locked.unlock(Secret(PASSPHRASE))
    locked.path.unlink()
    asks: list[Callable[[], object]] = [
        locked.to_open,
        locked.to_seal,
        lambda: locked.protect(Secret("new")),
        locked.unprotect,
    ]
    for ask in asks:
        with pytest.raises(IdentityMissing):
            ask()
    assert not locked.is_locked()


def test_none_is_made_in_place_of_one_that_was_open_though_nothing_is_sealed(
    file: IdentityFile, credentials: Path, acme: Credential, tokens: TokenResponse
) -> None:
    store = DirectoryStore(credentials.parent, file)
    store.prepare()
    away = file.path.rename(file.path.with_suffix(".away"))
    with pytest.raises(IdentityMissing):
        store.create(acme, tokens)
    away.rename(file.path)
    store.create(acme, tokens)


def test_an_unlocked_identity_that_was_replaced_is_locked_again(locked: IdentityFile) -> None:
    locked.unlock(Secret(PASSPHRASE))
    before = locked.path.read_bytes()
    locked.path.write_bytes(wrapped_lightly(sealing.new_identity(), "other"))
    assert locked.is_locked()
    with pytest.raises(IdentityLocked):
        locked.to_seal()
    locked.path.write_bytes(before)
    assert not locked.is_locked()


def test_an_unlocked_identity_that_others_can_read_is_refused(
    locked: IdentityFile, data: Path
) -> None:
    locked.unlock(Secret(PASSPHRASE))
    locked.path.chmod(0o644)
    with pytest.raises(StoreUnusable, match="other users have access"):
        locked.to_open()
    assert not IdentityFile(locked.path, data).is_locked()  # so nobody is asked for nothing


def test_a_symbolic_link_to_an_identity_is_refused(locked: IdentityFile, data: Path) -> None:
    target = locked.path.with_name("elsewhere")
    locked.path.rename(target)
    locked.path.symlink_to(target)
    asks: list[Callable[[], object]] = [
        lambda: locked.unlock(Secret(PASSPHRASE)),
        locked.to_open,
        lambda: locked.protect(Secret("new")),
    ]
    for ask in asks:
        with pytest.raises(StoreUnusable, match="symbolic link"):
            ask()


@pytest.mark.usefixtures("light")
def test_a_protected_identity_stays_the_same_and_is_restored_byte_for_byte(
    file: IdentityFile, data: Path
) -> None:
    key, plain = key_of(file), file.path.read_bytes()
    file.protect(Secret(PASSPHRASE))
    assert KEY not in file.path.read_bytes()
    assert stat.filemode(file.path.stat().st_mode) == "-rw-------"
    assert key_of(file) == key  # it stays open where it was protected
    other = IdentityFile(file.path, data)
    other.unlock(Secret(PASSPHRASE))
    assert key_of(other) == key
    other.unprotect()
    assert other.path.read_bytes() == plain
    assert stat.filemode(file.path.stat().st_mode) == "-rw-------"
    assert list(file.path.parent.iterdir()) == [file.path]


@pytest.mark.usefixtures("light")
def test_a_new_passphrase_invalidates_the_old_one(locked: IdentityFile, data: Path) -> None:
    with pytest.raises(IdentityLocked):
        locked.protect(Secret("new"))
    locked.unlock(Secret(PASSPHRASE))
    locked.protect(Secret("new"))
    other = IdentityFile(locked.path, data)
    with pytest.raises(WrongPassphrase):
        other.unlock(Secret(PASSPHRASE))
    other.unlock(Secret("new"))


@pytest.mark.usefixtures("light")
def test_at_the_first_use_it_is_made_under_the_passphrase(identity: Path, data: Path) -> None:
    file = IdentityFile(identity, data)
    sealed = seal_something(data)
    with pytest.raises(IdentityMissing):
        file.protect(Secret(PASSPHRASE))
    sealed.unlink()
    file.protect(Secret(PASSPHRASE))
    assert IdentityFile(identity, data).is_locked()
    assert key_of(file)


@pytest.mark.parametrize("what", ["another identity", "another passphrase", "cut"])
def test_a_wrapped_copy_that_does_not_open_never_replaces_the_identity(
    what: str, file: IdentityFile, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.path.read_bytes()
    flawed = {
        "another identity": wrapped_lightly(sealing.new_identity(), PASSPHRASE),
        "another passphrase": wrapped_lightly(before, "other"),
        "cut": wrapped_lightly(before, PASSPHRASE)[:-60],
    }[what]
    monkeypatch.setattr(sealing, "wrap", lambda *_: flawed)
    with pytest.raises((StoreUnusable, WrongPassphrase)):
        file.protect(Secret(PASSPHRASE))
    with pytest.raises((StoreUnusable, WrongPassphrase)):
        file.exported(Secret(PASSPHRASE))
    assert file.path.read_bytes() == before


def test_an_identity_that_changes_while_scrypt_works_is_left_alone(
    file: IdentityFile, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = sealing.new_identity()

    def wrap(plain: bytes, passphrase: Secret) -> bytes:
        file.path.write_bytes(theirs)
        return wrapped_lightly(plain, passphrase.reveal())

    monkeypatch.setattr(sealing, "wrap", wrap)
    with pytest.raises(StoreUnusable, match="another process has changed it"):
        file.protect(Secret(PASSPHRASE))
    assert file.path.read_bytes() == theirs


@pytest.mark.usefixtures("light")
def test_a_copy_opens_on_another_machine_and_stays_unchanged(
    file: IdentityFile, tmp_path: Path
) -> None:
    copy = file.exported(Secret("for the way"))
    assert KEY not in copy
    assert not file.is_locked()
    data = tmp_path / "there" / "data"
    there = IdentityFile(tmp_path / "there" / "identity.txt", data)
    seal_something(data)
    arrived = opened(copy, Secret("for the way"), tmp_path / "copy")
    there.take(arrived)
    assert there.path.read_bytes() == copy
    assert stat.filemode(there.path.stat().st_mode) == "-rw-------"
    assert key_of(there) == key_of(file)
    there.take(arrived)  # again, although it is already there
    assert IdentityFile(there.path, data).is_locked()


def test_an_identity_that_something_is_sealed_for_is_not_replaced(
    file: IdentityFile, tmp_path: Path, data: Path
) -> None:
    before = file.path.read_bytes()
    arrived = opened(sealing.new_identity(), Secret(""), tmp_path / "copy")
    sealed = seal_something(data)
    with pytest.raises(IdentityInPlace) as told:
        file.take(arrived)
    assert str(file.path) in str(told.value)
    assert file.path.read_bytes() == before
    sealed.unlink()
    file.take(arrived)
    assert file.path.read_bytes() == arrived.file


def test_an_opened_identity_does_not_print_its_key(file: IdentityFile) -> None:
    arrived = opened(
        wrapped_lightly(file.path.read_bytes(), PASSPHRASE), Secret(PASSPHRASE), file.path
    )
    assert "SECRET" not in f"{arrived}{arrived!r}{vars(file)}"
    file.take(arrived)
    assert "SECRET" not in f"{vars(file)}"
