"""A failing disk leaves the old or the new state, and a sentence says which."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from m3cred_tui.model.credential import Credential
from m3cred_tui.store.directory.store import DirectoryStore

CHILD = """
import sys
import pyrage
from datetime import datetime, UTC
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit
from m3cred_tui.model.credential import *
from m3cred_tui.model.credential import STRIPE
from m3cred_tui.model.credential import BILL
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.directory.store import DirectoryStore

root, ask, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
data = root / "data"
store = DirectoryStore(data, IdentityFile(root / "config" / "identity.txt", data))
now = datetime(2026, 3, 4, tzinfo=UTC)
account = StripeAccount("acct_1Acme", True)
acme = Credential("0196d5c8-0000-7000-8000-000000000000", "Acme", BILL, STRIPE, account, now,
                  "ann", Status.AUTHENTICATED)
tokens = TokenResponse("acct_1Acme", True, "read_write")
if limit:
    setrlimit(RLIMIT_FSIZE, (limit, limit))
try:
    if ask == "create":
        store.create(acme, tokens)
    elif ask == "delete":
        store.delete(acme.id)
    else:
        store.prepare()
    sys.stdout.write("done")
except Problem as problem:
    sys.stdout.write(f"{type(problem).__name__}: {problem}")
"""
ID = "0196d5c8-0000-7000-8000-000000000000"

needs_strace = pytest.mark.skipif(
    not shutil.which("strace") and os.environ.get("CI") != "true",
    reason="strace is not installed",
)


def said(root: Path, ask: str, *, fault: str = "", limit: int = 0) -> str:
    """Run the child, with a system call that fails if ``fault`` names one."""
    command = [sys.executable, "-I", "-B", "-c", CHILD, str(root), ask, str(limit)]
    if fault:
        command = ["strace", "-f", "-o", "/dev/null", "-e", f"inject={fault}", *command]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def names_in(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


@pytest.fixture(autouse=True)
def prepared(store: DirectoryStore) -> None:
    store.prepare()  # so that the first write and the first fsync are those of the record


@needs_strace
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("write:error=ENOSPC:when=1", "the disk is full"),
        ("write:error=EDQUOT:when=1", "the disk quota is used up"),
        ("fsync:error=EIO:when=1", "the disk reports an error"),
        ("linkat:error=EROFS", "the file system is read-only"),
        ("linkat:error=EACCES", "permission is denied"),
    ],
)
@pytest.mark.parametrize("ask", ["create", "prepare"])
@pytest.mark.quick(4)
def test_a_failed_write_leaves_nothing_and_is_reported(
    ask: str, fault: str, reason: str, store: DirectoryStore, credentials: Path, tmp_path: Path
) -> None:
    sentence = f"StoreUnusable: {credentials} cannot be used: {reason}."
    assert said(tmp_path, ask, fault=fault) == sentence
    assert store.ids() == []
    assert names_in(credentials) == []


def test_a_write_cut_short_leaves_nothing(
    store: DirectoryStore, credentials: Path, tmp_path: Path
) -> None:
    """The limit makes the first write a short one, and the next one fail."""
    assert said(tmp_path, "create", limit=900).startswith("StoreUnusable: ")
    assert names_in(credentials) == []
    assert said(tmp_path, "create", limit=9000) == "done"
    assert isinstance(store.read(ID), Credential)


@needs_strace
@pytest.mark.parametrize(("ask", "fsync"), [("create", 2), ("delete", 2)])
def test_a_change_that_the_disk_does_not_confirm_is_reported_as_unknown(
    ask: str, fsync: int, credentials: Path, tmp_path: Path
) -> None:
    if ask == "delete":
        assert said(tmp_path, "create") == "done"
    told = said(tmp_path, ask, fault=f"fsync:error=EIO:when={fsync}")
    assert told.startswith(f"OutcomeUnknown: It is not known whether {credentials} kept the ")


@needs_strace
def test_a_failed_delete_leaves_the_record_and_is_reported(
    store: DirectoryStore, credentials: Path, tmp_path: Path
) -> None:
    assert said(tmp_path, "create") == "done"
    told = said(tmp_path, "delete", fault="unlinkat:error=EROFS:when=4")
    assert told == f"StoreUnusable: {credentials} cannot be used: the file system is read-only."
    assert isinstance(store.read(ID), Credential)
