"""``m3cred reauthorize``: a revoked credential is authorized again, under the same ID."""

import json
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from m3cred_tui.demo_stripe.grants import Account, account_of
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import Credential, StripeAccount
from m3cred_tui.store.port import CredentialStore
from tests.cli.conftest import Start
from tests.cli.creation import Environ, ended, set_up, started
from tests.cli.kept import CANARY, credential, store_of, tokens_of
from tests.e2e.terminal import ENTER
from tests.ui.visit import EMAIL, approve_only

Run = Callable[..., CompletedProcess[str]]

OTHER = "bob@bolt.example"
QUIET = ("--json", "--no-browser")
OLD_TOKEN = f"sk_test_{CANARY}_access"


@pytest.fixture
def environment(environment: Environ) -> Iterator[Environ]:
    with set_up(environment) as complete:
        yield complete


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    return store_of(tmp_path)


@pytest.fixture
def acme(store: CredentialStore) -> Credential:
    """Have a credential whose account gives no access."""
    owner = account_of(EMAIL)
    account = StripeAccount(owner.id, livemode=False, name=owner.name, country=owner.country)
    one = credential(0, "Acme", account=account)
    store.create(one, tokens_of(one))
    at = datetime(2026, 11, 21, tzinfo=UTC)
    store.checks.keep({one.id: CheckResult(Outcome.REVOKED, at, "Access was revoked.")})
    return one


def begun(environment: Environ, *more: str) -> dict[str, Any]:
    command = ("reauthorize", "Acme", "--begin", "--json", *more)
    status, (begin,), errors = ended(environment, *command)
    assert status == 0, errors
    return begin


def completed(
    environment: Environ, begin: dict[str, Any], *agreed: str, email: str = EMAIL
) -> tuple[int, dict[str, Any]]:
    given = approve_only(begin["url"], email)
    complete = ("reauthorize", "--complete", begin["id"], "--json", *agreed)
    status, (end,), _ = ended(environment, *complete, given=given)
    return status, end


def described(account: Account) -> str:
    """Return the account as a sentence names it, without the end of a name told in full."""
    return f"{account.id} ({account.name.removesuffix(' Ltd')}"


def access_token(store: CredentialStore, credential_id: str) -> str:
    token = store.tokens(credential_id).access_token
    return token.reveal() if token else ""


def test_begin_and_complete_leave_id_and_name_and_the_check_that_found_it_revoked_is_over(
    environment: Environ, store: CredentialStore, acme: Credential, m3cred: Run
) -> None:
    begin = begun(environment)
    assert (begin["renews"], begin["name"]) == (acme.id, "Acme")
    assert begin["id"] != acme.id
    assert access_token(store, acme.id) == OLD_TOKEN
    status, end = completed(environment, begin, "--yes")  # the same account as before
    assert (status, end["error"], end["credential"]["id"]) == (0, None, acme.id)
    assert store.ids() == [acme.id]
    assert access_token(store, acme.id) != OLD_TOKEN
    (row,) = json.loads(m3cred("list", "--json").stdout)["credentials"]
    assert (row["name"], row["effectiveStatus"]) == ("Acme", "authenticated")
    again = m3cred("reauthorize", "--complete", begin["id"], "--yes")
    assert again.stderr == "It was authorized again before; nothing was changed.\n"
    assert again.stdout == f"“Acme” is authorized again: {acme.id}\n"


def test_another_account_is_refused_in_a_script_unless_it_is_named(
    environment: Environ, store: CredentialStore, acme: Credential
) -> None:
    begin = begun(environment)
    before, after = account_of(EMAIL), account_of(OTHER)
    status, end = completed(environment, begin, "--yes", email=OTHER)
    assert (status, end["error"]["code"]) == (1, "OtherAccount")
    for account in (before, after):
        assert described(account) in end["error"]["message"]
    go_on = f"m3cred resume {begin['id']} --expect-account {after.id}"
    assert end["error"]["message"].endswith(f"to replace the account: {go_on}")
    assert (end["credential"]["id"], end["credential"]["status"]) == (begin["id"], "pending")
    assert end["credential"]["renews"] == acme.id
    assert access_token(store, acme.id) == OLD_TOKEN
    status, (end,), _ = ended(environment, *go_on.split()[1:], "--json")
    assert status == 0
    assert (end["credential"]["id"], end["credential"]["account"]["id"]) == (acme.id, after.id)
    assert access_token(store, acme.id) != OLD_TOKEN


@pytest.mark.long
def test_what_expect_account_names_and_is_not_approved_changes_nothing(
    environment: Environ, store: CredentialStore, acme: Credential
) -> None:
    expected = ("--expect-account", account_of(EMAIL).id)
    status, end = completed(environment, begun(environment), *expected, email=OTHER)
    assert (status, end["error"]["code"]) == (1, "UnexpectedAccount")
    assert "so nothing was changed" in end["error"]["message"]
    assert access_token(store, acme.id) == OLD_TOKEN


