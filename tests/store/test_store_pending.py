"""An approval stays until it is created or deleted, whatever happens in between."""

import errno
import os
from pathlib import Path

import pytest

from m3cred_tui.model.credential import Credential, Status, TokenResponse
from m3cred_tui.store.directory.folder import RecordFolder
from m3cred_tui.store.directory.record import LARGEST_RECORD, Record
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.port import Damaged
from m3cred_tui.store.problems import OutcomeUnknown, StoreUnusable
from tests.store.swept_operations import ID, PENDING, REQUESTED, request


@pytest.fixture
def pending(acme: Credential) -> Credential:
    return acme._replace(status=Status.PENDING)


@pytest.fixture
def waiting(credentials: Path) -> Path:
    return credentials.parent / "pending"


def still_pending(store: DirectoryStore, folder: Path, acme: Credential) -> None:
    """Restore the file that a process killed during a creation had not yet removed."""
    (folder / "kept").rename(folder / f"{acme.id}.json")


def test_a_created_credential_replaces_its_pending_one(
    store: DirectoryStore,
    acme: Credential,
    pending: Credential,
    tokens: TokenResponse,
    waiting: Path,
) -> None:
    store.keep_pending(pending, tokens)
    store.create(acme, tokens)
    assert store.ids() == [acme.id]
    assert store.read(acme.id) == acme
    assert list(waiting.iterdir()) == []


def test_a_credential_left_in_both_directories_is_the_created_one(
    store: DirectoryStore,
    acme: Credential,
    pending: Credential,
    tokens: TokenResponse,
    waiting: Path,
) -> None:
    store.keep_pending(pending, tokens)
    os.link(waiting / f"{acme.id}.json", waiting / "kept")
    store.create(acme, tokens)
    still_pending(store, waiting, acme)
    assert store.ids() == [acme.id]
    assert store.read(acme.id) == acme
    store.prepare()
    assert list(waiting.iterdir()) == []
    assert store.read(acme.id) == acme


def test_the_only_undamaged_half_of_a_credential_is_not_swept(
    store: DirectoryStore,
    acme: Credential,
    pending: Credential,
    tokens: TokenResponse,
    waiting: Path,
    credentials: Path,
) -> None:
    store.keep_pending(pending, tokens)
    os.link(waiting / f"{acme.id}.json", waiting / "kept")
    store.create(acme, tokens)
    still_pending(store, waiting, acme)
    created = credentials / f"{acme.id}.json"
    created.write_bytes(b"")
    store.prepare()
    assert isinstance(store.read(acme.id), Damaged)
    created.unlink()
    assert store.verified(acme.id) == pending


