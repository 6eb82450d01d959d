import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

import pytest

from m3cred_tui.cli.commands.demo_stripe import _export
from m3cred_tui.config.settings import settings_from
from m3cred_tui.demo_stripe.description import register
from m3cred_tui.model.authorization import CALLBACK_PORTS, redirect_uri
from m3cred_tui.model.credential import STRIPE, STRIPE_TEST
from tests.cli.creation import PATIENCE, ignored
from tests.e2e.conftest import program as program_named
from tests.ports import free_port
from tests.ui.visit import approve_only
from tests.visitors import get

HTTPS = "https://m3ter.example/callback?to=$HOME"


@contextmanager
def demo_stripe(environment: dict[str, str], *arguments: str) -> Iterator["Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-m", "m3cred_tui", "demo-stripe", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def first_line(program: "Popen[str]") -> str:
    assert program.stdout is not None
    return program.stdout.readline()


def test_its_first_line_is_what_a_script_needs_and_is_true(
    environment: dict[str, str],
) -> None:
    with demo_stripe(environment) as program:
        told = json.loads(first_line(program))
        assert list(told) == [
            "connect_base",
            "api_base",
            "test",
            "live",
            "redirect_uris",
            "marketplace_base",
        ]
        assert told["marketplace_base"] == told["connect_base"]
        assert told["redirect_uris"] == [redirect_uri(port) for port in CALLBACK_PORTS]
        for mode in ("test", "live"):
            keys = told[mode]
            assert keys["client_id"].startswith("ca_")
            assert keys["secret_key"].startswith(f"sk_{mode}_")
            account = get(
                f"{told['api_base']}/v1/account",
                headers={"Authorization": f"Bearer {keys['secret_key']}"},
            )
            assert account.status_code == 200


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)], ids=str
)
def test_it_ends_on_a_signal_without_another_word(
    environment: dict[str, str], number: signal.Signals, status: int
) -> None:
    with demo_stripe(environment) as program:
        first_line(program)
        program.send_signal(number)
        rest = program.communicate(timeout=30)
        assert (program.returncode, *rest) == (status, "", "")


def test_what_nohup_or_a_script_has_it_ignore_does_not_end_it(
    environment: dict[str, str],
) -> None:
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
    with ignored(numbers), demo_stripe(environment) as program:
        api_base = json.loads(first_line(program))["api_base"]
        for number in numbers:
            program.send_signal(number)
        assert get(f"{api_base}/v1/account").status_code == 401
        program.terminate()
        assert program.wait(30) == 0


@pytest.mark.parametrize("apart", range(0, 2000, 250))
@pytest.mark.quick(2)
def test_it_ends_on_two_signals_in_a_row(environment: dict[str, str], apart: int) -> None:
    with demo_stripe(environment) as program:
        first_line(program)
        os.kill(program.pid, signal.SIGINT)
        for _ in range(apart):  # some microseconds, to meet it at another point each time
            pass
        os.kill(program.pid, signal.SIGTERM)
        rest = program.communicate(timeout=30)
        # The system may deliver the later one first, or only after the server has ended.
        assert program.returncode in {130, 0, -signal.SIGTERM}
        assert rest == ("", "")


def test_a_shell_takes_its_lines_as_the_settings_of_both_destinations(
    capsys: pytest.CaptureFixture[str], environment: dict[str, str]
) -> None:
    stripe = register("http://127.0.0.1:1234", [redirect_uri(27182), HTTPS])
    _export(stripe)
    script = f"{capsys.readouterr().out}env -0"
    out = subprocess.run(["/bin/sh", "-c", script], env=environment, stdout=PIPE, check=True)
    given = dict(one.split("=", 1) for one in out.stdout.decode().split("\0") if one)
    settings = settings_from(given)
    for destination, keys in ((STRIPE_TEST, stripe.test), (STRIPE, stripe.live)):
        platform = settings.platform(destination)
        assert platform.client_id == keys.client_id
        assert platform.secret_key.reveal() == keys.secret_key.reveal()
        bases = (platform.connect_base, platform.api_base, platform.marketplace_base)
        assert set(bases) == {"http://127.0.0.1:1234"}
    assert settings.redirects(STRIPE_TEST) == (CALLBACK_PORTS, None)
    assert settings.redirects(STRIPE).redirect_uri == HTTPS


@pytest.mark.long
@pytest.mark.parametrize("destination", ["stripe_test", "stripe"])
@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
def test_what_is_created_in_a_shell_with_its_lines_is_listed_there(
    environment: dict[str, str], shell: str, destination: str
) -> None:
    with demo_stripe(environment, "--env", "--redirect-uri", HTTPS) as program:
        assert program.stdout is not None
        lines = "".join(program.stdout.readline() for _ in range(12))

        def run(command: str, given: str = "") -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [
                    program_named(shell),
                    "-c",
                    f"{lines}{sys.executable} -m m3cred_tui {command}",
                ],
                env=environment,
                input=given,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )

        begun = run(f"create --name Acme --destination {destination} --begin --json")
        assert begun.returncode == 0, begun.stderr
        begin = json.loads(begun.stdout)
        address = approve_only(begin["url"])
        assert address.startswith(HTTPS if destination == "stripe" else "http://127.0.0.1:")
        completed = run(f"create --complete {begin['id']} --yes", f"{address}\n")
        assert completed.returncode == 0, completed.stderr
        (listed,) = json.loads(run("list --json").stdout)["credentials"]
        assert (listed["name"], listed["status"]) == ("Acme", "authenticated")


def test_the_port_is_the_one_asked_for(environment: dict[str, str]) -> None:
    port = free_port()
    with demo_stripe(environment, "--port", str(port)) as program:
        assert json.loads(first_line(program))["connect_base"] == f"http://127.0.0.1:{port}"


def test_a_port_that_another_program_has_is_one_sentence_and_status_1(
    environment: dict[str, str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with demo_stripe(environment, "--port", str(port)) as program:
            out, error = program.communicate(timeout=30)
            assert (program.returncode, out) == (1, "")
            assert str(port) in error
            assert error.count("\n") == 1
            assert "Traceback" not in error


def test_live_mode_by_https_can_be_rehearsed(environment: dict[str, str]) -> None:
    uri = "https://m3ter.example/callback"
    options = ["--require-https", "--redirect-uri", uri, "--redirect-uri", f"{uri}/2"]
    with demo_stripe(environment, *options) as program:
        told = json.loads(first_line(program))
        own = [redirect_uri(port) for port in CALLBACK_PORTS]
        assert told["redirect_uris"] == [*own, uri, f"{uri}/2"]
        for wanted, status in ((own[0], 400), (uri, 200), (f"{uri}/2", 200)):
            query = {
                "client_id": told["live"]["client_id"],
                "response_type": "code",
                "redirect_uri": wanted,
            }
            page = get(f"{told['connect_base']}/oauth/authorize", params=query)
            assert page.status_code == status


@pytest.mark.parametrize(
    "wrong",
    [
        ["--redirect-uri", "callback"],
        ["--redirect-uri", "https://[m3ter"],
        ["--redirect-uri", "https://m3ter.example/#x"],
        ["--token-seconds", "0"],
        ["--token-seconds", "-1"],
        ["--token-seconds", "x"],
        ["--token-seconds", "9" * 9],
    ],
)
def test_a_wrong_option_is_wrong_usage(environment: dict[str, str], wrong: list[str]) -> None:
    with demo_stripe(environment, *wrong) as program:
        out, error = program.communicate(timeout=30)
        assert (program.returncode, out) == (2, "")
        assert f"argument {wrong[0]}" in error
        assert "Traceback" not in error
