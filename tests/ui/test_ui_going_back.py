import pytest
from textual.widgets import Input, OptionList, Select

from m3cred_tui.model.credential import Credential, StripeAccount
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.ui.screens.create import Stepper
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Browser
from tests.ui.user import User, opened, straight_to_stage_4, to_stage_2, to_stage_3, to_stage_4


async def click_stage(user: User, number: int) -> None:
    """Click on the stepper's line of this stage, counted from 1."""
    stepper = user.app.screen.query_one(Stepper)
    lines = [y for y, line in enumerate(user.lines) if line[1:2] in {"✓", "●", "○"}]
    await user.pilot.click(Stepper, offset=(3, lines[number - 1] - stepper.region.y))
    await user.pilot.pause()


def name_entered(user: User) -> str:
    return user.app.screen.query_one("#name", Input).value


async def test_esc_goes_back_stage_by_stage_and_enter_alone_continues(
    services: Services,
) -> None:
    async with opened(services) as user:
        await to_stage_4(user, "Acme", test=True)
        await user.press("escape")
        await user.sees("Destination Settings", "Stripe (Test Mode)", "✓ Name the credential")
        await user.focuses("Next")
        await user.press("escape")
        await user.sees("Entity Type Settings", "Bill")
        await user.focuses("Next")
        await user.press("escape")
        await user.focuses("TextInput")
        assert name_entered(user) == "Acme"
        assert not user.shows("✓ Name the credential")
        await user.press("enter")
        await user.sees("Entity Type Settings", "✓ Name the credential")
        await user.press("enter")
        await user.sees("Destination Settings")
        await user.press("enter")
        await user.focuses("Go to Stripe")
        await user.sees("Acme: Bill to Stripe (Test Mode)")


async def test_the_keyboard_goes_back_to_a_completed_stage(services: Services) -> None:
    async with opened(services) as user:
        await to_stage_4(user, "Acme")
        await user.press("shift+tab")
        await user.focuses("Stepper")
        await user.press("home", "enter")
        await user.focuses("TextInput")
        assert name_entered(user) == "Acme"
        # and the stages after it stay completed
        await user.sees("✓ Select entity type", "✓ Select destination")


async def test_the_mouse_goes_back_to_a_completed_stage(services: Services) -> None:
    async with opened(services) as user:
        await to_stage_4(user, "Acme", test=True)
        await click_stage(user, 3)
        await user.sees("Destination Settings", "Stripe (Test Mode)")
        await user.focuses("Next")
        await click_stage(user, 1)
        await user.focuses("TextInput")
        assert name_entered(user) == "Acme"


async def test_no_stage_can_be_skipped(services: Services) -> None:
    async with opened(services) as user:
        await user.press("c")
        await user.focuses("TextInput")
        for stage in (4, 3, 2):
            await click_stage(user, stage)
            await user.sees("Name credential", "○ Authenticate")


async def test_the_name_on_the_screen_is_the_name_that_is_created(services: Services) -> None:
    async with opened(services) as user:
        await to_stage_4(user, "Acme")
        await click_stage(user, 1)
        await user.focuses("TextInput")
        await user.press("end")
        await user.paste(" two")
        # Past Next, over the stepper:
        await click_stage(user, 3)
        await user.sees("Destination Settings")
        await user.focuses("Next")
        await user.press("enter")
        await user.focuses("Go to Stripe")
        await user.sees("Acme two: Bill to Stripe")


async def test_a_refused_name_cannot_be_left_by_the_stepper(services: Services) -> None:
    async with opened(services) as user:
        await to_stage_4(user, "Acme")
        await click_stage(user, 1)
        await user.focuses("TextInput")
        await user.press("end")
        await user.paste("\u202e")
        await click_stage(user, 3)
        await user.sees("changes the direction of text")
        assert not user.shows("Destination Settings")


async def test_another_destination_can_be_chosen_after_going_back(services: Services) -> None:
    async with opened(services) as user:
        await to_stage_4(user, "Acme", test=True)
        await user.press("escape")
        await user.focuses("Next")
        await user.press("up")
        await user.focuses("DropDown")
        await user.press("enter")
        await user.focuses("SelectOverlay")
        await user.press("up", "enter")
        await user.focuses("Next")
        await user.press("enter")
        await user.focuses("Go to Stripe")
        await user.sees("Acme: Bill to Stripe")
        assert not user.shows("Acme: Bill to Stripe (Test Mode)")


async def test_esc_closes_an_open_drop_down_before_it_goes_back(services: Services) -> None:
    async with opened(services) as user:
        await to_destination(user)
        await user.press("enter")
        await user.focuses("SelectOverlay")
        await user.sees("⏎ Select", "↑↓ Move", "esc Close")
        assert user.app.screen.query_one(Select).query_one(OptionList).highlighted == 1
        await user.press("escape")
        await user.focuses("DropDown")
        await user.sees("Destination Settings", "esc Back")


