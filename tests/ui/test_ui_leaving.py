import asyncio
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from m3cred_tui.authorize.service import Authorizer
from m3cred_tui.model.credential import Credential, Destination, StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.store.problems import StoreUnusable
from m3cred_tui.stripe.adapters import ConnectGateway
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Browser, Keep
from tests.ui.scripted import READY, ScriptedAuthorizer, approved
from tests.ui.user import User, opened, straight_to_stage_4, to_stage_4

ENTERED = "What you entered for this credential will be lost."
APPROVED = "Stripe has approved access, and that is in memory only"


async def to_approved(user: User, browser: Browser) -> None:
    await straight_to_stage_4(user, "Acme")
    await user.press("enter")
    await user.until(lambda: browser.opened)
    await browser.approve()
    await user.focuses("Create Credential")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


async def test_q_on_the_credentials_page_leaves_without_a_question(services: Services) -> None:
    async with opened(services) as user:
        await user.press("q")
        await user.until(lambda: user.has_left)
    assert user.app.return_code == 0


async def test_a_page_without_input_is_left_without_a_question(
    services: Services,
) -> None:
    async with opened(services) as user:
        await user.press("c")
        await user.focuses("TextInput")
        await user.press("x", "backspace", "escape")
        await user.until(lambda: user.page == "CredentialsPage")
        await user.focuses("Create Integration Credential")
        await user.press("c", "ctrl+q")
        await user.until(lambda: user.has_left)


async def test_leaving_a_half_typed_name_asks_and_the_safe_answer_keeps_it(
    services: Services,
) -> None:
    async with opened(services) as user:
        await user.press("c")
        await user.focuses("TextInput")
        await user.type("Ac")
        for stay in ("enter", "escape"):
            await user.press("escape")
            await user.sees("Leave this page?", ENTERED)
            await user.focuses("Stay")
            await user.press(stay)
            await user.focuses("TextInput")
            await user.sees("Ac")
        await user.press("escape")
        await user.focuses("Stay")
        await user.press("right")
        await user.focuses("Leave this page")
        await user.press("enter")
        await user.until(lambda: user.page == "CredentialsPage")


async def test_quitting_with_a_name_entered_asks_and_can_be_refused(services: Services) -> None:
    async with opened(services) as user:
        await user.press("c")
        await user.focuses("TextInput")
        await user.type("Ac")
        await user.press("ctrl+q")
        await user.sees("Leave m3cred?", ENTERED)
        await user.press("enter")
        await user.focuses("TextInput")
        assert not user.has_left
        await user.press("ctrl+q")
        await user.focuses("Stay")
        await user.answers_yes()
        await user.until(lambda: user.has_left)


async def test_quitting_twice_asks_once_and_the_question_can_be_answered(
    services: Services,
) -> None:
    async with opened(services) as user:
        await user.press("c")
        await user.focuses("TextInput")
        await user.type("Ac")
        await user.press("ctrl+q", "ctrl+q", "ctrl+q")
        await user.focuses("Stay")
        await user.press("enter")
        await user.until(lambda: user.page == "CreatePage")
        await user.focuses("TextInput")
        assert not user.has_left


async def test_going_back_a_stage_asks_nothing_before_stripe_is_asked(
    services: Services,
) -> None:
    async with opened(services) as user:
        await straight_to_stage_4(user, "Acme")
        await user.press("escape")
        await user.sees("Destination Settings")
        assert user.page == "CreatePage"


async def test_going_back_during_the_wait_only_closes_the_listener(
    services: Services, browser: Browser, ports: tuple[int, ...]
) -> None:
    async with opened(services) as user:
        await straight_to_stage_4(user, "Acme")
        await user.press("enter")
        await user.until(lambda: browser.opened)
        await user.press("escape")
        await user.sees("Destination Settings")
        await user.until(lambda: all(is_free(port) for port in ports))
        await user.focuses("Next")
        await user.press("enter")
        await user.until(lambda: len(browser.opened) == 2)
        assert browser.opened[0] == browser.opened[1]
        await browser.approve()
        await user.focuses("Create Credential")


async def test_an_approval_that_is_on_disk_is_left_without_a_question_and_shown_again(
    services: Services, browser: Browser, store: CredentialStore
) -> None:
    async with opened(services) as user:
        await to_approved(user, browser)
        await user.press("escape")
        await user.sees("Destination Settings")
        await user.focuses("Next")
        await user.press("enter")
        await user.focuses("Create Credential")
        assert len(browser.opened) == 1
        await user.press("q")
        await user.until(lambda: user.has_left)
    assert len(store.pending_ids()) == 1


async def to_stage_1_after_stripe_was_asked(user: User, browser: Browser) -> None:
    await to_stage_4(user, "Acme")
    await user.press("enter")
    await user.until(lambda: browser.opened)
    for stage in ("Destination Settings", "Entity Type Settings", "Name credential"):
        await user.press("escape")
        await user.sees(stage)
    await user.focuses("TextInput")


