"""``m3cred show``: one credential, by name or ID, without secrets unless asked for."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from m3cred_tui.cli.selecting import LEAST_PART
from m3cred_tui.model.credential import M3TER_MUST_KNOW, Status, StripeAccount
from tests.cli.kept import CANARY, credential, keep, keep_pending, store_of, tokens_of
from tests.e2e.terminal import ENTER, Terminal, terminal
from tests.store.light_age import wrapped_lightly

if TYPE_CHECKING:
    from m3ter.types import IntegrationConfigurationCreateParams

Run = Callable[..., CompletedProcess[str]]
Start = Callable[..., AbstractAsyncContextManager[Terminal]]

NAMES = ["Acme production", "Acme test", "日本語の請求"]
PASSPHRASE = "horse"
PENDING_ID = "019cb73d-3593-7000-8000-00000000000a"


@pytest.fixture
def start(environment: dict[str, str]) -> Start:
    @asynccontextmanager
    async def run(*arguments: str) -> AsyncIterator[Terminal]:
        command = [sys.executable, "-m", "m3cred_tui", *arguments]
        environ = {**environment, "LANG": "C.UTF-8"}
        async with terminal(command, environ, columns=160, lines=40) as shown:
            yield shown

    return run


def error_of(ended: CompletedProcess[str]) -> dict[str, Any]:
    assert ended.returncode == 1
    error: dict[str, Any] = json.loads(ended.stdout)["error"]
    assert ended.stderr == f"m3cred: {error['message']}\n"
    return error


@pytest.mark.parametrize(
    "called", ["name", "id", "ID", "prefix", "end", "short", "account", "spaces"]
)
@pytest.mark.quick(3)
def test_a_credential_is_known_by_name_account_id_and_either_end_of_its_id(
    m3cred: Run, tmp_path: Path, called: str
) -> None:
    one = keep(tmp_path, NAMES)[1]
    words = {
        "name": one.name,
        "id": one.id,
        "ID": one.id.upper(),
        "prefix": one.id[:13],
        "end": one.id[-4:],
        "short": f"…{one.id[-8:]}",  # as the list shows it
        "account": "acct_1Acme1",
        "spaces": f"  {one.name.replace(' ', '   ')} ",
    }
    told = json.loads(m3cred("show", words[called], "--json").stdout)
    assert told["credential"]["id"] == one.id


def test_an_unknown_name_is_reported_with_the_nearest(m3cred: Run, tmp_path: Path) -> None:
    keep(tmp_path, NAMES)
    for word in ("Acme prodction", "acme production", "ACME PRODUCTION"):
        error = error_of(m3cred("show", word, "--json"))
        assert error["code"] == "UnknownCredential"
        meant = f"There is no credential “{word}”; did you mean “Acme production”?"
        assert error["message"] == meant
    error = error_of(m3cred("show", "quite another", "--json"))
    assert error["message"] == "There is no credential “quite another”; see m3cred list."


def test_an_ambiguous_word_is_reported_with_each_match_and_none_is_guessed(
    m3cred: Run, tmp_path: Path
) -> None:
    kept = keep(tmp_path, ["Twin", "Twin", "Other"])
    error = error_of(m3cred("show", "Twin", "--json"))
    assert error["code"] == "AmbiguousCredential"
    assert error["message"] == (
        "“Twin” may be any of 2 credentials; say which one by its ID: "
        f"{kept[1].id} (“Twin”), {kept[0].id} (“Twin”)."
    )
    error = error_of(m3cred("show", kept[0].id[:5], "--json"))
    assert error["code"] == "AmbiguousCredential"
    assert "any of 3 credentials" in error["message"]


def test_an_account_with_several_credentials_is_reported_with_their_names(
    m3cred: Run, tmp_path: Path
) -> None:
    keep(tmp_path, NAMES, account=StripeAccount("acct_1Same", livemode=False))
    error = error_of(m3cred("show", "acct_1Same", "--json"))
    assert error["code"] == "AmbiguousCredential"
    assert all(f"(“{name}”)" in error["message"] for name in NAMES)


def test_credentials_that_the_account_has_already_are_named_at_the_approval(
    m3cred: Run, tmp_path: Path
) -> None:
    account = StripeAccount("acct_1Same", livemode=False)
    keep(tmp_path, NAMES[:2], account=account)
    waits = credential(9, "Third", account=account)._replace(status=Status.PENDING)
    store_of(tmp_path).keep_pending(waits, tokens_of(waits))
    told = m3cred("resume").stderr
    names = "“Acme test”, “Acme production”"
    assert f"There are 2 credentials for this account in test mode already: {names}." in told


def test_the_account_is_linked_in_the_dashboard_of_its_mode(
    m3cred: Run, tmp_path: Path
) -> None:
    keep(tmp_path, NAMES)
    connected = "https://dashboard.stripe.com/test/connect/accounts/acct_1Acme0"
    live = "https://dashboard.stripe.com/connect/accounts/acct_1Acme1"
    assert f"At Stripe:       {connected}\n" in m3cred("show", "acct_1Acme0").stdout
    assert json.loads(m3cred("show", "acct_1Acme1", "--json").stdout)["dashboardUrl"] == live
    apps = {"M3CRED_STRIPE_TEST_OAUTH": "apps"}
    own = "https://dashboard.stripe.com/acct_1Acme0/test/dashboard"
    assert own in m3cred("show", "acct_1Acme0", **apps).stdout
    keep(tmp_path, ["Rehearsal"], demo=True)
    assert "dashboard.stripe.com" not in m3cred("--demo", "show", "Rehearsal").stdout


def test_a_name_that_is_also_the_start_of_another_id_is_ambiguous(
    m3cred: Run, tmp_path: Path
) -> None:
    begins = keep(tmp_path / "other", ["first"])[0].id[:13]
    kept = keep(tmp_path, ["first", begins])
    error = error_of(m3cred("show", begins, "--json"))
    assert error["code"] == "AmbiguousCredential"
    assert all(one.id in error["message"] for one in kept)


def test_a_few_characters_are_not_taken_for_an_id(m3cred: Run, tmp_path: Path) -> None:
    one = keep(tmp_path, ["first"])[0]
    assert m3cred("show", one.id[:LEAST_PART]).returncode == 0
    error = error_of(m3cred("show", one.id[: LEAST_PART - 1], "--json"))
    assert error["code"] == "UnknownCredential"


def test_control_characters_are_shown_harmlessly(m3cred: Run, tmp_path: Path) -> None:
    keep(tmp_path, NAMES)
    ended = m3cred("show", "\x1b]0;canary\a\u202e")
    assert ended.returncode == 1
    assert "\x1b" not in ended.stderr
    assert "\u202e" not in ended.stderr


def test_it_shows_everything_but_the_secrets(m3cred: Run, tmp_path: Path) -> None:
    keep(tmp_path, NAMES)
    ended = m3cred("show", "Acme test")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Stripe account:  Acme Ltd\n" in ended.stdout
    assert "Account ID:      acct_1Acme1\n" in ended.stdout
    assert "Mode:            LIVE\n" in ended.stdout
    assert "Sealed part:     opened, agrees with the fields above\n" in ended.stdout
    assert CANARY not in ended.stdout + m3cred("show", "Acme test", "--json").stdout


def test_what_goes_into_m3ter_is_what_its_official_client_sends(
    m3cred: Run, tmp_path: Path
) -> None:
    from m3ter.types import IntegrationConfigurationCreateParams  # noqa: PLC0415 - slow

    one = keep(tmp_path, NAMES)[1]
    fields = json.loads(m3cred("show", one.name, "--integration").stdout)
    # A field of another name, or one that is missing, is a mistake to mypy here.
    params = IntegrationConfigurationCreateParams(
        name=fields["name"],
        entity_type=fields["entityType"],
        destination=fields["destination"],
        integration_credentials_id=fields["integrationCredentialsId"],
    )
    assert sent_by_official_client(params) == fields
    assert fields["integrationCredentialsId"] == one.id
    shown = m3cred("show", one.name).stdout
    assert json.loads(shown[shown.index("{") :]) == fields


def sent_by_official_client(params: "IntegrationConfigurationCreateParams") -> object:
    from m3ter import M3ter  # noqa: PLC0415 - slow

    sent: list[bytes] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(200, json={})

    client = M3ter(
        api_key="key",
        api_secret="secret",
        token="token",
        org_id="org",
        http_client=httpx.Client(transport=httpx.MockTransport(take)),
    )
    client.integration_configurations.create(**params)
    return json.loads(sent[-1])


def test_what_is_pending_goes_into_nothing_yet(m3cred: Run, tmp_path: Path) -> None:
    keep_pending(tmp_path, "Waits", since=timedelta(minutes=1))
    told = json.loads(m3cred("show", "Waits", "--json").stdout)
    assert told["integrationConfiguration"] is None
    assert "Integration Configuration" not in m3cred("show", "Waits").stdout
    for option in ("--integration", "--reveal-to-pipe"):
        error = error_of(m3cred("show", "Waits", option, "--json"))
        assert error["code"] == "StillPending"


def test_what_is_approved_and_not_created_has_no_integration_fields(
    m3cred: Run, tmp_path: Path
) -> None:
    (one,) = keep(tmp_path, ["Acme"])
    store = store_of(tmp_path)
    approved = one._replace(id=PENDING_ID, status=Status.PENDING)
    store.keep_pending(approved._replace(name="Waits"), tokens_of(one))
    assert "Integration" not in m3cred("show", "Waits").stdout
    assert (
        error_of(m3cred("show", "Waits", "--integration", "--json"))["code"] == "StillPending"
    )


def test_a_damaged_credential_is_reported_with_the_reason(m3cred: Run, tmp_path: Path) -> None:
    one = keep(tmp_path, NAMES)[0]
    (tmp_path / "data" / "m3cred" / "credentials" / f"{one.id}.json").write_text("{")
    error = error_of(m3cred("show", one.id, "--json"))
    assert error["code"] == "CredentialDamaged"


def test_tokens_go_to_a_pipe_only_by_the_option_that_says_so(
    m3cred: Run, tmp_path: Path
) -> None:
    keep(tmp_path, NAMES)
    error = error_of(m3cred("show", "Acme test", "--reveal", "--json"))
    assert error["code"] == "SecretsToNoTerminal"
    assert CANARY not in m3cred("show", "Acme test", "--reveal").stdout
    told = json.loads(m3cred("show", "Acme test", "--reveal-to-pipe", "--json").stdout)
    assert told["tokens"]["accessToken"] == f"sk_test_{CANARY}_access"
    assert told["tokens"]["refreshToken"] == f"rt_{CANARY}_refresh"


async def test_tokens_go_to_a_terminal(start: Start, tmp_path: Path) -> None:
    keep(tmp_path, NAMES)
    async with start("show", "Acme test", "--reveal") as shown:
        assert await shown.ends() == 0
        assert f"sk_test_{CANARY}_access" in shown.text


class TestUnderAPassphrase:
    @pytest.fixture(autouse=True)
    def locked(self, tmp_path: Path) -> None:
        keep(tmp_path, NAMES)
        identity = tmp_path / "config" / "m3cred" / "identity.txt"
        identity.write_bytes(wrapped_lightly(identity.read_bytes(), PASSPHRASE))

    def test_it_is_shown_without_and_says_that_it_was_not_opened(self, m3cred: Run) -> None:
        ended = m3cred("show", "Acme test")
        assert ended.returncode == 0
        assert "Sealed part:     not opened: The identity" in ended.stdout
        told = json.loads(m3cred("show", "Acme test", "--json").stdout)
        assert told["sealedPart"]["error"]["code"] == "IdentityLocked"

    def test_a_script_gives_it_by_a_descriptor(self, environment: dict[str, str]) -> None:
        ended = subprocess.run(
            [sys.executable, "-m", "m3cred_tui", "--passphrase-fd=0", "show", "Acme test"],
            env=environment,
            input=f"{PASSPHRASE}\n",
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "opened, agrees" in ended.stdout

    async def test_it_is_asked_for_where_tokens_are_wanted(self, start: Start) -> None:
        async with start("show", "Acme test", "--reveal") as shown:
            await shown.shows("Passphrase of the identity:")
            shown.press(PASSPHRASE, ENTER)
            assert await shown.ends() == 0
            assert f"sk_test_{CANARY}_access" in shown.text
            assert PASSPHRASE.encode() not in shown.raw

    def test_no_passphrase_is_asked_for_before_it_is_clear_that_tokens_may_be_shown(
        self, m3cred: Run
    ) -> None:
        error = error_of(m3cred("show", "Acme test", "--reveal", "--json"))
        assert error["code"] == "SecretsToNoTerminal"


def test_several_are_shown_one_after_another_and_an_unknown_one_fails_alone(
    m3cred: Run, tmp_path: Path
) -> None:
    one, two = keep(tmp_path, ["Acme", "Bolt"])
    ended = m3cred("show", "Acme", "Wrench", two.id)
    assert ended.returncode == 1
    assert ended.stderr == "m3cred: There is no credential “Wrench”; see m3cred list.\n"
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert [line[1] for line in lines if line[:1] == ["Name:"]] == ["Acme", "Bolt"]
    ended = m3cred("show", "Acme", "Bolt", "--integration")
    ids = [
        json.loads(f"{text}}}")["integrationCredentialsId"]
        for text in ended.stdout.split("}\n")[:-1]
    ]
    assert (ended.returncode, ids) == (0, [one.id, two.id])


async def test_on_a_terminal_the_fields_come_with_what_m3ter_must_know(
    start: Start, tmp_path: Path
) -> None:
    (one,) = keep(tmp_path, ["Acme"])
    async with start("show", "--integration", "Acme") as shown:
        await shown.shows(M3TER_MUST_KNOW)
        await shown.shows(one.id)
        assert await shown.ends() == 0


def test_in_a_pipe_the_fields_come_alone_and_without_the_option_with_the_sentence(
    m3cred: Run, tmp_path: Path
) -> None:
    keep(tmp_path, ["Acme"])
    assert m3cred("show", "--integration", "Acme").stderr == ""
    assert M3TER_MUST_KNOW in m3cred("show", "Acme").stdout
