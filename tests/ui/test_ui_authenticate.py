import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from m3cred_tui.authorize.service import Authorizer
from m3cred_tui.browser.opening import BrowserDidNotOpen
from m3cred_tui.config.settings import NotSetUp
from m3cred_tui.model.credential import STRIPE, Destination, Status, StripeAccount
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.stripe.gateway import Platform
from m3cred_tui.ui.services import Services
from tests.other_user import as_root, held_by_another_user
from tests.stub_server import serving
from tests.ui import visit
from tests.ui.conftest import Browser, Clock, Keep
from tests.ui.user import User, opened, straight_to_stage_4
from tests.visitors import async_visitor


async def go_to_stripe(user: User, browser: Browser) -> None:
    await straight_to_stage_4(user, "Acme")
    await user.press("enter")
    await user.until(lambda: browser.opened)


async def begins_again(user: User, browser: Browser) -> None:
    """See that Enter begins another authorization, which succeeds."""
    tried = len(browser.opened)
    await user.focuses("Go to Stripe")
    await user.press("enter")
    await user.until(lambda: len(browser.opened) > tried)
    await browser.approve()
    await user.focuses("Create Credential")


def state_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["state"][0]


def spoil(credentials: Path, trouble: str) -> Callable[[], None]:
    """Make the directory of the records unusable; return what mends it."""
    credentials.parent.mkdir(mode=0o700, exist_ok=True)
    if trouble == "a file in the way":
        credentials.touch()
        return credentials.unlink
    credentials.mkdir(exist_ok=True)
    credentials.chmod(0o755)
    return lambda: credentials.chmod(0o700)


async def test_credentials_that_the_account_has_already_are_named_at_the_approval(
    services: Services, keep: Keep
) -> None:
    account = StripeAccount("acct_1Acme", livemode=False)
    keep("Bolt", account=account)
    keep("Cord", account=account._replace(livemode=True), livemode=True)
    keep("Acme", account=account, status=Status.PENDING)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("enter")
        told = "There is a credential for this account in test mode already: “Bolt”."
        await user.sees("Is this the account you meant?", told)
        await user.focuses("Create Credential")


