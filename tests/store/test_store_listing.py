"""Which files are records, before any of them is opened."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from m3cred_tui.model.credential import Credential, TokenResponse, credential_id
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.port import Newest
from m3cred_tui.store.problems import CannotBeKept, NotThere


@pytest.fixture
def oldest_first(store: DirectoryStore, acme: Credential, tokens: TokenResponse) -> list[str]:
    ids = []
    for minutes in (0, 1, 2, 60, 1_000_000):
        created_at = acme.created_at + timedelta(minutes=minutes)
        ids.append(credential_id(created_at, bytes(10)))
        store.create(acme._replace(id=ids[-1], created_at=created_at), tokens)
    return ids


def test_reading_creates_nothing(store: DirectoryStore, tmp_path: Path) -> None:
    assert store.ids() == []
    assert store.newest(10) == Newest([], 0)
    assert list(tmp_path.iterdir()) == []


STRANGE_NAMES = (
    ".0f3a.tmp",
    ".DS_Store",
    "notes.txt",
    "0196d5c8-0000-7000-8000-000000000000.json.tmp",
    "x0196d5c8-0000-7000-8000-000000000000.json",
    "0196d5c8-0000-7000-8000-000000000000",
    "0196d5c8-0000-7000-8000-00000000000g.json",
    "0196D5C8-0000-7000-8000-000000000000.json",
    "0196d5c80000-7000-8000-0000-000000000000.json",
    "a\n0196d5c8-0000-7000-8000-000000000000.json",
    "0196d5c8-0000-7000-8000-000000000000.json\n",
    "\udcff\udcfe.json",
)


def test_files_that_are_not_records_are_not_listed(
    store: DirectoryStore, oldest_first: list[str], credentials: Path
) -> None:
    for name in STRANGE_NAMES:
        (credentials / name).write_bytes(b"")
    assert store.ids() == oldest_first[::-1]
    assert store.newest(2) == Newest(oldest_first[:-3:-1], 5)


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_a_single_strange_file_is_not_listed_either(
    name: str, store: DirectoryStore, credentials: Path
) -> None:
    store.prepare()
    (credentials / name).write_bytes(b"")
    assert store.ids() == []


def test_listing_and_reading_do_not_load_the_sealing_library(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, tmp_path: Path
) -> None:
    store.create(acme, tokens)
    program = """
import sys
from pathlib import Path
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.directory.store import DirectoryStore
data = Path(sys.argv[1], "data")
store = DirectoryStore(data, IdentityFile(Path(sys.argv[1], "x/y"), data))
[credential_id] = store.ids()
print(store.read(credential_id).name, "pyrage" in sys.modules)
"""
    command = [sys.executable, "-I", "-c", program, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "Acme production False\n"


@pytest.mark.parametrize("id", ["", "..", "../../etc/passwd", "a/b", "x" * 300, "A" * 36])
def test_an_invalid_id_names_no_file(
    id: str,  # noqa: A002 - as the field is called
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
    tmp_path: Path,
) -> None:
    store.prepare()
    (tmp_path / "data" / "passwd.json").write_text("{}")
    assert store.read(id) is None
    store.delete(id)
    with pytest.raises(NotThere):
        store.tokens(id)
    with pytest.raises(CannotBeKept, match="UUID"):
        store.create(acme._replace(id=id), tokens)
    assert (tmp_path / "data" / "passwd.json").exists()


def test_a_credential_too_large_to_be_read_again_is_not_written(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse
) -> None:
    huge = tokens._replace(access_token=Secret("x" * 70_000))
    with pytest.raises(CannotBeKept, match="65,536 is the most"):
        store.create(acme, huge)
    assert store.ids() == []
