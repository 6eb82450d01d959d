"""An approval is never lost, whatever happens to the store between the URL and the end."""

import asyncio
import json
import os
import shutil
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from m3cred_tui.demo_stripe.grants import account_of
from m3cred_tui.demo_stripe.server import demo_stripe
from m3cred_tui.model.credential import Credential, Status, StripeAccount
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.lock import locked
from tests.cli.creation import Command, Environ, ended, set_up, started
from tests.cli.forking import Fault, Forked, Forks, forks
from tests.cli.kept import CANARY, credential, tokens_of
from tests.e2e.terminal import limit_memory
from tests.ui.visit import EMAIL, approve_only

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from m3cred_tui.demo_stripe.description import Description

CREATE = ("create", "--name", "Acme", "--json", "--no-browser")
ROOM, THREAD = 2_000_000, 9_000_000
"""Bytes of address space: too few for another thread, and enough for one."""
IN_MEMORY = "is in memory only"


class Held(NamedTuple):
    """An exchange that Stripe holds until it may answer."""

    environment: Environ
    asked: threading.Event
    may_answer: threading.Event


@pytest.fixture
def held(environment: Environ) -> Iterator[Held]:
    asked, may_answer = threading.Event(), threading.Event()

    def make(description: "Description") -> "ASGIApp":
        stripe = demo_stripe(description)

        async def serve(scope: "Scope", receive: "Receive", send: "Send") -> None:
            if scope["path"] == "/oauth/token":
                asked.set()
                await asyncio.to_thread(may_answer.wait)
            await stripe(scope, receive, send)

        return serve

    with set_up(environment, make) as complete:
        yield Held(complete, asked, may_answer)
        may_answer.set()


def data_of(environment: Environ) -> Path:
    return Path(environment["XDG_DATA_HOME"], "m3cred")


def rows(environment: Environ) -> list[dict[str, Any]]:
    status, (listed,), errors = one_object(environment, "list", "--json")
    assert status == 0, errors
    found: list[dict[str, Any]] = listed["credentials"]
    return found


