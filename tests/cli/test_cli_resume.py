"""``m3cred resume``: what was left goes on, in another process."""

import signal
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from m3cred_tui.authorize.journal import pending_credential
from m3cred_tui.model.authorization import AuthorizationRequest, redirect_uri
from m3cred_tui.model.credential import BILL, STRIPE_TEST, Draft
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from tests.cli.creation import Environ, ended, files, set_up, started
from tests.other_user import as_root, held_by_another_user
from tests.ui.visit import approve, approve_only

QUIET = ("--json", "--no-browser")


@pytest.fixture
def environment(environment: Environ) -> Iterator[Environ]:
    with set_up(environment) as complete:
        yield complete


def begun(environment: Environ, name: str = "Acme") -> dict[str, Any]:
    status, (begin,), _ = ended(environment, "create", "--name", name, "--begin", "--json")
    assert status == 0
    return begin


def approved(environment: Environ, name: str = "Acme") -> dict[str, Any]:
    """Leave an approval that nobody has agreed to."""
    begin = begun(environment, name)
    given = approve_only(begin["url"])
    assert ended(environment, "create", "--complete", begin["id"], given=given)[0] == 1
    return begin


def test_begin_and_complete_are_two_processes(environment: Environ) -> None:
    begin = begun(environment)
    assert (begin["type"], begin["shortUrl"], begin["tunnel"]) == ("begin", None, None)
    address = approve_only(begin["url"])
    complete = ("create", "--complete", begin["id"], "--yes", "--json")
    status, (end,), errors = ended(environment, *complete, given="nonsense\n")
    assert (status, end["error"]["code"]) == (1, "InputEnded")
    assert "! There is no address in it." in errors

    status, (end,), _ = ended(environment, *complete, given=f"{address}\n")
    assert (status, end["credential"]["status"]) == (0, "authenticated")
    assert end["credential"]["id"] == begin["id"]


@pytest.mark.parametrize("nothing", ["", " ", "\n"])
@pytest.mark.quick(1)
def test_an_empty_standard_input_ends_complete_immediately(
    environment: Environ, nothing: str
) -> None:
    begin = begun(environment)
    complete = ("create", "--complete", begin["id"], "--yes", "--json")
    status, (end,), _ = ended(environment, *complete, given=nothing)
    assert (status, end["error"]["code"]) == (1, "InputEnded")


def test_begin_without_json_is_the_url_alone(environment: Environ) -> None:
    with started(environment, "create", "--name", "Acme", "--begin") as command:
        status, out = command.end()
    (pending,) = files(environment, "pending")
    assert status == 0
    (url,) = out.splitlines()
    assert url.startswith(environment["M3CRED_STRIPE_TEST_CONNECT_BASE"])
    told = " ".join(command.errors.split())
    assert "When you have approved, give the address" in told
    assert told.endswith(f": m3cred create --complete {pending.stem}")


@pytest.mark.long
def test_killed_while_waiting_it_resumes_at_the_same_url_and_port(environment: Environ) -> None:
    with started(environment, "create", "--name", "Acme", *QUIET) as command:
        first = command.object()
        command.process.send_signal(signal.SIGKILL)
        command.end()
    with started(environment, "resume", *QUIET, "--yes") as command:
        assert {**command.object(), "shortUrl": None} == {**first, "shortUrl": None}
        approve(first["url"])
        assert command.object()["credential"]["id"] == first["id"]
        assert command.end()[0] == 0


@as_root
@pytest.mark.long
def test_a_port_of_another_user_ends_every_command_before_a_url_is_shown(
    environment: Environ,
) -> None:
    begin = begun(environment, "Waits")
    address = approve_only(begin["url"])
    new = ("create", "--name", "Acme", *QUIET)
    with held_by_another_user(int(environment["M3CRED_STRIPE_TEST_PORTS"])):
        for command in (
            (*new, "--begin"),
            (*new, "--expect-account", "acct_1Q2w3E4r5T6y7U8i"),
            ("resume", *QUIET),
            ("create", "--complete", begin["id"], "--yes", "--json"),
        ):
            status, (end,), errors = ended(environment, *command, given=f"{address}\n")
            assert (status, end["error"]["code"]) == (1, "PortsOfAnotherUser")
            assert "approval of its own account" in errors
    assert [one.stem for one in files(environment, "pending")] == [begin["id"]]


