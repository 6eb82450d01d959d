"""Permissions are checked as in ssh, and each refusal says how to fix them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from m3cred_tui.model.credential import Credential, TokenResponse
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.files import make_folder
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.port import Damaged
from m3cred_tui.store.problems import StoreUnusable

NOBODY = 65534
ID = "0196d5c8-0000-7000-8000-000000000000"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture(autouse=True)
def acme_is_there(store: DirectoryStore, acme: Credential, tokens: TokenResponse) -> None:
    store.create(acme, tokens)


@pytest.mark.parametrize("bits", [0o710, 0o701, 0o750, 0o755, 0o777])
def test_a_directory_open_to_others_is_refused_until_the_command_is_run(
    bits: int, store: DirectoryStore, acme: Credential, credentials: Path
) -> None:
    credentials.chmod(bits)
    asks: list[Callable[[], object]] = [
        store.ids,
        store.prepare,
        lambda: store.read(acme.id),
        lambda: store.tokens(acme.id),
        lambda: store.delete(acme.id),
    ]
    for ask in asks:
        with pytest.raises(StoreUnusable) as told:
            ask()
        assert str(told.value) == (
            f"{credentials} cannot be used: other users have access to it. "
            f"Run: chmod 700 {credentials}"
        )
    subprocess.run(["sh", "-c", told.value.fix], check=True)
    assert store.read(acme.id) == acme


@pytest.mark.parametrize(("bits", "what"), [(0o755, "directory"), (0o644, "file")])
def test_an_identity_open_to_others_is_refused_until_the_command_is_run(
    bits: int, what: str, store: DirectoryStore, acme: Credential, identity: Path
) -> None:
    open_to_others = identity if what == "file" else identity.parent
    open_to_others.chmod(bits)
    for ask in (store.prepare, lambda: store.tokens(acme.id)):
        with pytest.raises(StoreUnusable) as told:
            ask()
        assert told.value.path == open_to_others
    subprocess.run(["sh", "-c", told.value.fix], check=True)
    assert store.tokens(acme.id).scope == "read_write"


def test_a_record_open_to_others_is_a_row_that_names_the_command(
    store: DirectoryStore, acme: Credential, credentials: Path
) -> None:
    file = credentials / f"{acme.id}.json"
    file.chmod(0o644)
    row = store.read(acme.id)
    reason = f"other users have access to it; run: chmod 600 {file}"
    assert row == Damaged(acme.id, reason)
    subprocess.run(["sh", "-c", reason.partition("run: ")[2]], check=True)
    assert store.read(acme.id) == acme


def test_a_path_with_a_space_is_quoted_in_the_command(tmp_path: Path, identity: Path) -> None:
    spaced = tmp_path / "my data" / "credentials"
    spaced.mkdir(parents=True, mode=0o755)
    with pytest.raises(StoreUnusable) as told:
        DirectoryStore(spaced.parent, IdentityFile(identity, spaced.parent)).ids()
    assert told.value.fix == f"chmod 700 '{spaced}'"


@pytest.mark.parametrize("dangling", [False, True])
def test_a_symbolic_link_in_place_of_the_directory_is_refused(
    dangling: bool, store: DirectoryStore, credentials: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    credentials.rename(elsewhere)
    credentials.symlink_to(tmp_path / "nowhere" if dangling else elsewhere)
    reason = "a link to nothing" if dangling else "a symbolic link"
    for ask in (store.prepare, store.ids):
        with pytest.raises(StoreUnusable, match=reason):
            ask()


def test_a_symbolic_link_in_place_of_the_identity_is_refused(
    store: DirectoryStore, identity: Path, tmp_path: Path
) -> None:
    identity.rename(tmp_path / "elsewhere")
    identity.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnusable, match="symbolic link"):
        store.prepare()


@pytest.mark.parametrize("where", ["credentials", "data"])
def test_a_file_in_place_of_a_directory_is_reported(
    where: str, identity: Path, tmp_path: Path
) -> None:
    root = tmp_path / "other"
    root.mkdir(mode=0o700)
    (root / where).touch()
    data = root if where == "credentials" else root / "data"
    with pytest.raises(StoreUnusable, match="not a directory"):
        DirectoryStore(data, IdentityFile(identity, data)).prepare()


@as_root
@pytest.mark.parametrize("what", ["directory", "record", "identity"])
def test_a_path_of_another_user_is_refused_and_stays_theirs(
    what: str, store: DirectoryStore, acme: Credential, credentials: Path, identity: Path
) -> None:
    path = {
        "directory": credentials,
        "record": credentials / f"{acme.id}.json",
        "identity": identity,
    }[what]
    os.chown(path, NOBODY, NOBODY)
    if what == "record":
        row = store.read(acme.id)
        assert isinstance(row, Damaged)
        assert "another user (uid 65534)" in row.reason
        assert "chown" not in row.reason
    else:
        with pytest.raises(StoreUnusable, match=r"another user \(uid 65534\)") as told:
            store.tokens(acme.id)
        assert (told.value.path, told.value.fix) == (path, "")
    assert path.stat().st_uid == NOBODY
    os.chown(path, 0, 0)
    assert store.tokens(acme.id).scope == "read_write"


AS_NOBODY = """
import os, sys
from pathlib import Path
from m3cred_tui.model.problem import Problem
import pyrage
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.directory.store import DirectoryStore
os.setgroups([]); os.setgid(65534); os.setuid(65534)
root = Path(sys.argv[1])
store = DirectoryStore(root / "data", IdentityFile(root / "id" / "identity", root / "data"))
ID = "0196d5c8-0000-7000-8000-000000000000"
for ask in (store.ids, lambda: store.read(ID), store.prepare):
    try:
        print(ask())
    except Problem as problem:
        print(type(problem).__name__, problem)
