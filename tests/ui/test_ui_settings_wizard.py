"""From a destination that is not set up, on to a credential."""

import asyncio
from pathlib import Path

import pytest

from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Browser
from tests.ui.settings_place import Place
from tests.ui.user import User, opened, to_stage_4


@pytest.fixture
def place(
    tmp_path: Path, services: Services, demo: Description, ports: tuple[int, ...]
) -> Place:
    environ = {
        "M3CRED_STRIPE_TEST_CONNECT_BASE": demo.connect_base,
        "M3CRED_STRIPE_TEST_API_BASE": demo.api_base,
        "M3CRED_STRIPE_TEST_PORTS": ",".join(map(str, ports)),
        "PATH": "/usr/bin:/bin",
    }
    return Place(tmp_path, services, environ)


async def to_panel(user: User) -> None:
    await to_stage_4(user, "Acme", test=True)
    await user.press("enter")
    await user.sees("Stripe (Test Mode) is not set up: it has no client id and no secret key.")
    await user.focuses("Set up Stripe (Test Mode)")


async def test_a_destination_is_set_up_from_the_wizard_which_then_continues(
    place: Place, demo: Description, browser: Browser
) -> None:
    async with opened(place.services) as user:
        await to_panel(user)
        await user.press("enter")
        await user.until(lambda: user.page == "SetUpPage")
        await user.paste(demo.test.client_id)
        await user.press("down")
        await user.paste(demo.test.secret_key.reveal())
        await user.press("ctrl+s")
        await user.until(lambda: browser.opened)
        assert user.page == "CreatePage"
        account = await browser.approve()
        await user.focuses("Create Credential")
        await user.sees(account.id)
        await user.press("enter")
        await user.until(lambda: user.page == "CredentialsPage")
        await user.until(lambda: any("Acme" in row for row in user.rows()))


@pytest.mark.long
async def test_returning_without_a_key_says_what_is_still_missing(
    place: Place, browser: Browser
) -> None:
    async with opened(place.services) as user:
        await to_panel(user)
        await user.press("enter")
        await user.until(lambda: user.page == "SetUpPage")
        await user.paste("ca_x")
        await user.press("ctrl+s")
        await user.sees("Still to be set: secret key.")
        await user.press("escape")
        await user.sees("Stripe (Test Mode) is not set up: it has no secret key.")
        await user.focuses("Set up Stripe (Test Mode)")
        assert browser.opened == []


async def test_an_unavailable_key_leads_to_the_settings_or_can_be_retried(
    place: Place, tmp_path: Path, browser: Browser
) -> None:
    key = tmp_path / "key"
    place.write(f'[stripe_test]\nclient_id = "ca_x"\nsecret_key_file = "{key}"\n')
    async with opened(place.services) as user:
        await to_stage_4(user, "Acme", test=True)
        await user.press("enter")
        await user.sees("stripe_test.secret_key_file:", "cannot be used: it is not there.")
        await user.focuses("Set up Stripe (Test Mode)")
        await asyncio.to_thread(key.write_text, "sk_test_x\n")
        key.chmod(0o600)
        await user.press("down")
        await user.focuses("Go to Stripe")
        await user.press("enter")
        await user.until(lambda: browser.opened)


async def test_the_demo_can_be_tried_from_the_wizard_after_a_question(place: Place) -> None:
    async with opened(place.services) as user:
        await to_panel(user)
        await user.press("down")
        await user.focuses("Try the demo")
        await user.press("enter")
        await user.sees("a separate data directory", "What you entered for this")
        await user.press("enter")
        await user.focuses("Try the demo")
        assert not user.app.wants_demo
        await user.press("enter")
        await user.answers_yes()
        await user.until(lambda: user.has_left)
        assert user.app.wants_demo


async def test_the_comma_opens_no_settings_over_the_wizard(place: Place) -> None:
    async with opened(place.services) as user:
        await to_panel(user)
        await user.press("comma")
        assert user.page == "CreatePage"
