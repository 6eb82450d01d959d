"""One change at a time: what a user notices of a lock that is held or unavailable."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from m3cred_tui.model.authorization import TIME_LIMIT
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import Credential, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.store import lock
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.lock import locked
from m3cred_tui.store.problems import AlreadyThere, AnsweredElsewhere, StoreBusy, StoreUnusable
from tests.store.swept_operations import ID, PENDING, REQUESTED, credential, request

NOBODY = 65534
HOLDER = """
import sys
from pathlib import Path
from m3cred_tui.store.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(store: DirectoryStore, data: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until it is told to stop."""
    store.prepare()
    pipe = subprocess.PIPE
    command = [sys.executable, "-I", "-c", HOLDER, str(data)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_change_waits_for_the_previous_one(
    holder: subprocess.Popen[str],
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits = threading.Event()
    sleep = time.sleep

    def told_sleep(seconds: float) -> None:
        waits.set()
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", told_sleep)
    change = threading.Thread(target=store.create, args=(acme, tokens))
    change.start()
    assert waits.wait(20)
    assert store.ids() == []
    assert holder.stdin is not None
    holder.stdin.write("go on\n")
    holder.stdin.flush()
    change.join()
    assert store.read(acme.id) == acme


def test_a_lock_held_by_a_stopped_process_is_reported_and_reading_continues(
    holder: subprocess.Popen[str],
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    holder.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(lock, "_PATIENCE", 0.1)
    changes: list[Callable[[], object]] = [
        lambda: store.create(acme, tokens),
        lambda: store.keep_pending(acme, tokens),
        lambda: store.update(acme.id, lambda *before: before),
        lambda: store.delete(acme.id),
        store.prepare,
    ]
    for change in changes:
        with pytest.raises(StoreBusy, match="Nothing was changed") as told:
            change()
        assert told.value.path == data / "lock"
    assert store.ids() == []
    assert list(data.glob("*/*")) == []


def test_a_process_killed_while_holding_the_lock_blocks_nobody(
    holder: subprocess.Popen[str],
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
) -> None:
    holder.kill()
    holder.wait()
    store.create(acme, tokens)
    assert store.read(acme.id) == acme


def test_a_change_that_raises_releases_the_lock(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse
) -> None:
    store.create(acme, tokens)

    def fails(*_before: object) -> tuple[Credential, TokenResponse]:
        raise RuntimeError("the caller's own")

    with pytest.raises(RuntimeError, match="own"):
        store.update(acme.id, fails)
    assert store.update(acme.id, lambda *before: before) == acme


@contextmanager
def meanwhile(path: Path, change: Callable[[], object]) -> Iterator[None]:
    """Hold a lock until the block waits for it; then make a change, and let go."""
    held = ExitStack()
    held.enter_context(locked(path.parent, path.name))

    def waits(_seconds: float) -> None:
        patched.undo()
        held.close()
        change()

    with held, pytest.MonkeyPatch.context() as patched:
        patched.setattr(time, "sleep", waits)
        yield
        assert time.sleep is not waits, "it did not wait"


def test_an_approval_that_came_while_waiting_for_the_lock_is_not_dropped_as_a_request(
    store: DirectoryStore, data: Path, tokens: TokenResponse
) -> None:
    requests = store.requests
    for is_sent, end in (
        (False, lambda: requests.answer(REQUESTED, request())),
        (False, lambda: requests.drop(ID)),
        (False, lambda: requests.expire(REQUESTED.created_at + TIME_LIMIT)),
        (True, lambda: requests.settle(ID)),
    ):
        requests.keep(REQUESTED, request())
        if is_sent:
            requests.answer(REQUESTED, request())
        with (
            meanwhile(data / "lock", lambda: store.keep_pending(PENDING, tokens)),
            suppress(AnsweredElsewhere),
        ):
            assert not end()
        assert store.verified(ID) == PENDING
        store.delete(ID)


def test_a_credential_created_during_the_wait_for_the_lock_is_not_pending_again(
    store: DirectoryStore, data: Path, tokens: TokenResponse
) -> None:
    with (
        meanwhile(data / "lock", lambda: store.create(credential(), tokens)),
        pytest.raises(AlreadyThere),
    ):
        store.keep_pending(PENDING, tokens)


def test_a_change_includes_another_that_was_made_while_it_waited_for_the_lock(
    store: DirectoryStore, data: Path, tokens: TokenResponse
) -> None:
    store.create(credential(), tokens)

    def rename() -> None:
        store.update(ID, lambda row, same: (row._replace(name="Acme 2"), same))

    with meanwhile(data / "lock", rename):
        store.update(ID, lambda row, _before: (row, _second(tokens)))
    row, changed = store.opened(ID)
    assert row.name == "Acme 2"
    assert _is_second(changed)


def test_results_are_added_to_those_kept_while_waiting_for_the_lock(
    store: DirectoryStore, data: Path, acme: Credential, tokens: TokenResponse
) -> None:
    ok = CheckResult(Outcome.OK, datetime(2026, 3, 4, tzinfo=UTC))
    for one in (credential(), acme._replace(id=ID[:-1] + "1"), acme._replace(id=ID[:-1] + "2")):
        store.create(one, tokens)
    first, second, third = sorted(store.ids())

    def others() -> None:
        store.checks.keep({second: ok, third: ok})
        store.delete(third)

    with meanwhile(data / "lock", others):
        store.checks.keep({first: ok, third: ok})
    assert store.checks.read() == {first: ok, second: ok}


def test_a_disconnection_begun_while_waiting_for_the_lock_is_known_as_begun(
    store: DirectoryStore, data: Path, tokens: TokenResponse
) -> None:
    store.create(credential(), tokens)
    with meanwhile(data / "lock", lambda: store.disconnecting.begin(ID)):
        assert store.disconnecting.begin(ID)


def test_a_refresh_waits_for_the_one_before_it_and_begins_with_its_tokens(
    store: DirectoryStore, data: Path, tokens: TokenResponse
) -> None:
    store.create(credential(), tokens)
    (data / "refreshing").mkdir(mode=0o700)

    def refreshed() -> None:
        with store.refreshes.begun(ID) as refresh:
            refresh.ask(datetime(2026, 3, 4, tzinfo=UTC))
            refresh.keep(_second(tokens))

    with (
        meanwhile(data / "refreshing" / f"{ID}.lock", refreshed),
        store.refreshes.begun(ID) as refresh,
    ):
        assert _is_second(refresh.tokens)


def _second(tokens: TokenResponse) -> TokenResponse:
    return tokens._replace(access_token=Secret("sk_live_second"))


def _is_second(tokens: TokenResponse) -> bool:
    return tokens.access_token is not None and tokens.access_token.reveal() == "sk_live_second"


def _open_to_others(path: Path) -> None:
    path.touch()
    path.chmod(0o644)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.symlink_to(path.parent / "elsewhere"), "it is a symbolic link"),
        (lambda path: os.mkfifo(path, 0o600), "it is not a regular file"),
        (lambda path: path.mkdir(), "it is a directory"),
        (_open_to_others, "other users have access to it. Run: chmod 600 {}"),
    ],
)
def test_something_other_than_a_private_file_is_not_used_as_the_lock(
    make: Callable[[Path], None],
    reason: str,
    store: DirectoryStore,
    acme: Credential,
    tokens: TokenResponse,
    data: Path,
) -> None:
    store.create(acme, tokens)
    path = data / "lock"
    path.unlink()
    make(path)
    for change in (store.prepare, lambda: store.delete(acme.id)):
        with pytest.raises(StoreUnusable) as told:
            change()
        assert str(told.value).startswith(f"{path} cannot be used: {reason.format(path)}")
    assert not (data / "elsewhere").exists()
    assert store.read(acme.id) == acme


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_lock_of_another_user_is_refused(store: DirectoryStore, data: Path) -> None:
    store.prepare()
    os.chown(data / "lock", NOBODY, NOBODY)
    with pytest.raises(StoreUnusable, match=r"another user \(uid 65534\)") as told:
        store.prepare()
    assert told.value.fix == ""
    os.chown(data / "lock", 0, 0)
    store.prepare()


@pytest.mark.skipif(
    not shutil.which("strace") and os.environ.get("CI") != "true",
    reason="strace is not installed",
)
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("ENOLCK", "this file system has no locks"),
        ("EOPNOTSUPP", "this file system has no locks"),
        ("EIO", "the disk reports an error"),
    ],
)
def test_a_file_system_without_locks_is_reported_and_nothing_is_written(
    error: str, reason: str, store: DirectoryStore, data: Path
) -> None:
    store.prepare()
    fault = ["strace", "-f", "-o", "/dev/null", "-e", f"inject=flock:error={error}"]
    command = [*fault, sys.executable, "-I", "-c", HOLDER, str(data)]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    last = child.stderr.splitlines()[-1]
    assert last.endswith(f"StoreUnusable: {data / 'lock'} cannot be used: {reason}.")
    assert child.stdout == ""
