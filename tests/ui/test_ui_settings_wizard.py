"""From a destination that is not set up, on to a credential."""

import asyncio
from pathlib import Path

import pytest

from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Browser
from tests.ui.settings_place import Place
from tests.ui.user import User, opened, to_stage_2, to_stage_3

_TEST, _LIVE = "stripe_test", "stripe"


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


def set_up(*tables: str) -> str:
    """Return the settings of these destinations, complete."""
    settings = {
        _LIVE: 'redirect_uri = "https://m3ter.example/back"\n',
        _TEST: "",
    }
    return "".join(
        f'[{one}]\nclient_id = "ca_x"\nsecret_key_command = "echo sk_x"\n{settings[one]}'
        for one in tables
    )


async def to_offer(user: User) -> None:
    """Choose a destination that is not set up."""
    await to_stage_2(user, "Acme")
    await to_stage_3(user)
    await user.press("enter")
    await user.sees("Stripe: not set up", "Stripe (Test Mode): not set up")
    await user.press("down", "enter")
    await user.sees("Stripe (Test Mode) is not set up: it has no client id and no secret key.")
    await user.focuses("Set up Stripe (Test Mode)")


async def save_keys(user: User, demo: Description) -> None:
    await user.until(lambda: user.page == "SetUpPage")
    await user.paste(demo.test.client_id)
    await user.press("down")
    await user.paste(demo.test.secret_key.reveal())
    await user.press("ctrl+s")
    await user.until(lambda: user.page == "CreatePage")


@pytest.mark.long
async def test_a_destination_is_set_up_from_the_wizard_which_then_continues(
    place: Place, demo: Description, browser: Browser
) -> None:
    async with opened(place.services) as user:
        await to_offer(user)
        await user.press("enter")
        await save_keys(user, demo)
        await user.focuses("Next")
        assert not user.shows("Stripe (Test Mode): not set up")
        assert not user.shows("is not set up: it has")
        await user.press("enter")
        await user.focuses("Go to Stripe")
        await user.press("enter")
        await user.until(lambda: browser.opened)
        account = await browser.approve()
        await user.focuses("Create Credential")
        await user.sees(account.id)
        await user.press("enter")
        await user.until(lambda: user.page == "CredentialsPage")
        await user.until(lambda: any("Acme" in row for row in user.rows()))


async def test_a_destination_without_settings_is_not_left_by_next(place: Place) -> None:
    async with opened(place.services) as user:
        await to_offer(user)
        await user.press("up")
        await user.focuses("Next")
        await user.press("enter")
        await user.focuses("Set up Stripe (Test Mode)")
        await user.sees("Destination Settings", "○ Authenticate")
        # What was set up elsewhere meanwhile is known at once.
        await asyncio.to_thread(place.write, set_up(_TEST))
        await user.press("up", "enter")
        await user.focuses("Go to Stripe")


@pytest.mark.long
async def test_settings_that_are_gone_at_the_last_stage_can_be_given_there(
    place: Place, demo: Description, browser: Browser
) -> None:
    place.write(set_up(_TEST))
    async with opened(place.services) as user:
        await to_stage_2(user, "Acme")
        await user.press("enter")
        await user.focuses("Next")
        await user.press("enter")
        await user.focuses("Go to Stripe")
        place.places.settings.unlink()
        await user.press("enter")
        await user.focuses("Set up Stripe (Test Mode)")
        await user.press("enter")
        await save_keys(user, demo)
        await user.until(lambda: browser.opened)


@pytest.mark.long
async def test_returning_without_a_key_says_what_is_still_missing(
    place: Place, browser: Browser
) -> None:
    async with opened(place.services) as user:
        await to_offer(user)
        await user.press("enter")
        await user.until(lambda: user.page == "SetUpPage")
        await user.paste("ca_x")
        await user.press("ctrl+s")
        await user.sees("Still to be set: secret key.")
        await user.press("escape")
        await user.sees("Stripe (Test Mode) is not set up: it has no secret key.")
        await user.focuses("Set up Stripe (Test Mode)")
        assert browser.opened == []


