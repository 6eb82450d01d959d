"""``m3cred doctor``: what is wrong is found, with what to do, and nothing is changed."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from m3cred_tui.cli.commands.doctor import holder_of
from m3cred_tui.model.authorization import CALLBACK_PORTS
from tests.cli.connected import Connected, connected_to_demo_stripe
from tests.cli.kept import CANARY, keep, keep_pending, store_of
from tests.e2e.terminal import terminal
from tests.other_user import as_root, held_by_another_user, held_silently
from tests.store.light_age import wrapped_lightly

Run = Callable[..., CompletedProcess[str]]
Doctor = Callable[..., dict[str, list[tuple[str, str]]]]

CANNOT_LISTEN = "another program"


@pytest.fixture
def connected(tmp_path: Path) -> Iterator[Connected]:
    with connected_to_demo_stripe(tmp_path) as world:
        yield world


@pytest.fixture
def doctor(m3cred: Run) -> Doctor:
    """Return what it found in each area: state and sentence."""

    def run(*arguments: str, **more: str) -> dict[str, list[tuple[str, str]]]:
        ended = m3cred("doctor", "--json", *arguments, **more)
        told: dict[str, Any] = json.loads(ended.stdout)
        states = {one["state"] for one in told["findings"]}
        assert (ended.returncode, told["ok"]) == (int("mend" in states), "mend" not in states)
        assert CANARY not in ended.stdout + ended.stderr
        areas: dict[str, list[tuple[str, str]]] = {}
        for one in told["findings"]:
            areas.setdefault(one["area"], []).append((one["state"], one["told"]))
        return areas

    return run


def everything_below(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in root.rglob("*")}


def test_on_a_new_machine_it_says_what_to_set_and_makes_nothing(
    doctor: Doctor, tmp_path: Path
) -> None:
    found = doctor("--offline")
    assert [state for state, _ in found["settings"]] == ["ok", "mend", "mend"]
    assert "m3cred config set stripe_test.client_id" in found["settings"][2][1]
    assert found["Stripe"] == [("note", "It was not asked (--offline).")]
    assert [state for state, _ in found["data directory"]] == ["ok"]
    assert list(tmp_path.iterdir()) == []


def test_where_all_is_well_it_is_status_0_and_nothing_is_touched(
    connected: Connected, doctor: Doctor, tmp_path: Path
) -> None:
    connected.connect("Acme")
    before = everything_below(tmp_path)
    found = doctor(**connected.environ)
    assert found["settings"][2] == (
        "ok",
        "Stripe (Test Mode) is set up, by connect, with a key sk_test_…",
    )
    assert found["settings"][1][0] == "note"  # live mode is nobody's duty
    host = connected.environ["M3CRED_STRIPE_TEST_API_BASE"].removeprefix("http://")
    assert ("ok", f"{host} answers.") in found["Stripe"]
    assert found["credentials"] == [("ok", "1 can be read.")]
    assert found["left over"] == [("ok", "Nothing.")]
    assert everything_below(tmp_path) == before


def test_no_key_is_sent_to_stripe() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.settimeout(30)
        environ = {
            "M3CRED_STRIPE_TEST_CLIENT_ID": "ca_x",
            "M3CRED_STRIPE_TEST_SECRET_KEY": f"sk_test_{CANARY}",
            "M3CRED_STRIPE_TEST_API_BASE": base,
            "M3CRED_STRIPE_TEST_CONNECT_BASE": base,
            "M3CRED_STRIPE_API_BASE": base,
            "M3CRED_STRIPE_CONNECT_BASE": base,
        }
        process = start(doctor_command(), environ)
        with listener.accept()[0] as connection:
            request = connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        out, _ = process.communicate(timeout=30)
    assert request.startswith(b"GET / HTTP/1.1\r\n")
    assert CANARY.encode() not in request
    assert f'"{base.removeprefix("http://")} answers."'.encode() in out


def doctor_command() -> list[str]:
    return [sys.executable, "-m", "m3cred_tui", "doctor", "--json"]


def start(command: list[str], environ: dict[str, str]) -> "subprocess.Popen[bytes]":
    nowhere = {f"XDG_{name}_HOME": "/nonexistent" for name in ("DATA", "CONFIG", "STATE")}
    everything = {"PATH": os.environ["PATH"], **nowhere, **environ}
    return subprocess.Popen(command, env=everything, stdout=subprocess.PIPE)


@pytest.mark.parametrize(
    ("changed", "area", "told"),
    [
        (
            {"M3CRED_STRIPE_TEST_SECRET_KEY": f"sk_live_{CANARY}"},
            "settings",
            "This is a live key (sk_live_…), and Stripe (Test Mode) takes a test key",
        ),
        (
            {
                "M3CRED_STRIPE_TEST_SECRET_KEY": "",
                "M3CRED_STRIPE_TEST_SECRET_KEY_COMMAND": "no-such-store",
            },
            "settings",
            "The command was not found",
        ),
        ({"M3CRED_STRIPE_TEST_CLIENT_IDS": "x"}, "settings", "There is no variable"),
        (
            {"M3CRED_STRIPE_TEST_API_BASE": "http://127.0.0.1:9"},
            "Stripe",
            "127.0.0.1:9 cannot be reached: it refused the connection.",
        ),
        ({"XDG_DATA_HOME": "/dev/null"}, "data directory", "cannot be used"),
    ],
    ids=["wrong mode", "missing command", "unknown variable", "unreachable", "no directory"],
)
@pytest.mark.quick(2)
def test_each_fault_is_reported_with_what_to_do(
    connected: Connected, doctor: Doctor, changed: dict[str, str], area: str, told: str
) -> None:
    found = doctor(**{**connected.environ, **changed})
    assert any(state == "mend" and told in sentence for state, sentence in found[area])


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        (
            "SSL_CERT_FILE",
            "/nonexistent",
            "SSL_CERT_FILE or SSL_CERT_DIR names cannot be read.",
        ),
        ("ALL_PROXY", "socks5://127.0.0.1:9", "m3cred supports only HTTP proxies."),
        ("HTTPS_PROXY", "http://", "HTTPS_PROXY or ALL_PROXY names no HTTP proxy."),
    ],
)
def test_a_variable_that_keeps_m3cred_from_stripe_is_all_that_is_to_be_looked_at(
    connected: Connected, doctor: Doctor, variable: str, value: str, told: str
) -> None:
    environ = {"M3CRED_STRIPE_TEST_API_BASE": "https://stripe.invalid", variable: value}
    found = doctor(**{**connected.environ, **environ})
    assert any(
        state == "mend" and sentence.endswith(told) for state, sentence in found["Stripe"]
    )


def test_a_file_that_is_not_toml_is_reported_with_line_and_column(
    doctor: Doctor, tmp_path: Path
) -> None:
    file = tmp_path / "config" / "m3cred" / "config.toml"
    file.parent.mkdir(mode=0o700, parents=True)
    file.touch(mode=0o600)
    file.write_text("[stripe\n")
    found = doctor("--offline")
    assert found["settings"][0][0] == "mend"
    assert "is not TOML at line 1, column 8" in found["settings"][0][1]


def test_permissions_are_reported_with_the_command_that_fixes_them(
    doctor: Doctor, tmp_path: Path
) -> None:
    keep(tmp_path, ["Acme"])
    data = tmp_path / "data" / "m3cred"
    data.chmod(0o755)
    identity = tmp_path / "config" / "m3cred" / "identity.txt"
    identity.chmod(0o644)
    found = doctor("--offline")
    assert f"Run: chmod 700 {data}" in found["data directory"][0][1]
    assert f"Run: chmod 600 {identity}" in found["identity"][0][1]


@pytest.mark.long
@pytest.mark.parametrize("link", ["data", "data/m3cred"])
def test_a_link_to_nothing_is_the_same_in_each_row_that_it_concerns(
    doctor: Doctor, tmp_path: Path, link: str
) -> None:
    (tmp_path / link).parent.mkdir(mode=0o700, exist_ok=True)
    (tmp_path / link).symlink_to("/nonexistent/disk")
    found = doctor("--offline")
    told = f"{tmp_path / link} cannot be used: it is a link to nothing."
    for area in ("data directory", "identity", "credentials"):
        assert found[area] == [("mend", told)]


def test_a_missing_identity_is_reported_while_something_is_sealed_for_it(
    doctor: Doctor, tmp_path: Path
) -> None:
    keep(tmp_path, ["Acme"])
    (tmp_path / "config" / "m3cred" / "identity.txt").unlink()
    assert doctor("--offline")["identity"][0][0] == "mend"


def test_a_passphrase_is_fine_and_is_not_asked_for(doctor: Doctor, tmp_path: Path) -> None:
    keep(tmp_path, ["Acme"])
    identity = tmp_path / "config" / "m3cred" / "identity.txt"
    identity.write_bytes(wrapped_lightly(identity.read_bytes(), "horse"))
    found = doctor("--offline")["identity"]
    assert found == [("ok", f"{identity} is under a passphrase.")]


def test_a_damaged_credential_is_reported(doctor: Doctor, tmp_path: Path) -> None:
    one = keep(tmp_path, ["Acme", "Other"])[0]
    (tmp_path / "data" / "m3cred" / "credentials" / f"{one.id}.json").write_text("{")
    state, told = doctor("--offline")["credentials"][0]
    assert state == "mend"
    assert told.startswith(f"The credential {one.id} is damaged: it is not whole JSON.")


def test_unfinished_work_is_reported_with_the_command_that_continues_it(
    doctor: Doctor, tmp_path: Path
) -> None:
    keep_pending(tmp_path, "Waits", since=timedelta(minutes=1))
    one = keep(tmp_path, ["Acme"])[0]
    store_of(tmp_path).disconnecting.begin(one.id)
    (first, waits) = doctor("--offline")["left over"]
    assert first[0] == "mend"
    assert f"m3cred delete --disconnect {one.id}" in first[1]
    assert waits[0] == "note"
    assert "“Waits” waits for Stripe until" in waits[1]


def test_a_port_in_use_is_reported_with_its_program(doctor: Doctor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        mine = f"(process {os.getpid()})"
        found = doctor("--offline", M3CRED_STRIPE_TEST_PORTS=str(port))["ports"]
        held = next(told for _, told in found if str(port) in told)
        assert held.startswith(f"Port {port} is held by ")
        assert mine in held
        assert mine in holder_of(port)
    assert str(CALLBACK_PORTS[0]) in " ".join(told for _, told in found)


def test_a_holder_that_may_not_be_known_is_another_program() -> None:
    with held_silently() as port:
        assert holder_of(port) == CANNOT_LISTEN


@as_root
def test_another_user_on_every_port_is_to_be_fixed_and_is_named(doctor: Doctor) -> None:
    with held_by_another_user(0) as theirs:
        ports = str(theirs[0])
        both = {f"M3CRED_{one}_PORTS": ports for one in ("STRIPE", "STRIPE_TEST")}
        (state, held), (worst, told) = doctor("--offline", **both)["ports"]
    assert state == "note"
    assert held.startswith(f"Port {ports} is held by ")
    assert " of the user " in held
    assert worst == "mend"
    assert told.startswith(f"Port {ports}, to which Stripe redirects, is held by another user")


@pytest.mark.parametrize(
    ("more", "area", "state", "told"),
    [
        ({"BROWSER": "/bin/true"}, "browser", "ok", "/bin/true opens."),
        (
            {"SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"},
            "browser",
            "note",
            "None opens here, as this is an SSH session; open the URL on your computer.",
        ),
        ({}, "clipboard", "ok", "Through your terminal (OSC 52), if it allows that."),
        ({"TERM": "linux"}, "clipboard", "note", "This terminal (linux) has no clipboard."),
    ],
    ids=["browser", "SSH", "clipboard", "console"],
)
@pytest.mark.quick(2)
def test_browser_and_clipboard_are_reported_as_far_as_they_can_be_known(
    doctor: Doctor, more: dict[str, str], area: str, state: str, told: str
) -> None:
    (found,) = doctor("--offline", **more)[area]
    assert found[0] == state
    assert found[1].startswith(told)


@pytest.mark.parametrize(
    ("more", "columns", "told"),
    [
        ({}, 80, "ok terminal TERM is xterm-256color, 80 by 24 characters."),
        ({"TERM": "dumb"}, 80, "fix terminal TERM is dumb, so"),
        ({"TERM": ""}, 80, "fix terminal TERM is not set, so"),
        ({}, 59, "The window has 59 by 24 characters; the app needs 60 by 20."),
    ],
)
@pytest.mark.quick(2)
async def test_the_terminal_is_checked(
    environment: dict[str, str], more: dict[str, str], columns: int, told: str
) -> None:
    command = [sys.executable, "-m", "m3cred_tui", "doctor", "--offline"]
    environ = {**environment, "LANG": "C.UTF-8", **more}
    async with terminal(command, environ, columns=columns, lines=24) as shown:
        await shown.ends()
        text = " ".join(shown.raw.decode().replace("\x1b[0m", "").split())
        plain = text.replace("\x1b[32m", "").replace("\x1b[31m", "").replace("\x1b[33m", "")
        assert told in plain


def test_the_demo_needs_no_settings_and_no_network(m3cred: Run) -> None:
    ended = m3cred("--demo", "doctor")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "The demo Stripe needs none." in ended.stdout
    assert "The demo Stripe is a part of m3cred." in ended.stdout
