"""``m3cred store``, and the other commands with a team's store."""

import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import CompletedProcess, run
from threading import Thread

import pytest

from m3cred_tui.model.credential import StripeAccount
from tests.cli.kept import keep
from tests.cli.schemas import flaws, schema
from tests.store.port import bao
from tests.store.port.bao import Bao

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def server() -> Bao:
    return bao.running()


@pytest.fixture
def team(server: Bao, m3cred: Run, tmp_path: Path) -> Run:
    """Run m3cred with a team's store, as its settings file has it."""
    file = tmp_path / "config" / "m3cred" / "config.toml"
    file.parent.mkdir(parents=True, mode=0o700)
    table = {"engine": "openbao", "address": server.address, "path": f"team/{tmp_path.name}"}
    lines = (f'{name} = "{value}"\n' for name, value in table.items())
    file.write_text(f"version = 1\n[store]\n{''.join(lines)}")
    token = tmp_path / ".vault-token"
    token.write_text(f"{bao.ROOT}\n")
    token.chmod(0o600)  # as bao login leaves it
    return m3cred


def told(ended: CompletedProcess[str]) -> str:
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_without_a_team_credentials_are_on_this_machine(m3cred: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "m3cred" / "credentials"
    assert told(m3cred("store")) == f"This machine: {folder}\n"
    shown = json.loads(told(m3cred("store", "--json")))
    assert flaws(shown, schema("store")) == []
    assert (shown["engine"], shown["directory"]) == ("directory", str(folder))


def test_it_says_where_a_teams_credentials_are_and_who_says_so(
    team: Run, server: Bao, tmp_path: Path
) -> None:
    host = server.address.removeprefix("http://")
    first, *rest = told(team("store", BAO_ADDR=server.address)).splitlines()
    assert first == f"team: {host} secret/team/{tmp_path.name}"
    assert f"  address       {server.address}  (BAO_ADDR)" in rest
    shown = json.loads(told(team("store", "--json")))
    assert flaws(shown, schema("store")) == []
    assert (shown["engine"], shown["path"]) == ("openbao", f"team/{tmp_path.name}")
    assert "DEMO" not in told(team("store", "--demo"))
    assert told(team("store", "--demo")).startswith("This machine: ")


@pytest.mark.long
def test_credentials_are_moved_to_the_team_and_used_there(team: Run, tmp_path: Path) -> None:
    account = StripeAccount("acct_1Acme", livemode=False, name="Acme Ltd", country="GB")
    names = [one.name for one in keep(tmp_path, ["Acme", "Bolt", "Coil"], account=account)]
    assert "There are no credentials yet" in team("list").stderr
    would = json.loads(told(team("store", "move", "--to", "openbao", "--dry-run", "--json")))
    assert flaws(would, schema("store move")) == []
    assert {one["outcome"] for one in would["credentials"]} == {"moved"}
    moved = told(team("store", "move", "--to", "openbao"))
    assert moved.startswith(f"{len(names)} of {len(names)} credentials moved to openbao.\n")
    listed = json.loads(told(team("list", "--json")))["credentials"]
    assert sorted(one["name"] for one in listed) == sorted(names)
    renamed = team("rename", names[0], "A new name")
    assert renamed.returncode == 0, renamed.stderr
    assert told(team("list", "--quiet")).count("\n") == len(names)
    assert not [*(tmp_path / "data" / "m3cred" / "credentials").glob("*.json")]
    assert team("delete", "A new name", "--yes").returncode == 0
    back = told(team("store", "move", "--to", "directory"))
    assert back.endswith("m3cred config set store.engine directory\n")


@pytest.mark.long
def test_a_team_is_set_up_by_three_settings_and_left_by_one(
    m3cred: Run, server: Bao, tmp_path: Path
) -> None:
    for name, value in (("engine", "openbao"), ("address", server.address), ("path", "a/b")):
        assert m3cred("config", "set", f"store.{name}", value).returncode == 0
    assert told(m3cred("store")).startswith("team: ")
    assert m3cred("config", "set", "store.engine", "directory").returncode == 0
    assert told(m3cred("store")).startswith("This machine: ")
    ended = m3cred("config", "set", "store.address", "http://bao.example.com")
    assert ended.returncode == 1
    assert "with http:// must be on this computer" in ended.stderr


@pytest.mark.long
def test_config_says_which_variable_of_bao_takes_precedence_over_the_file(
    team: Run, server: Bao
) -> None:
    shown = told(team("config", VAULT_ADDR="https://bao.example.com"))
    assert re.search(r"address +https://bao\.example\.com +VAULT_ADDR\n", shown)
    change = "config", "set", "store.address", server.address
    assert "VAULT_ADDR is set in the environment" in told(team(*change, VAULT_ADDR="https://x"))


@pytest.mark.long
def test_without_a_token_the_command_that_is_shown_gets_one_as_it_stands(
    team: Run, tmp_path: Path
) -> None:
    (tmp_path / ".vault-token").unlink()
    shown = re.search(r"run: (BAO_ADDR=\S+ bao login)$", team("list").stderr)
    assert shown is not None
    at_home = {"HOME": str(tmp_path), "PATH": f"{Path(bao.program()).parent}:{os.defpath}"}
    run(["/bin/sh", "-c", f"{shown[1]} {bao.ROOT}"], env=at_home, check=True, timeout=30)
    assert told(team("list", "--json"))


def test_the_policy_names_the_configured_mount_and_path(team: Run, tmp_path: Path) -> None:
    printed = told(team("store", "policy", "admin"))
    assert f'path "secret/data/team/{tmp_path.name}/credentials/*"' in printed
    assert '"delete"' not in told(team("store", "policy", "reader"))


@pytest.mark.quick(3)
@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({"BAO_TOKEN": "hvs.wrong"}, "StoreTokenRefused"),
        ({"HOME": "/nonexistent"}, "StoreTokenMissing"),
        ({"BAO_ADDR": "http://127.0.0.1:9"}, "StoreUnreachable"),
        ({"BAO_ADDR": "http://bao.invalid"}, "StoreUnreachable"),
        ({"M3CRED_STORE_MOUNT": "elsewhere"}, "MountMissing"),
        ({"VAULT_NAMESPACE": "nobody"}, "MountMissing"),
        ({"M3CRED_STORE_ENGINE": "postgres"}, "UnknownName"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
@pytest.mark.quick(2)
def test_a_bad_day_is_one_sentence(team: Run, environ: dict[str, str], code: str) -> None:
    ended = team("list", "--json", **environ)
    assert ended.returncode == 1
    error = json.loads(ended.stdout)["error"]
    assert error["code"] == code
    assert "\n" not in error["message"]
    assert "hvs.wrong" not in ended.stdout + ended.stderr


@contextmanager
def no_engine(*, cuts: bool) -> Iterator[str]:
    """Accept connections, and cut each once something is asked, or never answer."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    held.append(listener.accept()[0])
                    if cuts:
                        held[-1].recv(65536)
                        held.pop().close()

        thread = Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for one in held:
                one.close()


@pytest.mark.long
@pytest.mark.timeout(90)
@pytest.mark.usefixtures("team")
def test_an_engine_that_takes_connections_and_answers_nothing_is_given_up(
    m3cred_anew: Run,
) -> None:
    create = ("create", "--name", "Acme", "--destination", "stripe_test", "--begin")
    stripe = {"CLIENT_ID": "ca_platform", "SECRET_KEY": "sk_test_platform"}
    environ = {f"M3CRED_STRIPE_TEST_{name}": value for name, value in stripe.items()}
    role = {"M3CRED_STORE_ROLE_ID": "pipeline", "M3CRED_STORE_SECRET_ID": "hvs.canary"}
    with (
        no_engine(cuts=False) as silent,
        no_engine(cuts=True) as cutting,
        ThreadPoolExecutor(6) as several,
    ):
        # Each is ended, and fails the test, after 30 seconds.
        doctor = several.submit(m3cred_anew, "doctor", "--offline", BAO_ADDR=silent)
        for one in [
            several.submit(m3cred_anew, "list", BAO_ADDR=silent, **role),
            several.submit(m3cred_anew, "exec", "Acme", "--", "true", BAO_ADDR=silent),
            several.submit(m3cred_anew, *create, BAO_ADDR=cutting, **environ),
            several.submit(m3cred_anew, "rename", "Acme", "Bolt", BAO_ADDR=cutting),
        ]:
            [line] = one.result().stderr.splitlines()
            assert "cannot be reached: it " in line
            assert one.result().returncode == 1
        assert doctor.result().returncode == 1


@pytest.mark.long
def test_doctor_checks_the_teams_store_from_its_address_to_what_the_token_may_do(
    team: Run, server: Bao
) -> None:
    def rows(**environ: str) -> list[str]:
        ended = team("doctor", "--json", **environ)
        found = json.loads(ended.stdout)["findings"]
        asked = [one for one in found if one["area"] == "team's store"]
        return [f"{one['state']}: {one['told']}" for one in asked]

    reached, mount, token, policies = rows()
    assert reached.startswith(f"ok: {server.address} (store.address) answers: version 2.")
    assert mount.startswith("ok: secret is a mount of KV version 2; the path is team/")
    assert token.startswith(
        "note: The token (~/.vault-token, which the store calls “token”) is"
    )
    assert policies.startswith("ok: Its policies allow to create, use and change credentials,")
    policy = {"policy": told(team("store", "policy", "reader"))}
    assert server.ask("PUT", "sys/policies/acl/m3cred-reader", policy)[0] == 204
    asked = {"policies": ["m3cred-reader"], "ttl": "30m", "display_name": "ann"}
    _, answer = server.ask("POST", "auth/token/create", asked)
    *_, token, policies = rows(VAULT_TOKEN=answer["auth"]["client_token"])
    assert token.startswith(
        "note: The token (VAULT_TOKEN, which the store calls “token-ann”) is valid until 20"
    )
    assert policies.startswith("note: Its policies do not allow to create, use and change")
    assert policies.endswith("see m3cred store policy admin.")
    [problem] = rows(BAO_ADDR="http://127.0.0.1:9")
    assert problem.startswith("mend: The team's store 127.0.0.1:9 ")


@pytest.mark.long
@pytest.mark.parametrize("source", ["environment", "file", "command"])
def test_a_pipeline_logs_in_by_approle_once_and_leaves_no_token_behind(
    team: Run, server: Bao, tmp_path: Path, source: str
) -> None:
    server.ask("POST", "sys/auth/approle", {"type": "approle"})  # another test may have
    policy = {"policy": told(team("store", "policy", "admin"))}
    role = f"auth/approle/role/{tmp_path.name}"
    assert server.ask("PUT", f"sys/policies/acl/{tmp_path.name}", policy)[0] == 204
    assert server.ask("POST", role, {"token_policies": [tmp_path.name]})[0] == 204
    role_id = server.ask("GET", f"{role}/role-id")[1]["data"]["role_id"]
    secret_id = server.ask("POST", f"{role}/secret-id")[1]["data"]["secret_id"]
    (tmp_path / ".vault-token").unlink()
    file = tmp_path / "secret-id"
    file.write_text(secret_id)
    file.chmod(0o600)
    environ = {
        "environment": {"M3CRED_STORE_SECRET_ID": secret_id},
        "file": {"M3CRED_STORE_SECRET_ID_FILE": str(file)},
        "command": {"M3CRED_STORE_SECRET_ID_COMMAND": f"cat {file}"},
    }[source]
    assert team("config", "set", "store.role_id", role_id).returncode == 0
    before = server.ask("LIST", "auth/token/accessors")[1]["data"]["keys"]
    listed = team("list", "--json", **environ)
    assert told(listed) == '{\n  "version": 1,\n  "credentials": []\n}\n'
    assert server.ask("LIST", "auth/token/accessors")[1]["data"]["keys"] == before
    assert secret_id not in told(team("config", **environ)) + told(team("config", "--json"))
    refused = team("list", M3CRED_STORE_SECRET_ID="wrong")
    assert refused.returncode == 1
    assert "does not let the AppRole log in" in refused.stderr
