"""Real full or read-only disks: existing data stays, and the next attempt can succeed."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
# The mount is gone with the process, however it ends.
_PROGRAM = """
import subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from m3cred_tui.model.problem import Problem
from tests.store.swept_operations import ID, credential, store_in, tokens

root = Path(sys.argv[2])
data = root / "data"
data.mkdir(mode=0o700)

def mount(options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", data], check=True)

def told(ask, *given):
    try:
        ask(*given)
    except Problem as problem:
        return f"{type(problem).__name__}: {problem}".replace(str(data), "DATA")
    return "done"

def ids():
    return (f"0196d5c8-0000-7000-8000-{number:012x}" for number in range(1000))

def whole(store):
    rows = [store.verified(one) for one in store.ids()]
    assert all(isinstance(row, type(credential())) for row in rows), rows
    return len(rows)

store = store_in(root)
"""


@functools.cache
def in_private_mounts() -> list[str]:
    """Return the command that lets its child mount, invisibly to others."""
    if os.geteuid() == 0:
        for command in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
            mounts = [*command, "mount", "-t", "tmpfs", "none", "/mnt"]
            if subprocess.run(mounts, capture_output=True, check=False).returncode == 0:
                return command
    pytest.skip("only root can mount a disk that is small or read-only")


def said(program: str, root: Path) -> list[str]:
    python = [sys.executable, "-I", "-B", "-c", _PROGRAM + program, str(_ROOT), str(root)]
    command = [*in_private_mounts(), *python]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    return child.stdout.splitlines()


FULL = """
mount("mode=700,size=64k")
store.prepare()
created = 0
for one in ids():
    last = told(store.create, credential(one), tokens())
    if last != "done":
        break
    created += 1
print(last)
print(whole(store) == created > 3)
newest = store.ids()[0]
print(told(store.update, newest, lambda old, secrets: (credential(newest, "New"), secrets)))
print(told(store.keep_pending, credential(one), tokens()))
print(told(store.prepare))
print(whole(store) == created, [path.name for path in data.rglob("*.tmp")])
print(told(store.delete, newest))
print(told(store.prepare))
print(told(store.create, credential(one), tokens()))
print(whole(store) == created)
"""


def test_a_full_disk_keeps_its_credentials_and_takes_more_when_there_is_room(
    tmp_path: Path,
) -> None:
    full = "StoreUnusable: DATA/{} cannot be used: the disk is full."
    assert said(FULL, tmp_path) == [
        full.format("credentials"),
        "True",
        full.format("credentials"),
        full.format("pending"),
        full.format("credentials"),
        "True []",
        "done",
        "done",
        "done",
        "True",
    ]


READ_ONLY = """
mount("mode=700")
store.prepare()
store.create(credential(), tokens())
mount("remount,ro")
other = next(ids())
changes = [
    (store.create, credential(other), tokens()),
    (store.keep_pending, credential(other), tokens()),
    (store.update, ID, lambda old, secrets: (credential(name="New"), secrets)),
    (store.delete, ID),
    (store.prepare,),
]
for ask, *given in changes:
    print(told(ask, *given))
print(store.ids() == [ID], store.read(ID).name, store.tokens(ID).access_token.reveal())
mount("remount,rw")
for ask, *given in changes[2:]:
    print(told(ask, *given))
"""


def test_a_disk_that_became_read_only_is_read_and_reported(tmp_path: Path) -> None:
    told = "StoreUnusable: DATA/lock cannot be used: the file system is read-only."
    read = "True Acme sk_live_first"
    assert said(READ_ONLY, tmp_path) == [told] * 5 + [read] + ["done"] * 3


def test_a_directory_on_a_read_only_disk_that_was_never_used_is_reported(
    tmp_path: Path,
) -> None:
    program = 'mount("mode=700,ro")\nprint(told(store.prepare))\nprint(store.ids())\n'
    told = "StoreUnusable: DATA cannot be used: the file system is read-only."
    assert said(program, tmp_path) == [told, "[]"]