"""


@pytest.fixture
def place_for_nobody() -> Iterator[Path]:
    # tmp_path is in a directory that nobody else may enter.
    with tempfile.TemporaryDirectory(prefix="m3cred-test-") as name:
        place = Path(name)
        place.chmod(0o711)
        (place / "id").mkdir()
        os.chown(place / "id", NOBODY, NOBODY)
        (place / "id").chmod(0o700)
        yield place


def said_by_nobody(place: Path) -> list[str]:
    command = [sys.executable, "-I", "-c", AS_NOBODY, str(place)]
    child = subprocess.run(command, capture_output=True, text=True, check=True)
    return child.stdout.splitlines()


@as_root
def test_a_directory_that_cannot_be_made_is_reported(place_for_nobody: Path) -> None:
    path = place_for_nobody / "data"
    assert said_by_nobody(place_for_nobody) == [
        "[]",
        "None",
        f"StoreUnusable {path} cannot be used: permission is denied.",
    ]


@as_root
def test_a_directory_of_root_is_reported_to_another_user(place_for_nobody: Path) -> None:
    path = place_for_nobody / "data" / "credentials"
    path.mkdir(parents=True, mode=0o700)
    os.chown(path.parent, NOBODY, NOBODY)
    path.parent.chmod(0o700)
    sentence = (
        f"StoreUnusable {path} cannot be used: it belongs to another user (uid 0), and you are "
        "uid 65534."
    )
    assert said_by_nobody(place_for_nobody) == [sentence] * 3


@as_root
def test_a_directory_without_write_permission_is_reported_before_stripe_is_asked(
    place_for_nobody: Path,
) -> None:
    path = place_for_nobody / "data"
    path.mkdir()
    os.chown(path, NOBODY, NOBODY)
    path.chmod(0o500)
    assert said_by_nobody(place_for_nobody) == [
        "[]",
        "None",
        f"StoreUnusable {path} cannot be used: permission is denied.",
    ]


@as_root
def test_nothing_is_made_in_the_home_of_another_user(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    with pytest.raises(StoreUnusable, match="above it belongs to another user; if HOME names"):
        make_folder(home / ".local" / "share" / "m3cred")
    assert [*home.iterdir()] == []


@as_root
@pytest.mark.parametrize("bits", [0o000, 0o300])
def test_a_directory_that_cannot_be_read_is_reported(bits: int, place_for_nobody: Path) -> None:
    path = of_nobody(place_for_nobody / "data" / "credentials")
    path.chmod(bits)
    sentence = f"StoreUnusable {path} cannot be used: permission is denied."
    assert said_by_nobody(place_for_nobody) == [sentence] * 3


@as_root
def test_a_record_that_cannot_be_read_is_a_row(place_for_nobody: Path) -> None:
    file = of_nobody(place_for_nobody / "data" / "credentials") / f"{ID}.json"
    file.touch(0o000)
    os.chown(file, NOBODY, NOBODY)
    damaged = Damaged(ID, "permission is denied")
    assert said_by_nobody(place_for_nobody)[:2] == [f"[{ID!r}]", str(damaged)]


def of_nobody(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for path in (folder, folder.parent):
        os.chown(path, NOBODY, NOBODY)
        path.chmod(0o700)
    return folder