@pytest.mark.parametrize("stage", [1, 4])
@pytest.mark.quick(1)
async def test_arrow_keys_that_lead_to_the_stepper_lead_out_of_it_too(
    services: Services, stage: int
) -> None:
    async with opened(services) as user:
        if stage == 4:
            await to_stage_4(user, "Acme")
        else:
            await user.press("c")
            await user.focuses("TextInput")
        start = user.focus
        await user.press("up")
        reached: list[str] = []
        for key in ("down", "down", "down", "down", "right"):
            await user.press(key)
            reached.append(user.focus)
        assert start in reached


async def to_destination(user: User) -> None:
    await to_stage_2(user)
    await to_stage_3(user)


async def choose_first(user: User, key: str = "enter") -> None:
    await user.press(key)
    await user.focuses("SelectOverlay")
    await user.press("enter")
    await user.focuses("Next")


async def test_up_and_down_stay_within_the_stage(services: Services) -> None:
    async with opened(services) as user:
        await to_stage_2(user)
        for key in ("down", "up", "up"):
            for reached in ("DropDown", "Next"):
                await user.press(key)
                await user.focuses(reached)
                await user.sees("⏎ Select")
        await user.press("enter")
        await user.sees("Destination Settings")


@pytest.mark.parametrize("key", ["up", "down"])
@pytest.mark.quick(1)
async def test_up_and_down_at_stripe_move_between_the_button_and_the_input(
    services: Services, key: str
) -> None:
    async with opened(services) as user:
        await straight_to_stage_4(user, "Acme")
        await user.press(key)
        await user.focuses("Go to Stripe")
        await user.press("enter")
        await user.focuses("Open the browser")
        for reached in ("PasteLine", "Open the browser"):
            await user.press(key)
            await user.focuses(reached)


async def test_down_opens_a_drop_down_without_a_choice(services: Services) -> None:
    async with opened(services) as user:
        await to_destination(user)
        await choose_first(user, "down")


async def test_choosing_the_same_value_again_continues(services: Services) -> None:
    async with opened(services) as user:
        await to_stage_2(user)
        await user.press("up")
        await user.focuses("DropDown")
        await choose_first(user)


async def test_left_shows_which_stage_enter_goes_back_to_and_right_returns(
    services: Services,
) -> None:
    async with opened(services) as user:
        await to_stage_2(user)
        await user.press("left")
        await user.focuses("Stepper")
        assert user.app.screen.query_one(Stepper).highlighted == 0
        await user.press("right")
        await user.focuses("Next")
        await user.press("left", "enter")
        await user.focuses("TextInput")


async def test_the_stepper_takes_no_focus_before_a_stage_is_completed(
    services: Services,
) -> None:
    async with opened(services) as user:
        await user.press("c")
        await user.focuses("TextInput")
        await user.press("down")
        await user.focuses("Next")
        await user.press("left")
        await user.focuses("Next")
        await user.press("tab")
        await user.focuses("TextInput")


async def choose_again(user: User, key: str) -> None:
    """Go back from stage 4, and choose the destination above or below."""
    await user.press("escape")
    await user.focuses("Next")
    await user.press("up")
    await user.focuses("DropDown")
    await user.press("enter")
    await user.focuses("SelectOverlay")
    await user.press(key, "enter")
    await user.focuses("Next")
    await user.press("enter")
    await user.focuses("Go to Stripe")


async def go_to_stripe_and_back(user: User) -> None:
    await user.press("enter")
    await user.sees("2 Approve access for m3ter there")
    await user.press("escape")
    await user.focuses("Next")
    await user.press("enter")


@pytest.mark.long
async def test_an_account_approved_for_one_request_is_never_shown_for_another(
    services: Services, browser: Browser, store: CredentialStore
) -> None:
    async with opened(services) as user:
        await to_stage_4(user, "Acme", test=True)
        await user.press("enter")
        await user.sees("2 Approve access for m3ter there")
        await browser.approve()
        await user.focuses("Create Credential")
        (approved,) = store.ids()
        await choose_again(user, "up")
        await go_to_stripe_and_back(user)
        await user.sees("Acme: Bill to Stripe ● LIVE", "2 Approve access for m3ter there")
        await choose_again(user, "down")
        await go_to_stripe_and_back(user)
        await user.sees("Acme: Bill to Stripe (Test Mode)", "2 Approve access for m3ter there")
        with_account = [one for one in store.ids() if account_of(store, one)]
        assert with_account == [approved]


def account_of(store: CredentialStore, credential_id: str) -> StripeAccount | None:
    row = store.read(credential_id)
    assert isinstance(row, Credential)
    return row.account
