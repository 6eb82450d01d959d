"""Authorizing a credential again, by a in the list and in the details."""

import pytest

from m3cred_tui.authorize.journal import pending_credential
from m3cred_tui.authorize.renewal import draft_to_renew
from m3cred_tui.demo_stripe.grants import account_of
from m3cred_tui.model.authorization import TIME_LIMIT, AuthorizationRequest
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import Credential, StripeAccount
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Browser, Clock, Keep
from tests.ui.test_ui_details import to_details
from tests.ui.user import User, opened
from tests.ui.visit import EMAIL

OTHER = "bob@bolt.example"


@pytest.fixture
def acme(keep: Keep, store: CredentialStore, clock: Clock) -> Credential:
    """Have a credential of the visitor's account, which its last check found revoked."""
    owner = account_of(EMAIL)
    account = StripeAccount(owner.id, livemode=False, name=owner.name, country=owner.country)
    one = keep("Acme", account=account)
    told = "Access was revoked at Stripe."
    store.checks.keep({one.id: CheckResult(Outcome.REVOKED, clock(), told)})
    clock.forward(minutes=1)
    return one


def access_token(store: CredentialStore, credential_id: str) -> str:
    token = store.tokens(credential_id).access_token
    return token.reveal() if token else ""


async def approves(user: User, browser: Browser, email: str = EMAIL) -> None:
    """Go from stage 4 to the account."""
    await user.focuses("Go to Stripe")
    await user.press("enter")
    await user.until(lambda: browser.opened)
    await browser.approve(email)
    await user.sees("✓ Approved.")


@pytest.mark.quick(1)
async def test_a_revoked_credential_is_authorized_again_under_its_id_and_is_ok_after_that(
    services: Services, acme: Credential, store: CredentialStore, browser: Browser
) -> None:
    async with opened(services) as user:
        await user.resize(60, 20)
        await user.sees("✗ revoked", "a Authorize again d Delete")
        await user.resize(80, 24)
        await user.press("a")
        await user.sees("Credentials › Acme › Authorize again", "Authorize Acme again: Bill")
        await user.sees(f"is for the account {account_of(EMAIL).name}, {account_of(EMAIL).id}")
        await approves(user, browser)
        await user.sees(
            "It is the same account as before.", "“Acme” keeps its Credential ID, and its old"
        )
        assert access_token(store, acme.id) == "sk_canary"
        await user.focuses("Use the new approval")
        await user.press("enter")
        await user.focuses("CredentialList")
        await user.sees("▌Acme", "✓ authenticated")
        assert user.rows() == ["Acme"]
        await user.sees("“Acme” is authorized again. “Acme”: ok")
        await user.until(lambda: not user.shows("a Authorize again"))
    assert store.ids() == [acme.id]
    assert access_token(store, acme.id) != "sk_canary"
    assert store.checks.read()[acme.id].outcome is Outcome.OK


async def test_another_account_is_replaced_only_after_a_question_that_names_both(
    services: Services, acme: Credential, store: CredentialStore, browser: Browser
) -> None:
    before, after = account_of(EMAIL), account_of(OTHER)
    async with opened(services) as user:
        await user.press("a")
        await approves(user, browser, OTHER)
        await user.sees("This is another Stripe account than before")
        await user.focuses("Replace the account")
        await user.press("enter")
        await user.until(lambda: user.page == "Confirm")
        await user.sees(f"Replace {before.id}", after.id)
        await user.press("enter")  # the safe answer
        await user.focuses("Replace the account")
        assert access_token(store, acme.id) == "sk_canary"
        await user.press("enter")
        await user.answers_yes()
        await user.focuses("CredentialList")
    row = store.read(acme.id)
    assert isinstance(row, Credential)
    assert row.account is not None
    assert row.account.id == after.id


async def test_left_after_the_approval_it_is_resumed_by_a_and_by_enter(
    services: Services, acme: Credential, store: CredentialStore, browser: Browser
) -> None:
    async with opened(services) as user:
        await user.press("a")
        await approves(user, browser)
        await user.press("escape")  # past the stages that cannot be changed, without a question
        await user.focuses("CredentialList")
        await user.sees("… pending again", "✗ revoked")
        assert user.rows() == ["Acme", "Acme"]
        await user.press("end", "a")
        await user.focuses("Use the new approval")
        await user.press("escape")
        await user.focuses("CredentialList")
        await user.press("home", "d")
        await user.sees(
            "Delete the request to authorize “Acme” again?", "The credential stays as it is"
        )
        await user.press("escape")
        await user.focuses("CredentialList")
        await user.press("home", "enter")
        await user.focuses("Use the new approval")
        await user.press("enter")
        await user.until(lambda: user.page == "CredentialsPage" and user.rows() == ["Acme"])
    assert store.ids() == [acme.id]
    assert len(browser.opened) == 1


async def test_the_details_offer_it_and_lead_to_it(
    services: Services, acme: Credential
) -> None:
    async with opened(services) as user:
        await to_details(user)
        await user.sees("Access was revoked at Stripe. Press a to authorize again.")
        await user.press("a")
        await user.sees("Credentials › Acme › Authorize again")
        await user.focuses("Go to Stripe")
        await user.press("left", "up", "enter")  # no stage before can be chosen
        await user.press("escape")
        await user.focuses("CredentialList")


async def test_what_was_deleted_meanwhile_becomes_a_new_credential_from_the_approval(
    services: Services, acme: Credential, store: CredentialStore, browser: Browser
) -> None:
    async with opened(services) as user:
        await user.press("a")
        await approves(user, browser)
        store.delete(acme.id)
        await user.focuses("Use the new approval")
        await user.press("enter")
        await user.sees("“Acme” was deleted while it was authorized again.")
        await user.focuses("Create Credential")
        await user.press("enter")
        await user.focuses("CredentialList")
    (created,) = store.ids()
    assert created != acme.id
    row = store.read(created)
    assert isinstance(row, Credential)
    assert (row.name, row.renews) == ("Acme", None)


async def test_a_request_that_expires_leaves_the_credential_as_it_was(
    services: Services, acme: Credential, store: CredentialStore, clock: Clock
) -> None:
    waits = pending_credential(
        draft_to_renew(acme), created_at=clock(), created_by="ann", randomness=bytes(10)
    )
    uri = "http://127.0.0.1:27182/callback"
    request = AuthorizationRequest(Secret("state"), uri, clock() + TIME_LIMIT)
    store.requests.keep(waits, request)
    clock.forward(minutes=11)
    async with opened(services) as user:
        await user.sees("“Acme” was not approved in ten minutes and stays as it was.")
        await user.until(lambda: user.rows() == ["Acme"])
    assert store.ids() == [acme.id]


async def test_a_check_that_finds_it_revoked_says_which_key_helps(
    services: Services, acme: Credential
) -> None:
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("v")
        await user.sees("Access was revoked at Stripe. Press a to authorize again.")
