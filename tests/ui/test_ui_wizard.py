import pytest

from m3cred_tui.model.credential import Credential
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Browser, Clock, Keep
from tests.ui.user import opened, to_stage_4


@pytest.mark.quick(1)
@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=str)
async def test_enter_and_arrow_keys_lead_from_the_empty_page_to_the_new_row(
    services: Services, browser: Browser, store: CredentialStore, size: tuple[int, int]
) -> None:
    async with opened(services, size) as user:
        await user.sees("There are no credentials yet.")
        await user.focuses("Create Integration Credential")
        await user.press("enter")

        await user.sees("Integrations › Credentials › Create", "Name credential")
        await user.focuses("TextInput")
        await user.type("Acme live")
        await user.press("enter")

        await user.sees("✓ Name the credential", "Entity Type Settings", "Bill")
        await user.focuses("Next")
        await user.press("enter")

        await user.sees("✓ Select entity type", "Destination Settings")
        await user.focuses("DropDown")
        await user.press("enter")
        await user.focuses("SelectOverlay")
        await user.press("enter")
        await user.focuses("Next")
        await user.press("enter")

        await user.sees("✓ Select destination", "Authenticate")
        await user.sees(
            "You will need to provide authentication details on the Stripe website."
        )
        await user.focuses("Go to Stripe")
        await user.press("enter")

        await user.until(lambda: browser.opened)
        account = await browser.approve()
        await user.sees("Is this the account you meant?")
        await user.sees(account.name, account.id, account.country, "LIVE")
        assert store.ids() == store.pending_ids() != []
        await user.focuses("Create Credential")
        await user.press("enter")

        await user.until(lambda: user.page == "CredentialsPage")
        await user.sees("Acme live", "Stripe", "✓ authenticated")
        await user.focuses("CredentialList")

    (one,) = store.ids()
    kept = store.read(one)
    assert isinstance(kept, Credential)
    assert (kept.name, kept.entity_type.code, kept.destination.code) == (
        "Acme live",
        "Bill",
        "STRIPE",
    )
    assert kept.account is not None
    assert kept.account.id == account.id
    assert store.tokens(one).account_id == account.id


@pytest.mark.quick(1)
@pytest.mark.parametrize("opens", ["enter", "down", "up"])
async def test_at_most_six_enters_lead_from_the_name_to_the_url(
    services: Services, browser: Browser, opens: str
) -> None:
    keys = ["enter", "enter", opens, "enter", "enter", "enter"]
    focuses = ["Next", "DropDown", "SelectOverlay", "Next", "Go to Stripe", "Open the browser"]
    async with opened(services) as user:
        await user.press("c", *"Acme")
        for key, focus in zip(keys, focuses, strict=True):
            await user.press(key)
            await user.focuses(focus)
        await user.until(lambda: browser.opened)
        assert user.shows_address(browser.opened[0])


@pytest.mark.long
async def test_test_mode_is_one_arrow_key_further(
    services: Services, browser: Browser, store: CredentialStore
) -> None:
    async with opened(services) as user:
        await to_stage_4(user, test=True)
        await user.sees("Stripe (Test Mode)")
        await user.press("enter")
        await user.until(lambda: browser.opened)
        await browser.approve()
        await user.sees("TEST")
        await user.focuses("Create Credential")
        await user.press("enter")
        await user.until(lambda: user.page == "CredentialsPage")
    kept = store.read(store.ids()[0])
    assert isinstance(kept, Credential)
    assert kept.account is not None
    assert (kept.destination.code, kept.account.livemode) == ("STRIPE_TEST", False)


@pytest.mark.long
async def test_the_new_row_is_selected_whatever_order_and_filter_the_list_has(
    services: Services, browser: Browser, keep: Keep
) -> None:
    keep("Zebra")
    keep("Aardvark")
    async with opened(services) as user:
        await user.press("s", "slash", *"zebra", "enter")
        await user.sees("1 of 2 credentials")
        await to_stage_4(user, "Mule")
        await user.press("enter")
        await user.until(lambda: browser.opened)
        await browser.approve()
        await user.focuses("Create Credential")
        await user.press("enter")
        await user.until(lambda: user.page == "CredentialsPage")
        await user.focuses("CredentialList")
        await user.sees("3 credentials", "▌Mule")
        assert user.rows() == ["Aardvark", "Mule", "Zebra"]


async def test_the_address_is_on_the_screen_before_a_browser_is_tried(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        shown: list[bool] = []
        browser.then = lambda: shown.append(user.shows_address(browser.opened[-1]))
        await to_stage_4(user)
        await user.press("enter")
        await user.until(lambda: browser.opened)
        assert shown == [True]


async def test_the_address_can_be_copied_and_opened_again_by_key(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await to_stage_4(user)
        await user.press("enter")
        await user.until(lambda: browser.opened)
        await user.sees("10:00 left")
        await user.press("y")
        await user.sees("URL sent to your terminal's clipboard.")
        await user.press("o")
        await user.until(lambda: len(browser.opened) == 2)
        assert browser.opened[0] == browser.opened[1]


@pytest.mark.long
async def test_the_time_left_is_seen_running_out(
    services: Services, browser: Browser, clock: Clock
) -> None:
    async with opened(services) as user:
        await to_stage_4(user)
        await user.press("enter")
        await user.sees("10:00 left")
        clock.forward(seconds=61)
        await user.sees("8:59 left")


async def test_keys_typed_ahead_reach_their_target(services: Services) -> None:
    async with opened(services) as user:
        await user.types_ahead("c", *"quay", "enter", "enter")
        await user.sees("Destination Settings", "✓ Name the credential")
        await user.types_ahead("enter", "down", "enter", "enter")
        await user.focuses("Go to Stripe")
        await user.sees("quay: Bill to Stripe (Test Mode)")