async def test_a_pending_credential_is_not_called_lost_from_an_earlier_stage(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await to_stage_1_after_stripe_was_asked(user, browser)
        await user.press("escape")
        await user.until(lambda: user.page == "CredentialsPage")
        await user.sees("1 credential", "Acme")


@pytest.mark.long
async def test_quitting_asks_nothing_when_everything_entered_is_pending(
    services: Services, browser: Browser, store: CredentialStore
) -> None:
    async with opened(services) as user:
        await to_stage_1_after_stripe_was_asked(user, browser)
        await user.press("ctrl+q")
        await user.until(lambda: user.has_left)
    assert len(store.ids()) == 1


@pytest.mark.long
async def test_leaving_asks_about_input_newer_than_the_request(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await to_stage_1_after_stripe_was_asked(user, browser)
        await user.press("end")
        await user.paste(" two")
        await user.press("escape")
        await user.sees("Leave this page?", ENTERED)


async def test_leaving_asks_about_an_approval_that_could_not_be_written(
    services: Services, store: CredentialStore
) -> None:
    full = StoreUnusable(Path("/data/pending"), "the disk is full")
    script = [READY, approved(StripeAccount("acct_1", livemode=True), unkept=full)]
    unkept = services._replace(authorizer=lambda _: ScriptedAuthorizer(script))  # type: ignore[arg-type,return-value]
    async with opened(unkept) as user:
        await straight_to_stage_4(user, "Acme")
        await user.press("enter")
        await user.focuses("Create Credential")
        await user.sees("the disk is full")
        for key, question in (("escape", "Go back?"), ("q", "Leave m3cred?")):
            await user.press(key)
            await user.sees(question, APPROVED)
            await user.press("enter")
            await user.focuses("Create Credential")
        await user.press("enter")
        await user.until(lambda: user.page == "CredentialsPage")
        assert len(store.ids()) == 1


async def test_an_approval_that_could_not_be_written_is_written_as_soon_as_it_can_be(
    services: Services,
    store: CredentialStore,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep, full = store.keep_pending, [StoreUnusable(Path("/data/pending"), "the disk is full")]

    def fail(credential: Credential, tokens: TokenResponse) -> None:
        for problem in full:
            raise problem
        keep(credential, tokens)

    monkeypatch.setattr(store, "keep_pending", fail)
    async with opened(services) as user:
        await straight_to_stage_4(user, "Acme")
        await user.press("enter")
        await user.until(lambda: browser.opened)
        await browser.approve()
        await user.sees("the disk is full", "is in memory only")
        full.clear()
        await user.sees("The approval is kept, sealed")
        assert not user.shows("the disk is full")


@pytest.mark.long
async def test_after_a_refusal_leaving_asks_only_about_the_input(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await straight_to_stage_4(user, "Acme")
        await user.press("enter")
        await user.until(lambda: browser.opened)
        await browser.refuse()
        await user.sees("Access was refused on Stripe's page.")
        await user.press("escape")
        await user.sees("Destination Settings")
        await user.press("escape", "escape", "escape")
        await user.sees("Leave this page?", ENTERED)


async def test_after_creating_leaving_asks_nothing(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await to_approved(user, browser)
        await user.press("enter")
        await user.until(lambda: user.page == "CredentialsPage")
        await user.press("q")
        await user.until(lambda: user.has_left)


async def test_an_approval_that_arrives_after_leaving_is_shown_on_return(
    services: Services, browser: Browser
) -> None:
    may_answer, asked = threading.Event(), threading.Event()

    class SlowStripe(ConnectGateway):
        async def exchange(self, code: Secret) -> TokenResponse:
            asked.set()
            await asyncio.to_thread(may_answer.wait)
            return await super().exchange(code)

    def slow(destination: Destination) -> Authorizer:
        authorizer = services.authorizer(destination)
        assert isinstance(authorizer.gateway, ConnectGateway)
        return replace(authorizer, gateway=SlowStripe(authorizer.gateway.platform))

    async with opened(services._replace(authorizer=slow)) as user:
        await straight_to_stage_4(user, "Acme")
        await user.press("enter")
        await user.until(lambda: browser.opened)
        await browser.approve()
        await asyncio.to_thread(asked.wait)
        await user.press("escape")
        await user.focuses("Next")
        may_answer.set()
        await user.sees("after you left. It is pending in the list of credentials")
        await user.press("enter")
        await user.focuses("Create Credential")
        await user.press("enter")
        await user.sees("1 credential", "✓ authenticated")


async def test_a_deletion_that_ends_after_the_list_was_removed_is_no_crash(
    services: Services, store: CredentialStore, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        page = user.app.screen
        await user.press("d")
        await page.query("CredentialList").remove()
        await user.answers_yes()
        await user.until(lambda: not store.ids())
        await user.until(lambda: all(worker.is_finished for worker in page.workers))
    assert user.app.crash is None
