"""The identity is put under a passphrase while another m3cred is running."""

from collections.abc import Callable
from pathlib import Path

import pytest

from m3cred_tui.model.credential import Credential, Status, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.store import files, lock, sealing
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.lock import locked
from m3cred_tui.store.problems import (
    CredentialDamaged,
    IdentityLocked,
    IdentityMissing,
    StoreBusy,
    StoreUnusable,
)
from tests.store.light_age import wrapped_lightly

Meanwhile = Callable[[Callable[[], object]], None]

MINE, THEIRS = Secret("mine"), Secret("theirs")


def content(identity: Path) -> bytes:
    return identity.read_bytes()


def key_under(passphrase: Secret, identity: Path) -> str:
    plain = sealing.unwrap(content(identity), passphrase)
    return str(sealing.identity_in(plain).to_public())


def wrap(plain: bytes, passphrase: Secret) -> bytes:
    return wrapped_lightly(plain, passphrase.reveal())


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrap like age, but without the seconds of work."""
    monkeypatch.setattr(sealing, "wrap", wrap)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Let another process act while scrypt works for the first time."""

    def set_up(do: Callable[[], object]) -> None:
        to_do = [do]

        def told_wrap(plain: bytes, passphrase: Secret) -> bytes:
            while to_do:
                to_do.pop()()
            return wrap(plain, passphrase)

        monkeypatch.setattr(sealing, "wrap", told_wrap)

    return set_up


def test_an_identity_made_in_the_clear_meanwhile_ends_up_under_the_passphrase(
    meanwhile: Meanwhile,
    store: DirectoryStore,
    identity: Path,
    data: Path,
    acme: Credential,
    tokens: TokenResponse,
) -> None:
    keys = []

    def create() -> None:
        store.create(acme, tokens)
        keys.append(str(sealing.identity_in(content(identity)).to_public()))

    meanwhile(create)
    mine = IdentityFile(identity, data)
    mine.protect(MINE)
    assert IdentityFile(identity, data).is_locked()
    assert key_under(MINE, identity) == keys[0]
    assert DirectoryStore(data, mine).tokens(acme.id).scope == "read_write"


def test_an_identity_made_under_another_passphrase_meanwhile_stays(
    meanwhile: Meanwhile, store: DirectoryStore, identity: Path, data: Path
) -> None:
    theirs = IdentityFile(identity, data)
    meanwhile(lambda: theirs.protect(THEIRS))
    with pytest.raises(IdentityLocked):
        IdentityFile(identity, data).protect(MINE)
    assert key_under(THEIRS, identity) == str(theirs.to_open().to_public())


def test_none_is_made_if_credentials_appear_meanwhile_without_their_identity(
    meanwhile: Meanwhile,
    store: DirectoryStore,
    identity: Path,
    data: Path,
    acme: Credential,
    tokens: TokenResponse,
) -> None:
    def move_in() -> None:
        store.create(acme, tokens)
        identity.unlink()

    meanwhile(move_in)
    with pytest.raises(IdentityMissing):
        IdentityFile(identity, data).protect(MINE)
    assert not identity.exists()


def test_an_identity_lost_meanwhile_is_reported_as_missing(
    meanwhile: Meanwhile, store: DirectoryStore, identity: Path, data: Path
) -> None:
    store.prepare()
    meanwhile(identity.unlink)
    with pytest.raises(IdentityMissing):
        IdentityFile(identity, data).protect(MINE)
    assert not identity.exists()


@pytest.mark.usefixtures("light")
def test_it_waits_for_another_change_and_reports_one_that_does_not_end(
    store: DirectoryStore, identity: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_PATIENCE", 0.0)
    file = IdentityFile(identity, data)
    with locked(data), pytest.raises(StoreBusy, match="Nothing was changed"):
        file.protect(MINE)
    assert not identity.exists()
    store.prepare()
    plain = content(identity)
    with locked(data), pytest.raises(StoreBusy, match="Nothing was changed"):
        file.protect(MINE)
    assert content(identity) == plain
    file.protect(MINE)
    with locked(data), pytest.raises(StoreBusy, match="Nothing was changed"):
        file.unprotect()
    assert IdentityFile(identity, data).is_locked()


@pytest.mark.usefixtures("light")
def test_it_is_never_reported_as_protected_while_it_is_in_the_clear(
    store: DirectoryStore, identity: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare()
    plain = content(identity)
    monkeypatch.setattr(files, "sweep", lambda _: identity.write_bytes(plain))
    with pytest.raises(StoreUnusable, match="another process has changed it"):
        IdentityFile(identity, data).protect(MINE)


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("before", ["in clear", "under another passphrase"])
def test_an_approval_after_it_was_protected_elsewhere_is_not_lost(
    before: str,
    store: DirectoryStore,
    identity: Path,
    data: Path,
    acme: Credential,
    tokens: TokenResponse,
) -> None:
    waiting = IdentityFile(identity, data)
    if before != "in clear":
        waiting.protect(THEIRS)
    here = DirectoryStore(data, waiting)
    here.prepare()  # then Stripe is asked
    elsewhere = IdentityFile(identity, data)
    elsewhere.unlock(THEIRS)
    elsewhere.protect(MINE)
    here.keep_pending(acme._replace(status=Status.PENDING), tokens)
    here.create(acme, tokens)
    with pytest.raises(IdentityLocked):
        here.tokens(acme.id)
    later = IdentityFile(identity, data)
    later.unlock(MINE)
    assert DirectoryStore(data, later).tokens(acme.id).scope == "read_write"


@pytest.mark.usefixtures("light")
def test_no_authorization_begins_after_it_was_protected_elsewhere(
    store: DirectoryStore, identity: Path, data: Path
) -> None:
    store.prepare()
    IdentityFile(identity, data).protect(MINE)
    with pytest.raises(IdentityLocked):
        store.prepare()


def test_an_approval_is_sealed_for_the_previous_identity_while_another_is_locked(
    store: DirectoryStore,
    identity: Path,
    data: Path,
    acme: Credential,
    tokens: TokenResponse,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store.prepare()
    before = content(identity)
    identity.write_bytes(wrap(sealing.new_identity(), THEIRS))
    store.keep_pending(acme._replace(status=Status.PENDING), tokens)
    assert "sealed for the identity that was open before" in caplog.text
    theirs = IdentityFile(identity, data)
    theirs.unlock(THEIRS)
    with pytest.raises(CredentialDamaged, match="cannot be opened with this identity"):
        DirectoryStore(data, theirs).tokens(acme.id)
    identity.write_bytes(before)
    assert store.tokens(acme.id).scope == "read_write"


def test_an_approval_is_sealed_for_another_identity_that_is_in_the_clear(
    store: DirectoryStore,
    identity: Path,
    acme: Credential,
    tokens: TokenResponse,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store.prepare()
    identity.write_bytes(sealing.new_identity())
    store.keep_pending(acme._replace(status=Status.PENDING), tokens)
    assert store.tokens(acme.id).scope == "read_write"
    assert "sealed for" not in caplog.text
