"""Start and stop, in the background of the app and as a command."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.demo_stripe.server import PortUnusable, background_demo_stripe
from m3cred_tui.model.authorization import CALLBACK_PORTS, redirect_uri
from tests.visitors import get

REDIRECT_URIS = ["http://127.0.0.1:27182/callback"]


def _command(port: int = 0) -> list[str]:
    return [sys.executable, "-m", "m3cred_tui", "demo-stripe", "--port", str(port)]


@contextmanager
def _running() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    with subprocess.Popen(
        _command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def _get(base: str) -> int:
    return get(f"{base}/v1/account").status_code


def test_the_first_line_is_the_contracts_json() -> None:
    with _running() as (_process, description):
        assert list(description) == [
            "connect_base",
            "api_base",
            "test",
            "live",
            "redirect_uris",
            "marketplace_base",
        ]
        for mode in ("test", "live"):
            keys = description[mode]
            assert list(keys) == ["client_id", "secret_key"]
            assert keys["client_id"].startswith("ca_")
            assert keys["secret_key"].startswith(f"sk_{mode}_")
        assert description["redirect_uris"] == [redirect_uri(port) for port in CALLBACK_PORTS]
        assert _get(description["connect_base"]) == 401


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
@pytest.mark.parametrize("visited", [True, False])
@pytest.mark.quick(1)
def test_a_signal_ends_it_cleanly(
    number: signal.Signals, status: int, *, visited: bool
) -> None:
    with _running() as (process, description):
        if visited:
            _get(description["api_base"])
        process.send_signal(number)

        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == status


def test_a_taken_port_is_one_sentence_and_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            _command(port), check=False, capture_output=True, text=True, timeout=20
        )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"m3cred: The demo Stripe cannot listen on port {port}: "
        "another program uses it; choose another port.\n"
    )


def test_a_port_that_does_not_exist_is_a_sentence_too() -> None:
    with pytest.raises(PortUnusable, match="65535"), background_demo_stripe([], 70_000):
        pass


def test_only_this_machine_can_connect() -> None:
    with background_demo_stripe(REDIRECT_URIS) as description:
        port = int(description.api_base.rpartition(":")[2])
        # All of 127/8 is this machine's; a listener on every interface would answer here.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=5)


@pytest.mark.parametrize("visited", [True, False])
def test_the_port_and_the_thread_are_gone_afterwards(*, visited: bool) -> None:
    before = threading.active_count()
    with background_demo_stripe(REDIRECT_URIS) as description:
        if visited:
            _get(description.api_base)
    with pytest.raises(httpx.ConnectError):
        _get(description.api_base)
    assert threading.active_count() == before


@pytest.mark.long
def test_a_browser_that_stays_connected_does_not_hold_up_the_end() -> None:
    half = b"POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n"
    with _running() as (process, description):
        port = int(description["api_base"].rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port)),
            socket.create_connection(("127.0.0.1", port)) as halfway,
        ):
            halfway.sendall(half)
            _get(description["api_base"])
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0


def test_the_server_writes_and_logs_nothing_even_when_it_breaks(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_scope: object, _receive: object, _send: object) -> None:
        raise RuntimeError("code=ac_secret")

    with background_demo_stripe(REDIRECT_URIS, make_app=lambda _: broken) as description:
        assert _get(description.api_base) == 500
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


def test_nothing_heavy_is_imported_before_the_first_visit() -> None:
    program = (
        "import sys\n"
        "from m3cred_tui.demo_stripe.server import background_demo_stripe\n"
        f"with background_demo_stripe({REDIRECT_URIS!r}):\n"
        "    heavy = {'starlette', 'uvicorn', 'anyio', 'asyncio'} & sys.modules.keys()\n"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=20
    )

    assert (ended.returncode, ended.stderr) == (0, "")


def test_keys_are_never_the_same_and_never_shown() -> None:
    with (
        background_demo_stripe(REDIRECT_URIS) as one,
        background_demo_stripe(REDIRECT_URIS) as two,
    ):
        secrets = {
            keys.secret_key.reveal() for each in (one, two) for keys in (each.test, each.live)
        }
        assert len(secrets) == 4
        assert not [secret for secret in secrets if secret in repr((one, two))]


@pytest.mark.parametrize(
    "uri",
    [
        "callback",
        "ftp://127.0.0.1/",
        "javascript:alert(1)",
        "http:///callback",
        "http://127.0.0.1/#fragment",
        "http://127.0.0.1; script-src *",
    ],
)
def test_an_invalid_redirect_uri_cannot_be_registered(uri: str) -> None:
    with pytest.raises(ValueError, match="redirect URI"), background_demo_stripe([uri]):
        pass


def test_the_description_is_one_line() -> None:
    with background_demo_stripe(REDIRECT_URIS) as description:
        assert isinstance(description, Description)
        assert "\n" not in description.to_json()