def one_object(environment: Environ, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    with started(environment, *arguments) as command:
        status, out = command.end()
    return status, [json.loads(out)] if out else [], command.errors


@contextmanager
def broken(environment: Environ, what: str) -> Iterator[None]:
    """Make the store unable to take an approval, for a block."""
    identity = Path(environment["XDG_CONFIG_HOME"], "m3cred", "identity.txt")
    pending = data_of(environment) / "pending"
    match what:
        case "open configuration directory":
            identity.parent.chmod(0o755)
            yield
            identity.parent.chmod(0o700)
        case "identity that others can read":
            identity.chmod(0o640)
            yield
            identity.chmod(0o600)
        case "empty identity":
            content = identity.read_bytes()
            identity.write_bytes(b"")
            yield
            identity.write_bytes(content)
        case "missing identity":
            identity.rename(identity.with_suffix(".away"))
            yield
            identity.with_suffix(".away").rename(identity)
        case "open data directory":
            pending.chmod(0o755)
            yield
            pending.chmod(0o700)
        case "home that is not mounted" | "data that are not mounted":
            gone = ("CONFIG", "DATA") if what.startswith("home") else ("DATA",)
            homes = [Path(environment[f"XDG_{one}_HOME"]) for one in gone]
            aways = [home.rename(home.with_suffix(".away")) for home in homes]
            yield
            for home, away in zip(homes, aways, strict=True):
                shutil.rmtree(home, ignore_errors=True)  # the mount hides it
                away.rename(home)
        case _:
            with locked(data_of(environment)):
                yield


FAULTS = [
    "open configuration directory",
    pytest.param("identity that others can read", marks=pytest.mark.long),
    pytest.param("empty identity", marks=pytest.mark.long),
    pytest.param("missing identity", marks=pytest.mark.long),
    "open data directory",
    pytest.param("home that is not mounted", marks=pytest.mark.long),
    pytest.param("data that are not mounted", marks=pytest.mark.long),
    pytest.param("lock that another process holds", marks=pytest.mark.long),
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.quick(1)
def test_the_code_is_sent_when_what_it_brings_can_be_kept_again(held: Held, fault: str) -> None:
    held.may_answer.set()
    with started(held.environment, *CREATE, "--yes") as command:
        url = command.object()["url"]
        command.told("waits for your approval")
        with broken(held.environment, fault):
            command.write(f"{approve_only(url)}\n")
            command.told("! ")
            assert not held.asked.is_set()
        assert command.object()["error"] is None
        assert command.end()[0] == 0


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.quick(1)
def test_an_approval_that_cannot_be_kept_is_created_when_it_can_be_again(
    held: Held, fault: str
) -> None:
    with started(held.environment, *CREATE, "--yes") as command:
        command.write(f"{approve_only(command.object()['url'])}\n")
        assert held.asked.wait(20)
        with broken(held.environment, fault):
            held.may_answer.set()
            command.told(IN_MEMORY)
        assert command.object()["error"] is None
        assert command.end()[0] == 0
    assert "It is kept now." in command.errors


def test_a_connection_that_drops_does_not_give_an_approval_up(held: Held) -> None:
    with started(held.environment, *CREATE, "--yes") as command:
        command.write(f"{approve_only(command.object()['url'])}\n")
        assert held.asked.wait(20)
        with broken(held.environment, "open data directory"):
            held.may_answer.set()
            command.told(IN_MEMORY)
            command.process.send_signal(signal.SIGHUP)
            command.told("m3cred keeps trying.")
            command.process.send_signal(signal.SIGHUP)
        assert command.object()["credential"]["account"] is not None
        assert command.end()[0] == 128 + signal.SIGHUP
    assert "The approval is kept now" in command.errors


@pytest.mark.skipif(sys.platform != "linux", reason="/proc and prlimit(2) are Linux's")
@pytest.mark.parametrize("threads", [0, 1, 2])
@pytest.mark.quick(1)
def test_a_limit_that_is_reached_in_the_wait_is_a_sentence_and_loses_nothing(
    held: Held, threads: int
) -> None:
    held.may_answer.set()
    with started(held.environment, *CREATE, "--yes") as command:
        begin = command.object()
        command.told("waits for your approval")
        limit_memory(command.process.pid, more=ROOM + threads * THREAD)
        command.write(f"{approve_only(begin['url'])}\n")
        end = command.object()
        status, _ = command.end()
    assert "Traceback" not in command.errors
    assert [row["id"] for row in rows(held.environment)] == [begin["id"]]
    if status:
        assert (end["error"]["code"], end["credential"]["id"]) == ("LimitReached", begin["id"])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere more files are open at first")
@pytest.mark.parametrize("files", [6, 8, 9, 10, 12])
@pytest.mark.quick(1)
def test_a_limit_of_open_files_is_a_sentence_and_an_object(held: Held, files: int) -> None:
    set_limit = f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, ({files}, {files})); "
    start = "import sys; from m3cred_tui.cli.main import main; sys.exit(main())"
    program = ("-c", set_limit + start)
    with started(held.environment, *CREATE, "--yes", program=program) as command:
        end = command.object()
        if end["type"] == "begin":  # it was enough
            return
        assert command.end()[0] == 1
    assert end["error"]["code"] in {"LimitReached", "StoreUnusable"}
    assert "Traceback" not in command.errors
    assert rows(held.environment) == []


def test_an_interruption_says_so_where_what_there_is_cannot_be_read(held: Held) -> None:
    with started(held.environment, *CREATE) as command:
        command.object()
        command.told("waits for your approval")
        with broken(held.environment, "open data directory"):
            command.process.send_signal(signal.SIGTERM)
            end = command.object()
            assert command.end()[0] == 128 + signal.SIGTERM
    assert end["credential"] is None
    assert "cannot be read now" in end["error"]["message"]
    assert "nothing was created" not in command.errors


def given_up(command: Command) -> dict[str, Any]:
    """Interrupt a command that waits for its store twice, and return the end that it writes."""
    command.told(IN_MEMORY)
    command.process.send_signal(signal.SIGTERM)
    command.told("m3cred keeps trying.")
    command.process.send_signal(signal.SIGTERM)
    return command.object()


@pytest.mark.parametrize(
    "fault", ["open data directory", pytest.param("empty identity", marks=pytest.mark.long)]
)
def test_an_approval_that_is_given_up_is_written_out_sealed_and_comes_back(
    held: Held, tmp_path: Path, fault: str
) -> None:
    environment = held.environment
    with started(environment, *CREATE, "--yes") as command:
        command.write(f"{approve_only(command.object()['url'])}\n")
        assert held.asked.wait(20)
        with broken(environment, fault):
            held.may_answer.set()
            end = given_up(command)
            assert command.end()[0] == 3
    assert end["error"]["code"] == "ApprovalNotKept"
    assert "kept;" not in command.errors
    file = tmp_path / "approval"
    file.write_text(end["error"]["sealed"])
    (row,) = rows(environment)
    assert row["status"] == "unknown"
    status, (*_, last), _ = ended(
        environment, "resume", "--json", "--yes", "--sealed", str(file)
    )
    assert (status, last["error"], last["credential"]["id"]) == (0, None, row["id"])
    status, (last,), _ = ended(environment, "resume", "--json", "--yes", "--sealed", str(file))
    assert (status, last["error"]["code"]) == (1, "AlreadyThere")


HASTY = """
import sys
from m3cred_tui.authorize import keeping
from m3cred_tui.store import lock
keeping.PATIENCE, lock._PATIENCE = 1.0, 4.0
give_up = keeping.Keeping.give_up

def told(self):
    sys.stderr.write("giving up\\n")
    sys.stderr.flush()
    return give_up(self)

keeping.Keeping.give_up = told
from m3cred_tui.cli.main import main
sys.exit(main())
"""


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM])
def test_a_signal_while_a_script_gives_an_approval_up_does_not_keep_it_from_being_written_out(
    held: Held, number: signal.Signals
) -> None:
    with started(held.environment, *CREATE, "--yes", program=("-c", HASTY)) as command:
        command.write(f"{approve_only(command.object()['url'])}\n")
        assert held.asked.wait(20)
        with broken(held.environment, "lock that another process holds"):
            held.may_answer.set()
            command.told("giving up")  # it waits for the lock a last time
            command.process.send_signal(number)
            assert command.object()["error"]["code"] == "ApprovalNotKept"
            assert command.end()[0] == 3


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "plain"])
@pytest.mark.long
def test_an_approval_that_standard_output_does_not_take_is_written_to_standard_error(
    held: Held, tmp_path: Path, as_json: bool
) -> None:
    environment, words = held.environment, ("create", "--name", "Acme", "--begin", "--json")
    with started(environment, *words) as beginning:
        begin = beginning.object()
        assert beginning.end()[0] == 0
    words = ("create", "--complete", begin["id"], "--yes", *(["--json"] * as_json))
    with (
        Path("/dev/full").open("wb") as full,
        started(environment, *words, taken=full) as command,
    ):
        command.write(f"{approve_only(begin['url'])}\n")
        assert held.asked.wait(20)
        with broken(environment, "open data directory"):
            held.may_answer.set()
            command.told(IN_MEMORY)
            command.process.send_signal(signal.SIGTERM)
            command.told("m3cred keeps trying.")
            command.process.send_signal(signal.SIGTERM)
            assert command.end()[0] == 3
    file = tmp_path / "approval"
    file.write_text(command.errors[command.errors.index("{") :])
    status, (*_, last), _ = ended(
        environment, "resume", "--json", "--yes", "--sealed", str(file)
    )
    assert (status, last["error"], last["credential"]["id"]) == (0, None, begin["id"])


