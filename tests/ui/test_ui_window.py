import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from m3cred_tui.ui.services import Services
from tests.ui.conftest import Browser, Keep
from tests.ui.user import opened, straight_to_stage_4, to_stage_4

TOO_SMALL = "m3cred needs a window of 60 columns and 20 lines"


@pytest.mark.parametrize("size", [(59, 24), (80, 19), (20, 5)], ids=str)
@pytest.mark.long
async def test_a_window_that_is_too_small_says_so_and_nothing_entered_is_lost(
    services: Services, size: tuple[int, int]
) -> None:
    async with opened(services) as user:
        await user.press("c")
        await user.focuses("TextInput")
        await user.paste("Acme")
        await user.resize(*size)
        await user.until(lambda: TOO_SMALL[:14] in user.screen)
        assert not user.shows("Acme")
        await user.press("x", "enter", "q", "escape")
        await user.resize(60, 20)
        await user.sees("Name credential")
        await user.focuses("TextInput")
        assert user.app.screen.query_one("#name", Input).value == "Acme"
        assert not user.has_left


async def test_a_window_that_is_too_small_from_the_start_can_be_made_larger(
    services: Services,
) -> None:
    async with opened(services, (40, 10)) as user:
        await user.sees(TOO_SMALL)
        await user.resize(80, 24)
        await user.sees("There are no credentials yet.")
        await user.focuses("Create Integration Credential")
        await user.press("enter")
        await user.focuses("TextInput")


async def test_a_question_is_still_there_after_the_window_was_too_small(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("d")
        await user.focuses("No, keep it")
        await user.resize(40, 10)
        await user.sees(TOO_SMALL)
        await user.press("y")
        await user.resize(80, 24)
        await user.sees("Delete “Acme”?")
        await user.focuses("No, keep it")
        await user.press("escape")
        await user.sees("▌Acme")


async def test_quitting_in_a_window_that_is_too_small_still_asks(services: Services) -> None:
    async with opened(services) as user:
        await user.press("c")
        await user.focuses("TextInput")
        await user.paste("Acme")
        await user.resize(40, 10)
        await user.press("ctrl+q")
        await user.until(lambda: user.page == "Confirm")
        await user.resize(80, 24)
        await user.sees("Leave m3cred?")
        await user.press("escape")
        await user.focuses("TextInput")
        assert not user.has_left


@pytest.mark.long
async def test_an_approval_that_comes_while_the_window_is_too_small_is_there_afterwards(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await to_stage_4(user)
        await user.press("enter")
        await user.until(lambda: browser.opened)
        await user.resize(40, 10)
        await user.sees(TOO_SMALL)
        account = await browser.approve()
        await user.resize(80, 24)
        await user.focuses("Create Credential")
        await user.sees(account.id)


LIST_KEYS = {
    "c": "Create Integration Credential",
    "/": "Filter the list",
    "y": "Send the Credential ID to the clipboard",
    "i": "Send the integration fields to the clipboard",
    "d": "Delete the selected credential",
    "s": "Sort the list by the next column",
    "l": "Show the log: what happened",
    "?": "Show every key",
    "q": "Leave m3cred",
}


async def test_help_shows_every_key_and_any_of_its_keys_closes_it(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        for close in ("escape", "enter", "q", "question_mark"):
            await user.press("question_mark")
            await user.until(lambda: user.page == "Help")
            await user.sees(*(f"{key} {means}" for key, means in LIST_KEYS.items()))
            await user.sees("Details")
            await user.press("end")
            await user.sees("Esc goes back")
            await user.press(close)
            await user.focuses("CredentialList")
            assert not user.has_left


async def test_the_palette_offers_every_action_that_has_a_key(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services, (80, 80)) as user:
        await user.focuses("CredentialList")
        await user.press("ctrl+p")
        await user.until(lambda: isinstance(user.app.screen, CommandPalette))
        await user.sees(*LIST_KEYS.values(), "Details", "Theme")
        for key in LIST_KEYS:
            await user.sees(f": {key}")


async def test_the_palette_names_the_action_of_every_key_at_stage_4(services: Services) -> None:
    async with opened(services, (80, 50)) as user:
        await straight_to_stage_4(user)
        await user.press("ctrl+p")
        await user.sees("Scroll to what is below the window's edge", "Page down: pgdn")
        assert not any(line.strip().startswith(":") for line in user.lines)


async def test_what_the_palette_offers_is_what_the_key_does(
    services: Services, keep: Keep
) -> None:
    acme = keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("ctrl+p", *"clipboard")
        await user.sees("Send the Credential ID to the clipboard")
        await user.press("enter")
        await user.until(lambda: user.clipboard == acme.id)
        await user.press("ctrl+p", *"delete")
        await user.sees("Delete the selected credential")
        await user.press("enter")
        await user.sees("Delete “Acme”?")


@pytest.mark.quick(1)
@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=str)
async def test_the_footer_shows_the_keys_of_the_credentials_page(
    services: Services, keep: Keep, size: tuple[int, int]
) -> None:
    keep("Acme")
    async with opened(services, size) as user:
        await user.focuses("CredentialList")
        shown = " ".join(user.lines[-1].split())
        for key in (
            "Details",
            "c Create",
            "/ Filter",
            "y Copy",
            "d Delete",
            "? Help",
            "q Quit",
        ):
            assert key in shown
        assert "^p" in shown or size == (60, 20)


@pytest.mark.quick(1)
@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=str)
async def test_the_footer_shows_on_every_stage_that_enter_continues_and_esc_goes_back(
    services: Services, size: tuple[int, int]
) -> None:
    async with opened(services, size) as user:
        await user.press("c")
        await user.focuses("TextInput")
        await user.sees("⏎", "esc Back")
        await user.paste("Acme")
        for next_focus in ("Next", "DropDown", "SelectOverlay"):
            await user.press("enter")
            await user.focuses(next_focus)
            if next_focus != "SelectOverlay":
                await user.sees("⏎", "esc Back")
