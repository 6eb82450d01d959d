import pytest
from textual.widgets import Button

from m3cred_tui.ui.services import Services
from tests.ui.conftest import Keep
from tests.ui.user import User, opened


async def to_stage_1(user: User) -> None:
    await user.press("c")
    await user.focuses("TextInput")


def can_go_on(user: User) -> bool:
    return not user.app.screen.query_one("#next", Button).disabled


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("a" * 65, "The name is 65 characters long; 64 is the most."),
        ("Ac\x1bme", "The name has a control character (U+001B)."),
        ("Ac\u202eme", "The name has a character that changes the direction of text (U+202E)."),
        ("Ac\u200bme", "The name has a character that cannot be seen (U+200B)."),
        ("a" + "\u0301" * 9, "The name has more accents on one letter than can be shown."),
        ("  acme   LIVE ", "Another credential already has this name."),
    ],
)
@pytest.mark.quick(3)
async def test_a_name_is_refused_with_its_reason_before_enter_is_pressed(
    services: Services, keep: Keep, pasted: str, reason: str
) -> None:
    keep("Acme live")
    async with opened(services) as user:
        await to_stage_1(user)
        await user.paste(pasted)
        await user.sees(reason)
        assert not can_go_on(user)
        await user.press("enter")
        await user.sees("Name credential", reason)
        await user.focuses("TextInput")


async def test_the_reason_comes_and_goes_as_the_name_is_typed(
    services: Services, keep: Keep
) -> None:
    keep("Ac")
    async with opened(services) as user:
        await to_stage_1(user)
        assert not user.shows("!")
        taken = "Another credential already has this name."
        for key, is_taken in (("a", False), ("c", True), ("m", False), ("backspace", True)):
            await user.press(key)
            assert user.shows(taken) == is_taken
            assert can_go_on(user) != is_taken


async def test_enter_on_an_empty_name_says_what_to_do(services: Services) -> None:
    async with opened(services) as user:
        await to_stage_1(user)
        await user.press("enter")
        await user.sees("Enter a name for the credential.")
        await user.focuses("TextInput")


async def test_spaces_around_and_between_words_are_tidied(services: Services) -> None:
    async with opened(services) as user:
        await to_stage_1(user)
        await user.paste("  Acme   live ")
        await user.press("enter")
        await user.sees("Entity Type Settings")
        assert user.app.screen._draft.name == "Acme live"  # type: ignore[attr-defined]


async def test_keys_of_the_app_are_letters_in_a_name(services: Services) -> None:
    async with opened(services) as user:
        await to_stage_1(user)
        await user.type("q?/cdy")
        await user.sees("q?/cdy")
        assert not user.has_left