def test_killed_during_the_exchange_the_list_says_that_its_outcome_is_unknown(
    held: Held,
) -> None:
    environment = held.environment
    with started(environment, *CREATE, "--yes") as command:
        begin = command.object()
        command.write(f"{approve_only(begin['url'])}\n")
        assert held.asked.wait(20)
        command.process.kill()
        command.process.wait()
    (row,) = rows(environment)
    assert (row["id"], row["status"], row["waitsUntil"]) == (begin["id"], "unknown", None)
    status, (end,), errors = ended(environment, "resume", "--json")
    assert (status, end["error"]["code"]) == (1, "CodeSent")
    assert f"m3cred delete {begin['id']}" in errors
    for show in (("list",), ("show", begin["id"])):
        with started(environment, *show) as command:
            assert "code sent, outcome unknown" in command.end()[1]
    with started(environment, "doctor", "--offline") as doctor:
        assert f"m3cred delete {begin['id']}" in doctor.end()[1].replace("\n", " ")
    assert ended(environment, "delete", begin["id"], "--yes")[0] == 0
    assert rows(environment) == []


@pytest.fixture(scope="module")
def forked() -> Iterator[Forks]:
    with forks() as made:
        yield made


class Sweep:
    """One command again and again, each time with a fault at the next call of the store."""

    def __init__(self, held: Held, forked: Forks, begun: Path, command: str) -> None:
        self._held, self._forks, self._begun, self._command = held, forked, begun, command
        identity = Path(held.environment["XDG_CONFIG_HOME"], "m3cred", "identity.txt")
        data = data_of(held.environment)
        self._store = DirectoryStore(data, IdentityFile(identity, data))

    def calls(self) -> int:
        """Return how many calls there are without a fault."""
        assert self.outcome(0, "none") == "created"
        return int(self._begun.read_text())

    def outcome(self, at: int, fault: str) -> str:
        """Return what is there of an approval after a fault at one call."""
        held, name = self._held, f"{fault} {at}"
        held.asked.clear()
        held.may_answer.clear()
        self._begun.unlink(missing_ok=True)
        words = ["create", "--name", name, "--json", "--no-browser"]
        broken = Fault(at, fault, str(self._begun))
        if self._command == "complete":
            begin = json.loads(self._start(*words, "--begin", fault=broken).end()[1])
            words = ["create", "--complete", begin["id"], "--json"]
        if self._command == "reauthorize":
            owner = account_of(EMAIL)
            account = StripeAccount(owner.id, livemode=False)
            old = credential(len(self._store.ids()), name, account=account)
            self._store.create(old, tokens_of(old))
            words = ["reauthorize", name, "--json", "--no-browser"]
        command = self._start(*words, "--yes", fault=broken)
        if self._command != "complete":
            begin = json.loads(command.stdout.readline())
        command.stdin.write(f"{approve_only(begin['url'])}\n")
        command.stdin.flush()
        assert held.asked.wait(20)
        self._begun.touch()
        held.may_answer.set()
        status, out, errors = command.end()
        if fault == "SIGKILL":
            assert status in {-signal.SIGKILL, 0}, errors
        else:
            end = json.loads(out)
            assert (status == 0) == (end["error"] is None), errors
            assert "Traceback" not in errors
        return self._found(begin["id"])

    def _start(self, *words: str, fault: Fault) -> Forked:
        return self._forks.start(self._held.environment, *words, fault=fault)

    def _found(self, credential_id: str) -> str:
        self._store.requests.expire(datetime.now(UTC))
        for one in self._store.read_many(self._store.ids()):
            if isinstance(one, Credential) and one.approval == credential_id:
                token = self._store.tokens(one.id).access_token
                assert token
                assert CANARY not in token.reveal(), "of the old tokens"
                return "created"
        row = self._store.verified(credential_id)
        if not isinstance(row, Credential):
            return f"lost: {row}"
        if row.status is Status.UNKNOWN:
            return "unknown"
        assert row.account
        assert self._store.tokens(credential_id).account_id == row.account.id
        return "created" if row.status is Status.AUTHENTICATED else "pending"


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", ["create", "complete", "reauthorize"])
@pytest.mark.parametrize("fault", ["SIGKILL", "ENOSPC", "EIO"])
def test_a_fault_at_any_call_between_the_reply_and_the_end_loses_no_approval(
    held: Held, forked: Forks, tmp_path: Path, command: str, fault: str
) -> None:
    sweep = Sweep(held, forked, tmp_path / "begun", command)
    calls = sweep.calls()
    assert calls > 20
    step = 1 if os.environ.get("M3CRED_SWEEP") == "all" else 8
    found = Counter(sweep.outcome(at, fault) for at in range(calls, 0, -step))
    expected = {"created", "pending", *(["unknown"] if fault == "SIGKILL" else [])}
    assert found.keys() <= expected, found
    assert found["created"] > 0
