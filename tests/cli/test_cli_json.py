"""What docs/json.md promises is what the commands write."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from m3cred_tui.cli.output.json import end_json
from m3cred_tui.cli.parser import parser
from m3cred_tui.model.check import Outcome
from m3cred_tui.model.credential import OAuthModel
from tests.cli.connected import Connected, connected_to_demo_stripe
from tests.cli.kept import keep_pending
from tests.cli.parsers import parsers
from tests.cli.schemas import PAGE, blocks, flaws, schema

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def connected(tmp_path: Path) -> Iterator[Connected]:
    """Have one of each kind of row: ok, revoked, of an app, waiting, damaged."""
    with connected_to_demo_stripe(tmp_path) as world:
        world.connect("Fine")
        world.revoke(world.connect("Revoked"))
        world.connect("App", OAuthModel.APPS)
        damaged = world.connect("Damaged").id
        credentials = tmp_path / "data" / "m3cred" / "credentials"
        (credentials / f"{damaged}.json").write_text("{")
        keep_pending(tmp_path, "Waits", since=timedelta(minutes=1))
        yield world


def described(ended: CompletedProcess[str], title: str) -> None:
    """Assert that all of standard output is as the schema of this title has it."""
    assert flaws(json.loads(ended.stdout), schema(title)) == []


def test_list_and_show_are_as_described(connected: Connected, m3cred: Run) -> None:
    assert m3cred("check", "--all", **connected.environ).returncode == 1
    described(m3cred("list", "--json"), "list")
    for name in ("Fine", "Revoked", "App", "Waits"):
        described(m3cred("show", name, "--json"), "show")
    for name in ("Fine", "App"):
        described(m3cred("show", name, "--json", "--reveal-to-pipe"), "show")
        described(m3cred("show", name, "--integration"), "show --integration")


def test_check_is_as_described(connected: Connected, m3cred: Run) -> None:
    described(m3cred("check", "--all", "--json", **connected.environ), "check")
    described(m3cred("check", "Waits", "Fine", "--json", **connected.environ), "check")
    described(m3cred("check", "--all", "--json"), "check")


def test_rename_is_as_described(connected: Connected, m3cred: Run) -> None:
    ended = m3cred("rename", "Fine", "Finer", "--json")
    described(ended, "rename")
    assert '"name": "Finer"' in ended.stdout


def test_delete_is_as_described(connected: Connected, m3cred: Run) -> None:
    command = ("--yes", "--json")
    described(m3cred("delete", "Waits", *command), "delete")
    gone = {**connected.environ, "M3CRED_STRIPE_TEST_CONNECT_BASE": "http://127.0.0.1:9"}
    described(m3cred("delete", "Fine", "--disconnect", *command, **gone), "delete")
    ended = m3cred("delete", "Fine", "--disconnect", *command, **connected.environ)
    described(ended, "delete")
    assert ended.returncode == 0


def test_doctor_and_config_are_as_described(connected: Connected, m3cred: Run) -> None:
    for environ in ({}, connected.environ, {"M3CRED_STRIPE_TEST_PORTS": "1"}):
        described(m3cred("doctor", "--offline", "--json", **environ), "doctor")
        described(m3cred("config", "--json", **environ), "config")
        described(m3cred("config", "check", "--json", **environ), "config check")


def test_create_is_as_described(connected: Connected, m3cred: Run) -> None:
    create = ("create", "--name", "Zoë", "--destination", "stripe_test", "--json")
    begun = m3cred(*create, "--begin", **connected.environ)
    described(begun, "begin")
    assert '"name": "Zoë"' in begun.stdout
    described(m3cred("create", "--complete", "0199", "--json", **connected.environ), "end")
    begun = m3cred("reauthorize", "Fine", "--begin", "--json", **connected.environ)
    described(begun, "begin")
    assert f'"renews": "{connected.connected[0].id}"' in begun.stdout
    for one in (connected.connected[0], None):
        assert flaws(json.loads(end_json(one, None)), schema("end")) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "nobody", "--json"), "UnknownCredential"),
        (("show", "01a1f8", "--json"), "AmbiguousCredential"),
        (("show", "Waits", "--integration", "--json"), "StillPending"),
        (("show", "Fine", "--reveal", "--json"), "SecretsToNoTerminal"),
        (("delete", "Fine", "--json"), "DeletionNotConfirmed"),
        (("check", "nobody", "--json"), "UnknownCredential"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_a_failure_is_as_described(
    connected: Connected, m3cred: Run, arguments: tuple[str, ...], code: str
) -> None:
    ended = m3cred(*arguments)
    assert ended.returncode == 1
    described(ended, "error")
    assert json.loads(ended.stdout)["error"]["code"] == code


def test_every_command_that_writes_json_is_described() -> None:
    writing = {
        path
        for path, one in parsers(parser())
        for action in one._actions
        if "--json" in action.option_strings
    }
    described = {block.get("title") for block in blocks()}
    # These write what has the titles begin and end.
    assert writing - described == {"create", "resume", "reauthorize"}


def test_every_outcome_is_explained() -> None:
    shared = next(block["$defs"] for block in blocks() if "$defs" in block)
    assert shared["outcome"]["enum"] == [one.value for one in Outcome]
    told = re.findall(r"^\| `([a-z_]+)` \| .*\|$", PAGE.read_text(), re.MULTILINE)
    assert told == [one.value for one in Outcome]


@pytest.mark.parametrize(
    ("value", "flaw"),
    [
        ({"version": 2, "error": {"code": "A", "message": "b"}}, "$.version"),
        ({"version": 1, "error": {"code": "A"}}, "$.error: there is no message"),
        ({"version": 1, "error": {"code": 1, "message": "b"}}, "$.error.code"),
        ({"version": 1, "error": {"code": "A", "message": "b"}, "more": 1}, "more"),
        ({"version": 1}, "there is no error"),
        ([], "is not of type object"),
    ],
    ids=str,
)
def test_what_is_not_as_described_is_found(value: object, flaw: str) -> None:
    found = flaws(value, schema("error"))
    assert len(found) == 1
    assert flaw in found[0]
