"""``m3cred create`` without a terminal, from the URL to the credential."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.demo_stripe.server import demo_stripe
from m3cred_tui.model.secret import Secret
from m3cred_tui.store import sealing
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from tests.cli.creation import (
    ENDING,
    Environ,
    ended,
    files,
    ignored,
    set_up,
    shortly_before_midnight,
    started,
)
from tests.store.light_age import wrapped_lightly
from tests.ui.visit import approve, approve_only, refuse, refuse_only
from tests.visitors import get

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from m3cred_tui.demo_stripe.description import Description

CREATE = ("create", "--name", "Acme", "--json", "--no-browser")
BEGINS = {"type", "id", "name", "destination", "url", "shortUrl", "redirectUri"} | {
    "tunnel",
    "expiresAt",
    "renews",
}


@pytest.fixture
def environment(environment: Environ) -> Iterator[Environ]:
    with set_up(environment) as complete:
        yield complete


def led_by(short_url: str) -> str:
    """Return where the short address leads."""
    return get(short_url).headers["location"]


def test_the_browser_that_comes_back_creates_it(environment: Environ) -> None:
    with started(environment, *CREATE, "--yes") as command:
        begin = command.object()
        assert begin.keys() == BEGINS
        assert begin["type"] == "begin"
        port = environment["M3CRED_STRIPE_TEST_PORTS"]
        assert begin["redirectUri"] == f"http://127.0.0.1:{port}/callback"
        assert begin["tunnel"].startswith(f"ssh -N -L {port}:127.0.0.1:{port} ")
        account = approve(led_by(begin["shortUrl"]))
        end = command.object()
        assert command.end() == (0, "")
    assert (end["type"], end["error"]) == ("end", None)
    credential = end["credential"]
    assert (credential["id"], credential["name"]) == (begin["id"], "Acme")
    assert (credential["status"], credential["destination"]) == ("authenticated", "STRIPE_TEST")
    assert credential["account"]["id"] == account.id
    assert credential["account"]["livemode"] is False
    assert "Mode            TEST" in command.errors
    assert [file.stem for file in files(environment, "credentials")] == [begin["id"]]
    assert files(environment, "pending") == []


def test_an_approval_that_comes_after_the_identity_was_protected_elsewhere_is_kept(
    environment: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "wrap", lambda plain, _: wrapped_lightly(plain, "new"))
    identity = Path(environment["XDG_CONFIG_HOME"], "m3cred", "identity.txt")
    data = Path(environment["XDG_DATA_HOME"], "m3cred")
    with started(environment, *CREATE, "--yes") as command:
        begin = command.object()
        elsewhere = IdentityFile(identity, data)
        elsewhere.protect(Secret("new"))
        approve(begin["url"])
        assert command.object()["error"] is None
        assert command.end() == (0, "")
    assert DirectoryStore(data, elsewhere).tokens(begin["id"]).scope == "read_write"


def test_an_address_on_standard_input_is_as_good_also_wrapped_and_after_a_wrong_one(
    environment: Environ,
) -> None:
    with started(environment, *CREATE, "--yes") as command:
        begin = command.object()
        command.write(f"{begin['url']}\n")
        command.told("! This is Stripe's own page.")
        address = approve_only(begin["url"])
        command.write(f"{address[:50]}\n{address[50:90]}\n{address[90:]}\n")
        assert command.object()["error"] is None
        assert command.end()[0] == 0
    code = address.partition("code=")[2].partition("&")[0]
    assert code not in command.errors


def test_a_browser_with_too_many_cookies_is_told_of_on_the_terminal(
    environment: Environ,
) -> None:
    with started(environment, *CREATE, "--yes") as command:
        redirect = command.object()["redirectUri"]
        cookies = {"Cookie": "a" * 40_000}
        assert get(redirect, headers=cookies).status_code == 431
        assert "paste the address that it shows" in command.told("A browser sent too much")


def test_without_consent_nothing_is_created_and_the_next_command_is_shown(
    environment: Environ,
) -> None:
    with started(environment, *CREATE) as command:
        begin = command.object()
        account = approve(begin["url"])
        end = command.object()
        assert command.end()[0] == 1
    assert end["error"]["code"] == "NotConfirmed"
    assert end["credential"]["status"] == "pending"
    assert end["credential"]["account"]["id"] == account.id
    way_on = f"m3cred resume {begin['id']} --expect-account {account.id}"
    assert way_on in command.errors
    assert files(environment, "credentials") == []

    status, (end,), _ = ended(environment, *way_on.split()[1:], "--json")
    assert (status, end["credential"]["status"]) == (0, "authenticated")


def test_another_account_than_the_expected_one_is_refused_and_its_approval_kept(
    environment: Environ,
) -> None:
    with started(environment, *CREATE, "--yes", "--expect-account", "acct_1Other") as command:
        approve(command.object()["url"])
        end = command.object()
        assert command.end()[0] == 1
    assert end["error"]["code"] == "UnexpectedAccount"
    assert files(environment, "credentials") == []
    assert len(files(environment, "pending")) == 1


def test_a_refusal_is_reported_and_leaves_nothing(environment: Environ) -> None:
    with started(environment, *CREATE, "--yes") as command:
        refuse(command.object()["url"])
        end = command.object()
        assert command.end()[0] == 1
    assert (end["credential"], end["error"]["code"]) == (None, "Refused")
    assert command.errors.endswith(f"m3cred: {end['error']['message']}\n")
    assert files(environment, "pending") == []


def test_a_browser_still_sees_how_it_ended_when_the_command_has_said_so(
    environment: Environ,
) -> None:
    with started(environment, *CREATE, "--yes") as command:
        redirect = get(refuse_only(command.object()["url"]))
        assert command.object()["error"]["code"] == "Refused"
        end_page = redirect.next_request
        assert end_page is not None
        assert "not approved" in get(str(end_page.url)).text
        assert command.end()[0] == 1


@pytest.mark.parametrize("number", ENDING)
@pytest.mark.quick(1)
def test_a_signal_leaves_the_request_and_says_until_when(
    environment: Environ, number: signal.Signals
) -> None:
    with started(environment, *CREATE) as command:
        begin = command.object()
        command.told("waits for your approval")
        command.process.send_signal(number)
        end = command.object()
        assert command.end()[0] == 128 + number
    assert end["error"]["code"] == "Interrupted"
    assert (end["credential"]["id"], end["credential"]["status"]) == (begin["id"], "pending")
    assert "“Acme” waits for Stripe until " in end["error"]["message"]
    assert end["error"]["message"].endswith(f"to continue: m3cred resume {begin['id']}")


def test_a_wait_that_ends_tomorrow_is_announced_with_the_date(environment: Environ) -> None:
    name, zone = shortly_before_midnight()
    with started({**environment, "TZ": name}, *CREATE) as command:
        until = datetime.fromisoformat(command.object()["expiresAt"]).astimezone(zone)
        command.told(f"waits for your approval until {until:%Y-%m-%d %H:%M} XXX.")
        command.process.terminate()
        assert f"until {until:%Y-%m-%d %H:%M} XXX; to" in command.object()["error"]["message"]


def test_what_nohup_or_a_script_has_it_ignore_does_not_end_it(environment: Environ) -> None:
    numbers = (*ENDING, signal.SIGTSTP)
    with ignored(numbers), started(environment, *CREATE, "--yes") as command:
        begin = command.object()
        command.told("waits for your approval")
        for number in numbers:
            command.process.send_signal(number)
        approve(begin["url"])
        assert command.object()["credential"]["status"] == "authenticated"
        assert command.end()[0] == 0


@pytest.mark.parametrize(
    "numbers",
    [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT)],
    ids=["Ctrl+C twice", "as a shell and a system both do"],
)
@pytest.mark.quick(1)
def test_two_signals_at_once_end_it_as_one_does(
    environment: Environ, numbers: tuple[signal.Signals, ...]
) -> None:
    with started(environment, *CREATE) as command:
        begin = command.object()
        command.told("waits for your approval")
        for number in numbers:
            command.process.send_signal(number)
        end = command.object()
        assert command.end()[0] in {128 + number for number in numbers}
    assert end["error"]["message"].endswith(f"to continue: m3cred resume {begin['id']}")
    assert "Traceback" not in command.errors


def held(
    description: "Description",
    asked: threading.Event,
    go: threading.Event,
    *,
    is_lost: bool = False,
) -> "ASGIApp":
    """Return a demo Stripe that holds its answer to an exchange, and may lose it then."""
    stripe = demo_stripe(description)

    async def serve(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["path"] == "/oauth/token":
            asked.set()
            await asyncio.to_thread(go.wait)
            if is_lost:
                await send({"type": "http.response.start", "status": 502, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        await stripe(scope, receive, send)

    return serve


def test_signals_while_stripe_answers_lose_no_approval(environment: Environ) -> None:
    asked, go = threading.Event(), threading.Event()
    with (
        set_up(environment, lambda description: held(description, asked, go)) as complete,
        started(complete, *CREATE) as command,
    ):
        address = approve_only(command.object()["url"])
        command.write(f"{address}\n")
        assert asked.wait(20)
        command.process.send_signal(signal.SIGTERM)
        sentence = "m3cred: waiting for Stripe's answer; what it approves is kept.\n"
        command.told(sentence)
        command.process.send_signal(signal.SIGINT)
        command.told(2 * sentence)
        command.process.send_signal(signal.SIGTERM)
        command.told(3 * sentence)
        command.process.send_signal(signal.SIGHUP)
        go.set()
        end = command.object()
        assert command.end()[0] == 128 + signal.SIGTERM
    assert end["error"]["code"] == "Interrupted"
    assert end["credential"]["account"] is not None
    assert "Stripe has approved acct_" in end["error"]["message"]


def test_a_signal_during_the_exchange_reports_an_account_that_was_lost(
    environment: Environ,
) -> None:
    asked, go = threading.Event(), threading.Event()
    with (
        set_up(environment, lambda of: held(of, asked, go, is_lost=True)) as complete,
        started(complete, *CREATE) as command,
    ):
        command.write(f"{approve_only(command.object()['url'])}\n")
        assert asked.wait(20)
        command.process.send_signal(signal.SIGINT)
        command.told("waiting for Stripe's answer")
        go.set()
        end = command.object()
        assert command.end()[0] == 128 + signal.SIGINT
    assert (end["credential"]["status"], end["error"]["code"]) == ("unknown", "Interrupted")
    assert "Whether Stripe has connected the account is not known." in end["error"]["message"]


def test_where_the_port_is_held_the_address_is_the_way_back(environment: Environ) -> None:
    with socket.create_server(("127.0.0.1", int(environment["M3CRED_STRIPE_TEST_PORTS"]))):
        with started(environment, *CREATE, "--yes") as command:
            begin = command.object()
            assert (begin["shortUrl"], begin["tunnel"]) == (None, None)
            command.write(approve_only(begin["url"]))  # and no line's end
            status, out = command.end()
            assert (status, json.loads(out)["error"]) == (0, None)
        status, (_, end), _ = ended(environment, *CREATE[:2], "Second", *CREATE[3:])
        assert (status, end["error"]["code"]) == (1, "InputEnded")


def test_a_name_in_use_is_refused_before_anything_is_begun(environment: Environ) -> None:
    with started(environment, *CREATE, "--yes") as command:
        approve(command.object()["url"])
        assert command.end()[0] == 0
    status, (end,), errors = ended(environment, *CREATE[:2], "  aCME ", *CREATE[3:])
    assert (status, end["error"]["code"]) == (1, "NameTaken")
    assert "already has the name" in errors
    assert files(environment, "pending") == []


@pytest.mark.parametrize("name", ["", "x" * 65, "a\x1b[2Jb", "\u202egnp"])
def test_what_no_credential_can_be_called_is_wrong_usage(
    environment: Environ, name: str
) -> None:
    status, _, errors = ended(environment, "create", "--name", name)
    assert status == 2
    assert "\x1b" not in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--name", "Acme", "http://127.0.0.1:27182/callback?code=ac_x&state=y"),
        ("create", "--complete", "http://127.0.0.1:27182/callback?code=ac_x&state=y"),
        ("resume", "code=ac_x&state=y"),
    ],
)
def test_an_address_on_the_command_line_is_refused_with_the_reason_and_not_repeated(
    environment: Environ, arguments: tuple[str, ...]
) -> None:
    status, _, errors = ended(environment, *arguments)
    assert status == 2
    assert "other users and the shell's history can see" in errors
    assert "ac_x" not in errors


@pytest.mark.parametrize("more", [("--complete", "x"), ("--yes",), ("--expect-account", "no")])
def test_what_does_not_go_together_is_wrong_usage(
    environment: Environ, more: tuple[str, ...]
) -> None:
    name = () if more[0] == "--complete" else ("--name", "Acme")
    assert ended(environment, "create", *name, "--begin", *more)[0] == 2


def test_where_both_destinations_are_set_up_it_has_to_be_said_which(
    environment: Environ,
) -> None:
    environment["M3CRED_STRIPE_CLIENT_ID"] = "ca_live"
    status, (end,), _ = ended(environment, *CREATE)
    assert (status, end["error"]["code"]) == (2, "DestinationOpen")


def test_where_nothing_is_set_up_the_ways_on_are_told(environment: Environ) -> None:
    for variable in [one for one in environment if one.startswith("M3CRED_STRIPE")]:
        del environment[variable]
    status, (end,), errors = ended(environment, *CREATE)
    assert (status, end["error"]["code"]) == (2, "DestinationOpen")
    assert "None is set up yet: see m3cred config --help" in errors
    assert "m3cred --demo" in errors


def test_a_destination_that_is_not_set_up_is_reported(environment: Environ) -> None:
    status, (end,), errors = ended(environment, *CREATE, "--destination", "stripe")
    assert (status, end["error"]["code"]) == (1, "NotSetUp")
    assert errors.startswith("m3cred: Stripe is not set up: it has no client id, ")


def test_it_works_without_the_library_that_draws_the_app(environment: Environ) -> None:
    program = (
        "import json, sys\nfrom m3cred_tui.cli.main import main\n"
        f"main({[*CREATE, '--yes']!r})\nprint(json.dumps(sorted(sys.modules)))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        approve(json.loads(process.stdout.readline())["url"])
        end, imported = map(json.loads, process.stdout.read().splitlines())
    assert end["error"] is None
    assert "m3cred_tui.authorize.service" in imported
    assert "textual" not in imported


@pytest.mark.long
def test_whatever_floods_standard_input_a_browser_and_a_signal_are_heard(
    environment: Environ,
) -> None:
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as flood:
        for ends in ("approved", "interrupted"):
            with started(
                environment, *CREATE[:2], ends, *CREATE[3:], "--yes", given=flood.stdout
            ) as command:
                url = command.object()["url"]
                if ends == "approved":
                    approve(url)
                else:
                    command.process.send_signal(signal.SIGINT)
                end = command.object()
                assert (end["error"] is None) == (ends == "approved")
                assert command.end()[0] in {0, 130}
            assert command.errors.count("! ") <= 2
        flood.kill()
