"""``m3cred check``: every outcome is another word, and 0 means that all are ok."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from m3cred_tui.model.credential import OAuthModel
from tests.cli.connected import Connected, connected_to_demo_stripe
from tests.cli.kept import CANARY, keep, keep_pending
from tests.e2e.terminal import terminal
from tests.store.test_store_disk import in_private_mounts

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def connected(tmp_path: Path) -> Iterator[Connected]:
    with connected_to_demo_stripe(tmp_path) as world:
        yield world


def outcomes(ended: CompletedProcess[str]) -> dict[str, str]:
    return {one["name"]: one["outcome"] for one in json.loads(ended.stdout)["credentials"]}


def test_all_ok_is_status_0(connected: Connected, m3cred: Run) -> None:
    connected.connect("Acme")
    ended = m3cred("check", "--all", **connected.environ)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "Acme  ok\n", "")
    assert "ok, 20" in m3cred("list").stdout


def test_outcomes_differ_and_one_failure_is_enough_for_status_1(
    connected: Connected, m3cred: Run, tmp_path: Path
) -> None:
    connected.connect("Fine")
    connected.revoke(connected.connect("Revoked"))
    keep_pending(tmp_path, "Waits", since=timedelta(minutes=1))
    ended = m3cred("check", "--all", "--json", **connected.environ)
    assert ended.returncode == 1
    assert outcomes(ended) == {"Fine": "ok", "Revoked": "revoked"}
    assert json.loads(ended.stdout)["ok"] is False
    ended = m3cred("check", "Waits", "Fine", "Fine", "--json", **connected.environ)
    assert outcomes(ended) == {"Waits": "pending", "Fine": "ok"}


def test_a_revoked_credential_is_told_with_the_command_that_authorizes_it_again(
    connected: Connected, m3cred: Run
) -> None:
    connected.revoke(connected.connect("Acme live"))
    told = "Access was revoked at Stripe. Run: m3cred reauthorize 'Acme live'"
    ended = m3cred("check", "Acme live", **connected.environ)
    assert ended.stdout == f"Acme live  revoked  {told}\n"
    assert told in m3cred("show", "Acme live").stdout


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"M3CRED_STRIPE_TEST_SECRET_KEY": "sk_test_canary"}, "wrong_key"),
        ({"M3CRED_STRIPE_TEST_API_BASE": "http://127.0.0.1:9"}, "unreachable"),
        ({"M3CRED_STRIPE_TEST_SECRET_KEY": ""}, "not_set_up"),
    ],
    ids=["wrong key", "unreachable", "not set up"],
)
@pytest.mark.quick(1)
def test_what_is_not_the_accounts_fault_is_not_called_revoked(
    connected: Connected, m3cred: Run, changed: dict[str, str], outcome: str
) -> None:
    connected.connect("Acme")
    ended = m3cred("check", "Acme", "--json", **connected.environ)
    assert outcomes(ended) == {"Acme": "ok"}
    ended = m3cred("check", "Acme", "--json", **{**connected.environ, **changed})
    assert ended.returncode == 1
    assert outcomes(ended) == {"Acme": outcome}
    assert CANARY not in ended.stdout + ended.stderr


def test_a_credential_of_stripe_apps_is_checked_by_its_own_token(
    connected: Connected, m3cred: Run
) -> None:
    connected.connect("App", OAuthModel.APPS)
    ended = m3cred("check", "--all", "--json", **connected.environ)
    assert outcomes(ended) == {"App": "ok"}


# A directory in which nothing can be written serves an ordinary user; root needs a mount.
READ_ONLY = 'chmod 500 "$DATA" "$STATE"'
MOUNTED = """mount -t tmpfs -o ro none "$STATE" && mount --bind "$DATA" "$DATA" &&
    mount -o remount,ro,bind "$DATA" """
FULL = """cp -a "$DATA" "$COPY" && mount -t tmpfs -o mode=700,size=64k none "$DATA" &&
    cp -a "$COPY/." "$DATA" && { cat /dev/zero >"$DATA/rest" 2>/dev/null; true; }"""


# Permissions bind everybody but root, who alone can mount.
DISKS = {"no permission": (READ_ONLY, "permission is denied")}
if os.geteuid() == 0:
    DISKS = {"read-only": (MOUNTED, "read-only"), "full": (FULL, "the disk is full")}


@pytest.mark.parametrize(("disk", "reason"), DISKS.values(), ids=DISKS)
@pytest.mark.quick(1)
def test_results_that_cannot_be_kept_are_given_all_the_same(
    connected: Connected,
    environment: dict[str, str],
    tmp_path: Path,
    disk: str,
    reason: str,
) -> None:
    acme, other = connected.connect("Acme"), connected.connect("Other")
    connected.revoke(other)
    data, state, copy = (tmp_path / name for name in ("data/m3cred", "state/m3cred", "copy"))
    state.mkdir(mode=0o700, parents=True)
    paths = {"DATA": str(data), "STATE": str(state), "COPY": str(copy)}
    namespace = [] if disk == READ_ONLY else in_private_mounts()
    check = f"{sys.executable} -m m3cred_tui check"
    line = f"{disk} && {{ {check} Acme; echo $?; {check} --all --json; echo $?; }}"
    ended = subprocess.run(
        [*namespace, "/bin/sh", "-c", line],
        env={**environment, **connected.environ, **paths},
        capture_output=True,
        text=True,
        check=False,
    )
    data.chmod(0o700)
    alone, together = ended.stdout.split("\n0\n")
    assert alone == "Acme  ok"
    found = json.loads(together.removesuffix("\n1\n"))
    assert [one["outcome"] for one in found["credentials"]] == ["revoked", "ok"]
    assert {one["id"] for one in found["credentials"]} == {acme.id, other.id}
    sentence = f"The results were not kept. {data}"
    assert ended.stderr.count(f"m3cred: {sentence}") == ended.stderr.count("\n") == 2
    assert found["notKept"]["code"] == "StoreUnusable"
    assert found["notKept"]["message"].startswith(sentence)
    assert reason in found["notKept"]["message"]


def test_which_ones_has_to_be_said(m3cred: Run, tmp_path: Path) -> None:
    for arguments in [(), ("Acme", "--all")]:
        ended = m3cred("check", *arguments)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "--all" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_none_at_all_is_said_and_is_no_failure(m3cred: Run) -> None:
    ended = m3cred("check", "--all")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == "There are no credentials to check.\n"
    told = json.loads(m3cred("check", "--all", "--json").stdout)
    assert (told["ok"], told["credentials"]) == (True, [])


def test_an_unknown_name_is_reported_before_stripe_is_asked(
    connected: Connected, m3cred: Run
) -> None:
    connected.connect("Acme")
    ended = m3cred("check", "Acme", "Acne", "--json", **connected.environ)
    assert json.loads(ended.stdout)["error"]["code"] == "UnknownCredential"
    assert "LAST CHECK" not in m3cred("list").stdout


async def test_progress_is_on_the_terminal_and_gone_in_the_end(
    connected: Connected, environment: dict[str, str]
) -> None:
    for number in range(20):
        connected.connect(f"Acme {number}")
    command = [sys.executable, "-m", "m3cred_tui", "check", "--all"]
    environ = {**environment, **connected.environ, "LANG": "C.UTF-8"}
    async with terminal(command, environ) as shown:
        assert await shown.ends() == 0
        assert "Checking 20 credentials …".encode() in shown.raw
        assert "…" not in shown.text
        assert shown.text.count("  ok") == 20


def test_the_demo_has_its_stripe_running_meanwhile(m3cred: Run, tmp_path: Path) -> None:
    keep(tmp_path, ["Rehearsal"], demo=True)
    ended = m3cred("--demo", "check", "--all", "--json")
    # A new one, which does not know the account.
    assert outcomes(ended) == {"Rehearsal": "revoked"}