@pytest.mark.parametrize("table", [_LIVE, _TEST])
async def test_the_only_destination_that_is_set_up_is_chosen_already(
    place: Place, table: str
) -> None:
    place.write(set_up(table))
    chosen, other = "Stripe", "Stripe (Test Mode)"
    if table == _TEST:
        chosen, other = other, chosen
    async with opened(place.services) as user:
        await to_stage_2(user, "Acme")
        await user.press("enter")
        await user.sees("Destination Settings", chosen)
        await user.focuses("Next")
        await user.press("up", "enter")
        await user.focuses("SelectOverlay")
        await user.sees(f"{other}: not set up")
        assert not user.shows(f"{chosen}: not set up")
        await user.press("escape", "down", "enter")
        await user.sees(f"Acme: Bill to {chosen}")
        await user.focuses("Go to Stripe")


async def test_a_setting_that_is_wrong_is_told_when_its_destination_is_chosen(
    place: Place,
) -> None:
    place.write('[stripe]\nclient_id = "nonsense"\n')
    async with opened(place.services) as user:
        await to_stage_2(user, "Acme")
        await to_stage_3(user)
        await user.press("enter")
        await user.sees("Stripe: not usable", "Stripe (Test Mode): not set up")
        await user.press("enter")
        await user.sees("! stripe.client_id")
        await user.focuses("Set up Stripe")
        assert not user.shows("Try the demo")


async def test_an_unavailable_key_leads_to_the_settings_or_can_be_retried(
    place: Place, tmp_path: Path, browser: Browser
) -> None:
    key = tmp_path / "key"
    place.write(f'[stripe_test]\nclient_id = "ca_x"\nsecret_key_file = "{key}"\n')
    async with opened(place.services) as user:
        await to_stage_2(user, "Acme")
        await user.press("enter")
        await user.focuses("Next")
        await user.press("enter")
        await user.focuses("Go to Stripe")
        await user.press("enter")
        await user.sees("stripe_test.secret_key_file:", "cannot be used: it is not there.")
        await user.focuses("Set up Stripe (Test Mode)")
        await asyncio.to_thread(key.write_text, "sk_test_x\n")
        key.chmod(0o600)
        await user.press("down")
        await user.focuses("Go to Stripe")
        await user.press("enter")
        await user.until(lambda: browser.opened)


@pytest.mark.quick(1)
@pytest.mark.parametrize("page", ["the wizard", "the empty page"])
async def test_the_demo_can_be_tried_after_a_question(place: Place, page: str) -> None:
    async with opened(place.services) as user:
        if page == "the wizard":
            await to_offer(user)
        else:
            await user.sees("Set up a destination")
            await user.press("down")
        await user.press("down")
        await user.focuses("Try the demo")
        await user.press("enter")
        await user.sees("a separate data directory")
        assert user.shows("What you entered for this") == (page == "the wizard")
        await user.press("enter")
        await user.focuses("Try the demo")
        assert not user.app.wants_demo
        await user.press("enter")
        await user.answers_yes()
        await user.until(lambda: user.has_left)
        assert user.app.wants_demo


@pytest.mark.quick(1)
@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=str)
async def test_the_empty_page_says_what_is_not_set_up_until_it_is(
    place: Place, size: tuple[int, int]
) -> None:
    async with opened(place.services, size) as user:
        await user.sees(
            "There are no credentials yet.",
            "! Stripe is not set up: it has no client id, no secret key and no HTTPS redirect",
            "! Stripe (Test Mode) is not set up: it has no client id and no secret key.",
        )
        await user.sees("Set up a destination", "Try the demo", "Support portal")
        await user.focuses("Create Integration Credential")
        await user.press("down")
        await user.focuses("Set up a destination")
        await user.press("enter")
        await user.until(lambda: user.page == "SettingsPage")
        place.write(set_up(_LIVE))
        await user.press("escape")
        await user.sees("! Stripe (Test Mode) is not set up")
        assert not user.shows("! Stripe is not set up")
        await user.focuses("Set up Stripe (Test Mode)")
        await user.press("enter")
        await user.until(lambda: user.page == "SetUpPage")
        place.write(set_up(_LIVE, _TEST))
        await user.press("escape")
        await user.focuses("Create Integration Credential")
        assert not user.shows("is not set up")


async def test_the_comma_opens_no_settings_over_the_wizard(place: Place) -> None:
    async with opened(place.services) as user:
        await to_offer(user)
        await user.press("comma")
        assert user.page == "CreatePage"
