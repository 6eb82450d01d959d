"""Narrow places: a change that is not confirmed, a file that is missing, a name in the way."""

import errno
import fcntl
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from m3cred_tui.model.credential import STRIPE, Credential, OAuthModel, Status, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.store import files
from m3cred_tui.store.directory.refreshing import DirectoryRefresh
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.fields import _EARLIEST, _LATEST, iso, json_object, time
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.platform_keys import keep_key
from m3cred_tui.store.problems import (
    AlreadyThere,
    CredentialDamaged,
    NameTaken,
    OutcomeUnknown,
    StoreUnusable,
    WrongPassphrase,
    plain_reason,
)

OTHER_ID = "019cb73d-3218-7000-8000-00000000000b"


def unconfirmed(_folder: int) -> None:
    raise files.UnconfirmedError(OSError(errno.EIO, "an error"))


def test_what_is_there_after_an_unconfirmed_change_is_read_again_and_told(
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.prepare()
    monkeypatch.setattr(files, "_confirm", unconfirmed)
    with pytest.raises(OutcomeUnknown, match=r"Read again, the credential is there\."):
        store.create(acme, tokens)
    (store.data / "keys").mkdir(mode=0o700)
    with pytest.raises(OutcomeUnknown, match=r"keys/STRIPE\.age"):
        keep_key(store.data / "keys", STRIPE, Secret("sk_live_x"), store.identity)


def test_a_name_that_was_taken_since_it_was_checked_is_refused(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse
) -> None:
    seen = store.stamp()
    store.create(acme, tokens, seen)  # its own name is not in its way
    with pytest.raises(NameTaken):
        store.create(acme._replace(id=OTHER_ID, name="ACME  production"), tokens, seen)
    store.create(acme._replace(id=OTHER_ID, name="Acme test"), tokens, seen)
    assert len(store.ids()) == 2


def test_only_what_has_changed_since_is_read_again_pending_ones_too(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse
) -> None:
    pending = acme._replace(status=Status.PENDING)
    store.keep_pending(pending, tokens)
    folder = store.data / "pending"
    record = folder / f"{acme.id}.json"
    while folder.stat().st_ctime_ns <= record.stat().st_ctime_ns:  # until the clock goes on
        (folder / "other").touch()
        (folder / "other").unlink()
    stamp = store.stamp()
    store.keep_pending(pending._replace(id=OTHER_ID), tokens)
    assert store.changed_since(stamp) == [OTHER_ID]


def test_a_link_to_nothing_in_the_place_of_a_record_is_not_overwritten(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse
) -> None:
    store.prepare()
    (store.data / "credentials" / f"{acme.id}.json").symlink_to("nowhere")
    with pytest.raises(AlreadyThere):
        store.keep_pending(acme._replace(status=Status.PENDING), tokens)


def test_a_damaged_credential_is_named(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse
) -> None:
    store.create(acme, tokens)
    file = store.data / "credentials" / f"{acme.id}.json"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(CredentialDamaged) as caught:
        store.tokens(acme.id)
    assert caught.value.id == acme.id


def test_the_end_of_a_disconnection_never_fails(
    store: DirectoryStore, acme: Credential
) -> None:
    store.prepare()
    store.data.chmod(0o755)
    store.disconnecting.end(acme.id)


@pytest.fixture
def app(store: DirectoryStore, acme: Credential, tokens: TokenResponse) -> Credential:
    store.create(acme, tokens._replace(oauth=OAuthModel.APPS, obtained_at=acme.created_at))
    return acme


def test_tokens_are_replaced_twice_under_one_lock(
    store: DirectoryStore, app: Credential
) -> None:
    with store.refreshes.begun(app.id) as refresh:
        for token in ("rk_1", "rk_2"):
            refresh.ask(app.created_at)
            refresh.keep(refresh.tokens._replace(access_token=Secret(token)))
    kept = store.tokens(app.id).access_token
    assert kept
    assert kept.reveal() == "rk_2"


def test_an_answer_that_a_killed_process_has_left_is_put_in_place(
    store: DirectoryStore, app: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception): ...

    def killed(*_arguments: object) -> None:
        raise KilledError

    with store.refreshes.begun(app.id) as refresh:
        refresh.ask(app.created_at)
        monkeypatch.setattr(DirectoryRefresh, "_land", killed)
        with pytest.raises(KilledError):
            refresh.keep(refresh.tokens._replace(access_token=Secret("rk_new")))
        monkeypatch.undo()
    with store.refreshes.begun(app.id) as refresh:
        assert refresh.unanswered is None
    kept = store.tokens(app.id).access_token
    assert kept
    assert kept.reveal() == "rk_new"


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOLCK, "this file system has no locks"), (errno.EIO, "the disk reports an error")],
)
def test_a_lock_that_fails_is_told_with_its_place_and_why(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    def fails(*_arguments: object) -> None:
        raise OSError(number, "an error")

    monkeypatch.setattr(fcntl, "flock", fails)
    with pytest.raises(StoreUnusable, match=f"{store.data}.* cannot be used: {reason}"):
        store.prepare()


def test_a_directory_that_cannot_be_opened_is_told_by_its_permissions(
    store: DirectoryStore, acme: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare()
    folder = store.data / "credentials"
    folder.chmod(0o077)
    opens = os.open

    def as_another_user(path: Path, *arguments: int, **options: int) -> int:
        if path == folder:
            raise PermissionError(errno.EACCES, "denied")
        return opens(path, *arguments, **options)

    monkeypatch.setattr(os, "open", as_another_user)
    with pytest.raises(StoreUnusable, match=f"chmod 700 {folder}"):
        store.read(acme.id)
    folder.chmod(0o700)  # or pytest cannot remove it, and warns of it in every later run


def test_a_field_is_taken_or_the_record_is_called_damaged_for_a_reason() -> None:
    for data in (b"{", b"{} {}", b"\xff"):
        with pytest.raises(FlawError, match=r"^it is not whole JSON$"):
            json_object(data)
    assert time({"at": iso(_EARLIEST)}, "at") == _EARLIEST
    with pytest.raises(FlawError):
        time({"at": iso(_LATEST)}, "at")


def test_a_refresh_whose_room_was_removed_by_hand_can_be_begun_again(
    store: DirectoryStore, app: Credential
) -> None:
    with store.refreshes.begun(app.id) as refresh:
        asked = refresh.ask(app.created_at)
    (store.data / "refreshing" / f"{app.id}.room").unlink()
    with store.refreshes.begun(app.id) as refresh:
        assert refresh.ask(app.created_at + timedelta(minutes=1)).key == asked.key


def test_a_refresh_sweeps_what_a_deleted_credential_has_left(
    store: DirectoryStore, app: Credential
) -> None:
    with store.refreshes.begun(app.id) as refresh:
        (left := store.data / "refreshing" / f"{OTHER_ID}.room").touch()
        refresh.ask(app.created_at)
        assert not left.exists()


def test_what_is_wrong_with_an_identity_is_told_with_its_place(
    store: DirectoryStore, app: Credential, tmp_path: Path
) -> None:
    path = store.identity.path
    before = store.identity.to_seal()
    assert before
    whole = path.read_bytes()
    opened = store.identity._opened()
    path.write_bytes(b"changed by somebody else\n")
    with pytest.raises(StoreUnusable, match=str(path)):
        store.identity._replace(opened, opened)
    path.write_bytes(b"age-encryption.org/v1\n-> scrypt x 1\nxx\n--- xx\nxx")
    with pytest.raises((StoreUnusable, WrongPassphrase), match=str(path)):
        store.identity.unlock(Secret("wrong"))
    path.write_bytes(whole)


def test_a_last_resort_seals_although_the_identity_cannot_be_read(
    store: DirectoryStore, app: Credential, tokens: TokenResponse
) -> None:
    store.identity.path.chmod(0o644)
    with pytest.raises(StoreUnusable):
        store.create(app._replace(id=OTHER_ID), tokens)
    text = json.loads(store.sealed(app._replace(id=OTHER_ID), tokens))
    assert "BEGIN AGE ENCRYPTED FILE" in text["sealed"]


def test_what_a_file_system_lacks_is_found_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert files.lacking(folder) == []
        files.create_anywhere(folder, "copy", b"data", 0o640)
        assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o640

        def fails(*_arguments: object, **_options: object) -> None:
            raise OSError(errno.EPERM, "no such thing")

        monkeypatch.setattr(os, "link", fails)
        assert files.lacking(folder) == ["hard links"]
        assert [path.name for path in tmp_path.iterdir()] == ["copy"]
        files.create_anywhere(folder, "other", b"more")
        assert (tmp_path / "other").read_bytes() == b"more"
        assert (tmp_path / "other").stat().st_mode & 0o777 == 0o600
        with monkeypatch.context() as failing:
            uses = iter([False, True])  # the first is for a file to be linked
            failing.setattr(os, "ftruncate", lambda *_: fails() if next(uses) else None)
            with pytest.raises(OSError, match="no such thing"):
                files.create_anywhere(folder, "third", b"more")
        assert not (tmp_path / "third").exists()
        monkeypatch.setattr(files, "_confirm", unconfirmed)
        with pytest.raises(files.UnconfirmedError):
            files.create_anywhere(folder, "third", b"more")
    finally:
        os.close(folder)


def test_a_record_that_the_system_gives_in_pieces_is_read_whole(
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.create(acme, tokens)
    whole, read = store.read(acme.id), os.read
    assert isinstance(whole, Credential)
    monkeypatch.setattr(os, "read", lambda file, size: read(file, min(size, 100)))
    assert store.read(acme.id) == whole


def test_a_write_that_fails_leaves_no_file_and_a_system_at_its_limit_damages_none(
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.create(acme, tokens)
    before = sorted(store.data.rglob("*"))

    def fails(*_arguments: object) -> None:
        raise OSError(errno.EIO, "an error")

    monkeypatch.setattr(os, "ftruncate", fails)
    with pytest.raises(StoreUnusable, match="the disk reports an error"):
        store.create(acme._replace(id=OTHER_ID), tokens)
    assert sorted(store.data.rglob("*")) == before

    opens = os.open

    def without_files(path: str, *arguments: int, **options: int) -> int:
        if str(path).endswith(".json"):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return opens(path, *arguments, **options)

    monkeypatch.setattr(os, "open", without_files)
    with pytest.raises(StoreUnusable) as caught:
        store.read(acme.id)
    assert caught.value.reason == plain_reason(OSError(errno.EMFILE, ""))