def test_yes_alone_is_refused_where_another_user_may_listen(environment: Environ) -> None:
    new = ("create", "--name", "Acme", *QUIET, "--yes")
    with socket.socket() as held:
        held.bind(("127.0.0.1", int(environment["M3CRED_STRIPE_TEST_PORTS"])))
        status, (end,), _ = ended(environment, *new)
        assert (status, end["error"]["code"]) == (1, "AccountUnseen")
        assert files(environment, "pending") == []
        with started(environment, *new, "--expect-account", "acct_1Q2w3E4r5T6y7U8i") as command:
            begin = command.object()
            assert "compare the account's ID" in command.told("before you create")
            command.write(f"{approve_only(begin['url'])}\n")
            assert command.object()["error"]["code"] == "UnexpectedAccount"


@pytest.mark.long
def test_only_one_of_two_that_wait_for_the_same_answer_sends_it(environment: Environ) -> None:
    begin = begun(environment)
    with (
        started(environment, "resume", *QUIET, "--yes") as one,
        started(environment, "resume", *QUIET, "--yes") as other,
    ):
        one.object()
        other.object()
        address = approve_only(begin["url"])
        one.write(f"{address}\n")
        assert one.object()["error"] is None
        assert other.object()["error"]["code"] == "AnsweredElsewhere"
    assert len(files(environment, "credentials")) == 1


@pytest.mark.parametrize("part", [slice(None), slice(16)], ids=["ID", "beginning"])
@pytest.mark.long
def test_an_approval_is_found_by_its_id(environment: Environ, part: slice) -> None:
    begin = approved(environment)
    status, (end,), _ = ended(environment, "resume", begin["id"][part], "--yes", "--json")
    assert (status, end["credential"]["id"]) == (0, begin["id"])


def test_a_pending_credential_is_resumed_by_name_and_created_under_another(
    environment: Environ,
) -> None:
    approved(environment)
    resume = ("resume", "ACME", "--yes", "--json", "--name", "Acme two")
    status, (end,), _ = ended(environment, *resume)
    assert (status, end["credential"]["name"]) == (0, "Acme two")


@pytest.mark.long
def test_a_name_taken_meanwhile_is_refused_with_the_command_to_continue(
    environment: Environ,
) -> None:
    first, second = approved(environment), approved(environment)
    assert ended(environment, "resume", first["id"], "--yes")[0] == 0
    status, (end,), errors = ended(environment, "resume", second["id"], "--yes", "--json")
    assert (status, end["error"]["code"]) == (1, "NameTaken")
    assert errors.endswith(f"m3cred resume {second['id']} --name NAME\n")
    assert ended(environment, "resume", "--yes", "--name", "Other")[0] == 0


@pytest.mark.long
def test_with_several_pending_one_must_be_named(environment: Environ) -> None:
    ids = [approved(environment)["id"], begun(environment, "Other")["id"]]
    status, (end,), _ = ended(environment, "resume", "--yes", "--json")
    assert (status, end["error"]["code"]) == (1, "SeveralPending")
    assert all(one in end["error"]["message"] for one in ids)
    status, (end,), _ = ended(environment, "resume", "Missing", "--yes", "--json")
    assert end["error"]["code"] == "NotPending"


def test_without_anything_pending_it_says_so(environment: Environ) -> None:
    status, (end,), _ = ended(environment, "resume", "--json")
    assert (status, end["error"]["code"]) == (1, "NothingPending")


@pytest.mark.long
def test_resuming_a_created_credential_changes_nothing(environment: Environ) -> None:
    begin = approved(environment)
    assert ended(environment, "resume", "--yes")[0] == 0
    (file,) = files(environment, "credentials")
    before = file.read_bytes()
    status, (end,), errors = ended(environment, "resume", begin["id"], "--yes", "--json")
    assert (status, end["credential"]["status"], end["error"]) == (0, "authenticated", None)
    assert "nothing was changed" in errors
    assert file.read_bytes() == before


def test_an_expired_request_is_reported_and_removed(
    environment: Environ, tmp_path: Path
) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=11)
    identity = tmp_path / "config" / "m3cred" / "identity.txt"
    data = tmp_path / "data" / "m3cred"
    store = DirectoryStore(data, IdentityFile(identity, data))
    store.prepare()
    pending = pending_credential(
        Draft("Acme", BILL, STRIPE_TEST),
        created_at=long_ago,
        created_by="ada@example",
        randomness=bytes(10),
    )
    request = AuthorizationRequest(Secret("state"), redirect_uri(27182), long_ago)
    store.requests.keep(pending, request)
    status, (end,), errors = ended(environment, "resume", "acme", "--json")
    assert (status, end["error"]["code"]) == (1, "RequestExpired")
    assert errors.startswith("“Acme” was not approved in ten minutes and is removed.\n")
    assert files(environment, "pending") == []