async def test_a_refusal_is_shown_and_enter_begins_a_new_authorization(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        await browser.refuse()
        await user.sees("Access was refused on Stripe's page. Begin a new authorization.")
        await begins_again(user, browser)
        assert state_of(browser.opened[0]) != state_of(browser.opened[1])


async def test_an_expired_authorization_is_shown_and_enter_begins_a_new_one(
    services: Services, browser: Browser, clock: Clock
) -> None:
    browser.then = lambda: clock.forward(minutes=10, seconds=1)
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        await user.sees("No answer came from Stripe within 10 minutes.")
        browser.then = lambda: None
        await begins_again(user, browser)


async def test_when_every_port_is_held_the_user_is_told_and_can_paste(
    services: Services, browser: Browser, ports: tuple[int, ...], store: CredentialStore
) -> None:
    async with opened(services) as user:
        with ExitStack() as others:
            for port in ports:
                others.enter_context(socket.create_server(("127.0.0.1", port)))
            await straight_to_stage_4(user, "Acme")
            await user.press("enter")
            await user.sees("Other programs on this computer hold the ports", str(ports[0]))
            redirect = await asyncio.to_thread(visit.approve_only, browser.opened[0])
            await user.paste(redirect)
            await user.press("enter")  # as some do after a paste
            await user.focuses("Create Credential")
            assert store.ids() == store.pending_ids() != []


@as_root
async def test_no_url_is_shown_while_another_user_holds_every_port(
    services: Services, browser: Browser, ports: tuple[int, ...]
) -> None:
    async with opened(services) as user:
        await straight_to_stage_4(user, "Acme")
        with held_by_another_user(*ports):
            await user.press("enter")
            await user.sees("held by another user's program", "approval of its own account")
        assert browser.opened == []
        await begins_again(user, browser)


async def test_when_one_port_is_taken_the_next_is_used(
    services: Services, browser: Browser, ports: tuple[int, ...]
) -> None:
    with socket.create_server(("127.0.0.1", ports[0])):
        async with opened(services) as user:
            await go_to_stripe(user, browser)
            assert f"{ports[1]}" in browser.opened[0]
            await browser.approve()
            await user.focuses("Create Credential")


async def test_an_unreachable_stripe_is_reported_and_nothing_was_sent(
    services: Services, browser: Browser, platforms: dict[Destination, Platform]
) -> None:
    reached = platforms[STRIPE]
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and nobody listens
        base = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        platforms[STRIPE] = Platform("ca_x", Secret("sk_live_canary"), base, base)
        async with opened(services) as user:
            await straight_to_stage_4(user, "Acme")
            await user.press("enter")
            await user.sees("could not be reached", "No authorization was begun.")
            assert not browser.opened
            platforms[STRIPE] = reached
            await user.focuses("Go to Stripe")
            await user.press("enter")
            await user.until(lambda: browser.opened)


async def test_when_stripe_has_gone_by_the_approval_it_is_reported_and_nothing_was_sent(
    services: Services, browser: Browser, platforms: dict[Destination, Platform]
) -> None:
    async def answer(_reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")

    async with AsyncExitStack() as there:
        base = f"http://{await there.enter_async_context(serving(answer))}"
        platforms[STRIPE] = Platform("ca_x", Secret("sk_live_canary"), base, base)
        async with opened(services) as user:
            await go_to_stripe(user, browser)
            await there.aclose()
            await browser.redirect(code="ac_x", scope="read_write")
            await user.sees("could not be reached", "Begin a new authorization.")
            await user.focuses("Go to Stripe")
            assert "canary" not in user.screen


async def test_a_destination_that_is_not_set_up_is_reported_before_stripe_is_asked(
    services: Services, browser: Browser
) -> None:
    def not_set_up(destination: Destination) -> Authorizer:
        raise NotSetUp(destination)

    services = services._replace(authorizer=not_set_up)
    async with opened(services) as user:
        await straight_to_stage_4(user, "Acme")
        await user.press("enter")
        await user.sees("Stripe is not set up: it has no client id and no secret key.")
        await user.sees("m3cred --demo")
        await user.focuses("Set up Stripe")
        assert browser.opened == []


@pytest.mark.parametrize("trouble", ["a file in the way", "open to others"])
@pytest.mark.quick(1)
async def test_an_unusable_store_is_reported_before_stripe_is_asked(
    services: Services, browser: Browser, credentials: Path, trouble: str
) -> None:
    async with opened(services) as user:
        await straight_to_stage_4(user, "Acme")
        mend = spoil(credentials, trouble)
        await user.press("enter")
        await user.sees("cannot be used:")
        await user.focuses("Go to Stripe")
        assert browser.opened == []
        mend()
        await begins_again(user, browser)


async def test_when_no_browser_opens_the_address_and_instructions_stay(
    services: Services, browser: Browser
) -> None:
    def fail() -> None:
        raise BrowserDidNotOpen("there is no display")

    browser.then = fail
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        await user.sees("No browser was opened because there is no display.")
        assert user.shows_address(browser.opened[0])
        browser.then = lambda: None
        await browser.approve()
        await user.focuses("Create Credential")


async def test_a_forged_redirect_is_reported_and_the_wait_continues(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        await browser.redirect(code="ac_forged", state="forged")
        await user.sees("A redirect that does not belong to this authorization was turned away")
        await user.sees("2 Approve access for m3ter there")
        await browser.approve()
        await user.focuses("Create Credential")


async def test_a_browser_that_is_turned_away_is_reported_and_its_address_can_be_pasted(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        redirect = await asyncio.to_thread(visit.approve_only, browser.opened[0])
        async with async_visitor() as client:
            tunnelled = {"Host": "127.0.0.1:9000"}
            assert (await client.get(redirect, headers=tunnelled)).status_code == 403
        await user.sees("A browser came by another name or port than m3cred's")
        ours = urlsplit(redirect).netloc
        await user.paste(redirect.replace(ours, tunnelled["Host"]))
        await user.sees("✓ Approved.")


async def test_an_undocumented_error_from_stripe_is_shown_as_plain_text(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        await browser.redirect(
            error="[red]odd", error_description="\x1b[2J[@click=app.quit()]x"
        )
        await user.sees("Stripe ended the authorization ([red]odd)")
        assert "\x1b" not in user.screen
        await user.focuses("Go to Stripe")


async def test_the_account_is_shown_before_a_credential_is_created(
    services: Services, browser: Browser, store: CredentialStore
) -> None:
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        account = await browser.approve("grace@acme.example")
        await user.focuses("Create Credential")
        await user.sees(account.name, account.id, account.country, "LIVE")
        await user.sees("The approval is kept, sealed, in the list of credentials until")
        assert store.ids() == store.pending_ids() != []


async def test_the_wrong_account_can_be_refused_and_another_one_approved(
    services: Services, browser: Browser, store: CredentialStore
) -> None:
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        await browser.approve("grace@acme.example")
        await user.focuses("Create Credential")
        await user.press("right")
        await user.focuses("Not this account")
        await user.press("enter")
        await user.sees("Another account?", "The account itself stays connected there.")
        await user.press("enter")  # the safe answer
        await user.focuses("Not this account")
        assert store.pending_ids()
        await user.press("enter")
        await user.answers_yes()
        await user.focuses("Go to Stripe")
        assert not store.pending_ids()
        await user.press("enter")
        await user.until(lambda: len(browser.opened) > 1)


async def test_when_creating_fails_the_approval_is_kept_and_can_be_tried_again(
    services: Services, browser: Browser, store: CredentialStore, credentials: Path
) -> None:
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        account = await browser.approve()
        await user.focuses("Create Credential")
        mend = spoil(credentials, "open to others")
        await user.press("enter")
        await user.sees("cannot be used: other users have access to it.", account.id)
        await user.focuses("Create Credential")
        mend()
        await user.press("enter")
        await user.until(lambda: user.page == "CredentialsPage")
        assert len(store.ids()) == 1
        assert store.pending_ids() == []
        assert len(browser.opened) == 1


async def test_an_impatient_second_enter_creates_no_second_credential(
    services: Services, browser: Browser, store: CredentialStore
) -> None:
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        await browser.approve()
        await user.focuses("Create Credential")
        await user.press("enter", "enter", "enter")
        await user.app.workers.wait_for_complete()
        assert len(store.ids()) == 1


@pytest.mark.long
async def test_an_address_typed_while_a_button_has_the_focus_presses_none(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        redirect = await asyncio.to_thread(visit.approve_only, browser.opened[0])
        assert user.focus == "Open the browser"
        await user.types_ahead(*redirect)
        await user.focuses("Create Credential")
        assert len(browser.opened) == 1


async def test_a_stray_letter_lands_nowhere_and_escape_clears_what_was_pasted_first(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        await user.press("x", "k", "h", "x", "7")
        assert user.focus == "Open the browser"
        assert "•" not in user.screen
        await user.paste("http://127.0.0.1:27182/callback?state=")
        await user.sees("••••")
        notice = user.lines[-3:-1]
        await user.press("enter")  # which some press after a paste, or copy along
        assert (user.lines[-3:-1], len(browser.opened)) == (notice, 1)
        await user.press("tab")
        await user.focuses("PasteLine")
        await user.sees("esc Clear")
        await user.press("escape")
        assert "•" not in user.screen
        await user.sees("esc Back")
        await user.press("escape")
        await user.sees("Destination Settings")


async def test_a_wait_ended_by_another_m3cred_says_so(
    services: Services, browser: Browser, store: CredentialStore
) -> None:
    async with opened(services) as user:
        await go_to_stripe(user, browser)
        store.requests.drop(store.pending_ids()[0])
        await user.sees("was answered or deleted in another m3cred")
        await begins_again(user, browser)


async def test_the_key_line_says_what_enter_does_with_a_pending_credential(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    keep("Bolt", status=Status.PENDING)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.sees("⏎ Resume")
        await user.press("down")
        await user.sees("⏎ Details")
