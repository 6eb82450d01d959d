"""A kill or a fault at any system call leaves the old or the new identity, complete."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from m3cred_tui.model.secret import Secret
from m3cred_tui.store import sealing
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.lock import locked
from tests.store.light_age import wrapped_lightly

CHILD = """
import sys
sys.path.insert(0, sys.argv[4])
from pathlib import Path
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.store import sealing
from m3cred_tui.store.identity import IdentityFile
from tests.store.light_age import wrapped_lightly

sealing.wrap = lambda plain, passphrase: wrapped_lightly(plain, passphrase.reveal())
file = IdentityFile(Path(sys.argv[1]), Path(sys.argv[2]))
try:
    if sys.argv[3] == "protect":
        file.protect(Secret("new"))
    else:
        file.unlock(Secret("old"))
        file.unprotect()
    sys.stdout.write("done")
except Problem as problem:
    sys.stdout.write(f"{type(problem).__name__}: {problem}")
"""
HERE = str(Path(__file__).parents[2])
CHANGES = "write,fsync,flock,renameat,renameat2,rename,unlinkat"

pytestmark = pytest.mark.skipif(
    not shutil.which("strace") and os.environ.get("CI") != "true",
    reason="strace is not installed",
)


def data_beside(identity: Path) -> Path:
    return identity.parents[1] / "data"


def said(identity: Path, ask: str, *strace: str) -> str:
    places = [str(identity), str(data_beside(identity))]
    child = [sys.executable, "-I", "-B", "-c", CHILD, *places, ask, HERE]
    command = ["strace", "-f", *strace, *child]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def begin(identity: Path, ask: str) -> str:
    """Create the identity and the lock as before the change; return the public key."""
    with locked(data_beside(identity)):
        pass  # created, so that only calls of the change are counted
    plain = sealing.new_identity()
    shutil.rmtree(identity.parent, ignore_errors=True)
    identity.parent.mkdir(mode=0o700)
    identity.touch(mode=0o600)
    identity.write_bytes(plain if ask == "protect" else wrapped_lightly(plain, "old"))
    return str(sealing.identity_in(plain).to_public())


@pytest.mark.parametrize("ask", ["protect", "unprotect"])
@pytest.mark.long
def test_a_kill_at_any_step_of_a_change_leaves_the_old_or_the_new_file(
    ask: str, identity: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    begin(identity, ask)
    assert said(identity, ask, "-o", str(trace), "-e", f"trace={CHANGES}") == "done"
    calls = Counter(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
    points = [(name, at) for name, most in calls.items() for at in range(1, most + 1)]
    assert len(points) >= 5
    outcomes = Counter[bool]()
    for name, at in points:
        key = begin(identity, ask)
        kill = f"inject={name}:signal=SIGKILL:when={at}"
        assert said(identity, ask, "-o", "/dev/null", "-e", kill) in {"", "done"}
        file = IdentityFile(identity, data_beside(identity))
        is_wrapped = file.is_locked()
        if is_wrapped:
            file.unlock(Secret("new" if ask == "protect" else "old"))
        assert str(file.to_open().to_public()) == key, (name, at)
        outcomes[is_wrapped] += 1
    assert set(outcomes) == {False, True}, points
    print(f"{ask}: {len(points)} points, {outcomes[True]} wrapped, {outcomes[False]} in clear")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("write:error=ENOSPC:when=1", "the disk is full"),
        ("fsync:error=EIO:when=1", "the disk reports an error"),
        ("renameat:error=EROFS", "the file system is read-only"),
        ("renameat:error=EACCES", "permission is denied"),
    ],
)
def test_a_failing_disk_leaves_the_identity_unchanged(
    fault: str, reason: str, identity: Path
) -> None:
    begin(identity, "protect")
    before = identity.read_bytes()
    told = said(identity, "protect", "-o", "/dev/null", "-e", f"inject={fault}")
    assert told == f"StoreUnusable: {identity.parent} cannot be used: {reason}."
    assert identity.read_bytes() == before
    assert list(identity.parent.iterdir()) == [identity]


def test_a_change_that_the_disk_does_not_confirm_is_reported_as_unknown(identity: Path) -> None:
    begin(identity, "protect")
    told = said(identity, "protect", "-o", "/dev/null", "-e", "inject=fsync:error=EIO:when=2")
    assert told.startswith(f"OutcomeUnknown: It is not known whether {identity} kept the ")
    assert told.endswith("Run m3cred identity to see what is there.")
    IdentityFile(identity, data_beside(identity)).unlock(Secret("new"))


def test_protecting_sweeps_a_key_in_the_clear_that_a_killed_process_left(
    identity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(identity, "unprotect")
    said(identity, "unprotect", "-o", "/dev/null", "-e", "inject=fsync:signal=SIGKILL:when=1")
    left = [path for path in identity.parent.iterdir() if path != identity]
    assert [b"AGE-SECRET-KEY-" in path.read_bytes() for path in left] == [True]
    file = IdentityFile(identity, data_beside(identity))
    file.unlock(Secret("old"))
    monkeypatch.setattr(sealing, "wrap", lambda plain, _: wrapped_lightly(plain, "new"))
    file.protect(Secret("new"))
    assert list(identity.parent.iterdir()) == [identity]
