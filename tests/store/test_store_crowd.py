"""Several processes at the same time."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.model.secret import Secret
from tests.store.crowd import kept
from tests.store.swept_operations import ID, credential, store_in, tokens

if TYPE_CHECKING:
    from m3cred_tui.store.directory.store import DirectoryStore

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.store.crowd import main
main()
"""
_NAMES = "abcdefgh"


def started(root: Path, what: str, me: str = "", rounds: int = 0) -> subprocess.Popen[str]:
    """Start one of the crowd; once ready, a changing process waits for a line."""
    command = [sys.executable, "-I", "-B", "-c", _PROGRAM, str(Path(__file__).parents[2])]
    pipe = subprocess.PIPE
    child = subprocess.Popen(
        [*command, str(root), what, me, str(rounds)],
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n", child.communicate()[1]
    return child


def ended(child: subprocess.Popen[str], last: str = "") -> str:
    said, errors = child.communicate(last)
    assert child.returncode == 0, errors
    return said


@pytest.mark.timeout(120)
@pytest.mark.parametrize("rounds", [10, 50])
@pytest.mark.long
def test_a_crowd_loses_no_update_tears_no_record_and_is_seen_by_a_list(
    tmp_path: Path, rounds: int
) -> None:
    store = store_in(tmp_path)
    store.create(credential(name="0"), tokens(""))
    watching = [started(tmp_path, "watch") for _ in range(2)]
    verifying = started(tmp_path, "verify")
    changing = [started(tmp_path, "change", me, rounds) for me in _NAMES]
    for child in changing:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in changing:
        ended(child)
    assert_counted(store, rounds)
    listed = sorted(f"{one} {_row(store, one)}" for one in store.ids())
    assert [ended(child).splitlines() for child in watching] == [listed, listed]
    assert int(ended(verifying)) > 0
    assert [path for path in (tmp_path / "data").rglob("*") if path.suffix == ".tmp"] == []


def assert_counted(store: DirectoryStore, rounds: int) -> None:
    ids = store.ids()
    assert len(ids) == 1 + len(_NAMES) * kept(rounds)
    rows = [store.verified(one) for one in ids]
    assert {row.status for row in rows if isinstance(row, Credential)} == {Status.AUTHENTICATED}
    shared, access_token = store.read(ID), store.tokens(ID).access_token
    assert isinstance(shared, Credential)
    assert isinstance(access_token, Secret)
    assert shared.name == str(len(_NAMES) * rounds)
    assert Counter(access_token.reveal()) == dict.fromkeys(_NAMES, rounds)


def _row(store: DirectoryStore, credential_id: str) -> str:
    row = store.read(credential_id)
    assert isinstance(row, Credential)
    return f"{row.name} {row.status.value}"


def test_processes_that_start_simultaneously_share_one_identity_and_lose_nothing(
    tmp_path: Path,
) -> None:
    begin = [started(tmp_path, "begin", me, 10) for me in "abcd"]
    for child in begin:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in begin:
        ended(child)
    store = store_in(tmp_path)
    ids = store.ids()
    assert len(ids) == 40
    assert {store.tokens(one).scope for one in ids} == {"read_write"}