@pytest.mark.long
def test_a_pending_renewal_does_not_make_its_name_ambiguous(
    environment: Environ, acme: Credential, m3cred: Run
) -> None:
    begin = begun(environment)
    assert json.loads(m3cred("show", "Acme", "--json").stdout)["credential"]["id"] == acme.id
    listed = json.loads(m3cred("list", "--json").stdout)["credentials"]
    assert [(row["id"], row["renews"]) for row in listed] == [
        (begin["id"], acme.id),
        (acme.id, None),
    ]
    assert f"UTC, to authorize {acme.id} again" in m3cred("list").stdout
    assert m3cred("rename", "Acme", "Acme 2").returncode == 0
    assert (
        m3cred("doctor", "--offline").stdout.count(
            "The request to authorize “Acme” again waits"
        )
        == 1
    )
    told = m3cred("delete", begin["id"], "--yes").stdout
    assert told == "The request to authorize “Acme” again was deleted from this computer.\n"


@pytest.mark.long
def test_killed_while_it_waits_it_is_resumed_by_the_same_command(
    environment: Environ, store: CredentialStore, acme: Credential
) -> None:
    with started(environment, "reauthorize", "Acme", *QUIET) as command:
        first = command.object()
        command.process.send_signal(signal.SIGKILL)
        command.end()
    with started(environment, "reauthorize", "Acme", *QUIET, "--yes") as command:
        assert {**command.object(), "shortUrl": None} == {**first, "shortUrl": None}
        command.write(f"{approve_only(first['url'])}\n")
        assert command.object()["credential"]["id"] == acme.id
        assert command.end()[0] == 0
    assert "“Acme” waits for Stripe until" in command.errors
    assert store.ids() == [acme.id]


@pytest.mark.long
def test_what_was_deleted_meanwhile_becomes_a_new_credential_only_when_asked_to(
    environment: Environ, store: CredentialStore, acme: Credential
) -> None:
    begin = begun(environment)
    store.delete(acme.id)
    status, end = completed(environment, begin, "--yes")
    assert (status, end["error"]["code"]) == (1, "RenewedGone")
    assert end["error"]["message"].endswith(
        f"with another ID. To create that: m3cred resume {begin['id']} --name Acme"
    )
    status, (end,), _ = ended(
        environment, "resume", begin["id"], "--name", "Acme", "--yes", "--json"
    )
    assert (status, end["credential"]["id"]) == (0, begin["id"])
    assert (end["credential"]["renews"], store.ids()) == (None, [begin["id"]])


@pytest.mark.long
def test_a_name_is_not_changed_on_the_way(environment: Environ, acme: Credential) -> None:
    begin = begun(environment)
    name = ("resume", begin["id"], "--name", "Bolt", "--json")
    status, (end,), _ = ended(environment, *name)
    assert (status, end["error"]["code"]) == (1, "KeepsItsName")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name the credential, or say --complete ID."),
        (("Acme", "--complete", "x"), "name the credential, or say --complete ID."),
        (("Acme", "--begin", "--yes"), "--begin does not go with --yes"),
        (("http://127.0.0.1:27182/callback?code=ac_x",), "an address is not taken"),
    ],
    ids=["nothing", "both", "begin agreed", "address"],
)
def test_wrong_usage_is_reported_before_anything_is_asked(
    m3cred: Run, words: tuple[str, ...], told: str
) -> None:
    wrong = m3cred("reauthorize", *words)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert told in wrong.stderr


@pytest.mark.long
def test_what_is_pending_itself_is_not_authorized_again(
    environment: Environ, acme: Credential
) -> None:
    begin = begun(environment)
    status, (end,), _ = ended(environment, "reauthorize", begin["id"], "--json")
    assert (status, end["error"]["code"]) == (1, "StillPending")


@pytest.mark.long
async def test_on_a_terminal_another_account_has_a_question_that_names_both(
    start: Start, environment: Environ, store: CredentialStore, acme: Credential
) -> None:
    before, after = account_of(EMAIL), account_of(OTHER)
    async with start("reauthorize", "Acme", "--no-browser", columns=100, lines=50) as shown:
        await shown.shows("waits for your approval")
        url = next(line for line in shown.raw.decode().split() if "/oauth/authorize" in line)
        shown.press(approve_only(url, OTHER), ENTER)
        question = f"Replace {before.id} ({before.name}) by {described(after)})?"
        await shown.shows(lambda text: question in " ".join(text.split()))
        shown.press("n", ENTER)
        assert await shown.ends() == 1
    assert access_token(store, acme.id) == OLD_TOKEN
    async with start("reauthorize", "Acme", "--no-browser", columns=100, lines=50) as shown:
        await shown.shows("This is another Stripe account than before")
        shown.press("y", ENTER)
        assert await shown.ends() == 0
    assert access_token(store, acme.id) != OLD_TOKEN
    assert store.ids() == [acme.id]