def test_a_credential_created_during_a_listing_is_listed_once(
    store: DirectoryStore,
    acme: Credential,
    pending: Credential,
    tokens: TokenResponse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.keep_pending(pending, tokens)
    names = RecordFolder.names

    def then_created(folder: RecordFolder) -> list[str]:
        found = names(folder)
        monkeypatch.undo()
        store.create(acme, tokens)
        return found

    monkeypatch.setattr(RecordFolder, "names", then_created)
    assert store.ids() == [acme.id]


def test_a_credential_created_while_it_is_read_is_found(
    store: DirectoryStore,
    acme: Credential,
    pending: Credential,
    tokens: TokenResponse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.keep_pending(pending, tokens)
    read = RecordFolder.read

    def then_created(folder: RecordFolder, credential_id: str) -> Record:
        try:
            return read(folder, credential_id)
        finally:
            monkeypatch.undo()
            store.create(acme, tokens)

    monkeypatch.setattr(RecordFolder, "read", then_created)
    assert store.read(acme.id) == acme


def test_deleting_removes_both_halves(
    store: DirectoryStore,
    acme: Credential,
    pending: Credential,
    tokens: TokenResponse,
    waiting: Path,
) -> None:
    store.keep_pending(pending, tokens)
    os.link(waiting / f"{acme.id}.json", waiting / "kept")
    store.create(acme, tokens)
    still_pending(store, waiting, acme)
    store.delete(acme.id)
    assert store.ids() == []
    assert store.read(acme.id) is None


def test_a_removed_approval_is_not_reported_as_still_there(
    store: DirectoryStore, pending: Credential, tokens: TokenResponse, credentials: Path
) -> None:
    store.prepare()
    store.keep_pending(pending, tokens)
    credentials.chmod(0o755)
    with pytest.raises(OutcomeUnknown, match="It cannot be read again, either"):
        store.delete(pending.id)
    credentials.chmod(0o700)
    assert store.read(pending.id) is None


def test_an_unconfirmed_change_is_reported_even_if_it_cannot_be_read_again(
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
    credentials: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.prepare()
    fsync = os.fsync

    def fails_for_the_folder(descriptor: int) -> None:
        if os.path.sameopenfile(descriptor, folder):
            os.fchmod(folder, 0o755)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)

    folder = os.open(credentials, os.O_RDONLY)
    monkeypatch.setattr(os, "fsync", fails_for_the_folder)
    with pytest.raises(OutcomeUnknown) as told:
        store.create(acme, tokens)
    os.close(folder)
    assert str(told.value) == (
        f"It is not known whether {credentials} kept the last change: "
        "the disk reports an error. "
        "It cannot be read again, either: other users have access to it."
    )
    with pytest.raises(StoreUnusable):
        store.read(acme.id)
    credentials.chmod(0o700)
    assert store.read(acme.id) == acme


def test_an_approval_that_a_killed_process_had_only_written_into_its_room_is_put_in_place(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, waiting: Path
) -> None:
    store.prepare()
    store.requests.keep(REQUESTED, request())
    store.requests.answer(REQUESTED, request())
    room = waiting / f"{ID}.json.room"
    reserved = room.read_bytes()
    assert len(reserved) == LARGEST_RECORD
    approval = store.sealed(PENDING, tokens)
    now = REQUESTED.created_at
    for torn in (reserved, approval[:900] + reserved[900:], b"", approval[:-1]):
        room.write_bytes(torn)
        assert store.requests.expire(now) == []
        assert store.read(ID) == REQUESTED._replace(status=Status.UNKNOWN)
    room.write_bytes(approval)
    assert store.requests.expire(now) == []
    assert store.verified(ID) == PENDING
    assert [path.suffix for path in waiting.iterdir()] == [".json"]
    assert acme not in store.read_many(store.ids())


@pytest.mark.parametrize("instead", ["nothing", "link", "directory"])
def test_an_approval_is_kept_whatever_is_in_place_of_its_room(
    store: DirectoryStore, tokens: TokenResponse, waiting: Path, tmp_path: Path, instead: str
) -> None:
    store.prepare()
    store.requests.keep(REQUESTED, request())
    store.requests.answer(REQUESTED, request())
    room, elsewhere = waiting / f"{ID}.json.room", tmp_path / "elsewhere"
    elsewhere.write_text("somebody's")
    room.unlink()
    if instead == "link":
        room.symlink_to(elsewhere)
    if instead == "directory":
        room.mkdir()
    store.keep_pending(PENDING, tokens)
    assert store.verified(ID) == PENDING
    assert elsewhere.read_text() == "somebody's"


@pytest.mark.parametrize("instead", ["nothing", "link"])
def test_refreshed_tokens_are_kept_whatever_is_in_place_of_their_room(
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
    data: Path,
    tmp_path: Path,
    instead: str,
) -> None:
    store.create(acme, tokens)
    room, elsewhere = data / "refreshing" / f"{acme.id}.room", tmp_path / "elsewhere"
    elsewhere.write_text("somebody's")
    with store.refreshes.begun(acme.id) as refresh:
        refresh.ask(acme.created_at)
        room.unlink()
        if instead == "link":
            room.symlink_to(elsewhere)
        refresh.keep(tokens._replace(scope="new"))
    assert store.tokens(acme.id).scope == "new"
    assert elsewhere.read_text() == "somebody's"


@pytest.mark.parametrize("end", ["settled", "deleted", "swept"])
def test_no_room_outlives_the_request_that_it_was_for(
    store: DirectoryStore, waiting: Path, end: str
) -> None:
    store.prepare()
    store.requests.keep(REQUESTED, request())
    store.requests.answer(REQUESTED, request())
    assert sorted(path.suffix for path in waiting.iterdir()) == [".json", ".room"]
    match end:
        case "settled":
            store.requests.settle(ID)
        case "deleted":
            store.delete(ID)
        case _:
            (waiting / f"{ID}.json").unlink()
            store.prepare()
    assert [*waiting.iterdir()] == []


def test_nothing_is_kept_or_created_in_place_of_data_that_are_not_mounted(
    store: DirectoryStore, acme: Credential, pending: Credential, tokens: TokenResponse
) -> None:
    store.prepare()
    store.keep_pending(pending, tokens)
    away = store.data.rename(store.data.with_suffix(".away"))
    for change in (store.keep_pending, store.create):
        with pytest.raises(StoreUnusable, match="it is missing"):
            change(acme, tokens)
    (store.data / "lock").unlink()
    store.data.rmdir()  # there is nothing else in it
    away.rename(store.data)
    store.create(acme, tokens)
    assert store.read(acme.id) == acme
