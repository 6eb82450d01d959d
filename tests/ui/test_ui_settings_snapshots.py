"""What the settings look like; the pictures are looked at by a person before they are kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from m3cred_tui.ui.app import M3credApp
from m3cred_tui.ui.services import Services
from tests.ui.pictures import Snap, Walk, looks_as_before
from tests.ui.settings_place import Place, choose, to_form
from tests.ui.user import User, straight_to_stage_4, to_stage_2, to_stage_3

pytestmark = [
    pytest.mark.parametrize(
        "size", [(80, 24), (60, 20)], ids=lambda size: f"{size[0]}x{size[1]}"
    ),
    pytest.mark.long,
]

SET = """\
[stripe_test]
client_id = "ca_Abc123"
secret_key_command = "pass show stripe/test | head -1"

[stripe]
client_id = "acct_1"
"""
ENVIRONMENT = {
    "M3CRED_STRIPE_CLIENT_ID": "ca_Abc123",
    "M3CRED_STRIPE_SECRET_KEY_COMMAND": "pass show stripe/live",
    "M3CRED_STRIPE_PORTS": "80",
}


@pytest.fixture
def snap(snap_compare: Snap, services: Services, tmp_path: Path) -> Callable[..., bool]:
    """Compare what is seen after a walk, where this is set."""

    def compare(
        walk: Walk,
        size: tuple[int, int],
        file: str = "",
        environ: dict[str, str] | None = None,
        theme: str = "",
    ) -> bool:
        place = Place(tmp_path, services, environ or {})
        if file:
            place.write(file)
        app = M3credApp(place.services)
        return looks_as_before(snap_compare, app, walk, size, theme)

    return compare


async def to_settings(user: User) -> None:
    await user.press("comma")
    await user.sees("m3cred config shows the same.")


def test_picture_of_the_settings_before_anything_is_set(
    snap: Snap, size: tuple[int, int]
) -> None:
    assert snap(to_settings, size)


def test_picture_of_the_settings(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await to_settings(user)
        await user.press("down")
        await user.sees("printed by: pass show")

    assert snap(walk, size, SET)


def test_picture_of_settings_that_are_wrong(snap: Snap, size: tuple[int, int]) -> None:
    assert snap(to_settings, size, SET)


def test_picture_of_the_form_of_live_mode(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await to_form(user)
        await user.paste("ca_Abc123")
        await user.press("down", "down")
        await user.paste("sk_test_canary")
        await user.press("down")
        await user.sees("This is a test key", "m3cred relay-page")

    assert snap(walk, size)


def test_picture_of_the_form_with_every_line_wrong(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await to_form(user)
        for downs, text in (
            ((), "sk_live_x"),
            (("down", "down"), "ca_x"),
            (("down",), "http://127.0.0.1/"),
            (("down",), "80"),
        ):
            await user.press(*downs)
            await user.paste(text)
        await user.press("ctrl+s")
        await user.until(lambda: user.focus == "SettingLine")

    assert snap(walk, size)


def test_picture_of_the_form_in_sixteen_colours(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await to_form(user, test=True)
        await user.press("down")
        await user.focuses("DropDown")

    assert snap(walk, size, SET, theme="ansi-dark")


def test_picture_of_the_form_without_colours(
    snap: Snap, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def walk(user: User) -> None:
        await to_form(user, test=True)
        await user.press("down")
        await user.focuses("DropDown")

    assert snap(walk, size, SET)


def test_picture_of_the_sources_of_the_secret_key(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await to_form(user, test=True)
        await user.press("down", "enter")
        await user.focuses("SelectOverlay")

    assert snap(walk, size, SET)


def test_picture_of_a_command_that_was_tried(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await to_form(user, test=True)
        await user.press("down")
        await choose(user, 1)
        await user.paste("printf 'a\\nb\\n'")
        await user.press("ctrl+t")
        await user.sees("The command printed 2 lines")

    assert snap(walk, size)


def test_picture_of_what_the_environment_sets(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await to_form(user)
        await user.sees("M3CRED_STRIPE_PORTS")

    assert snap(walk, size, "", ENVIRONMENT)


def test_picture_of_the_settings_in_the_demo(
    snap_compare: Snap, services: Services, size: tuple[int, int]
) -> None:
    app = M3credApp(services)

    async def before(pilot: Any) -> None:
        user = User(app, pilot)
        await user.press("comma")
        await user.sees("needs no settings")

    assert snap_compare(app, terminal_size=size, run_before=before)


def test_picture_of_a_destination_that_is_not_set_up(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await straight_to_stage_4(user)
        await user.press("enter")
        await user.focuses("Set up Stripe")

    assert snap(walk, size)


def test_picture_of_the_empty_page_before_anything_is_set(
    snap: Snap, size: tuple[int, int]
) -> None:
    async def walk(user: User) -> None:
        await user.sees("Set up a destination")

    assert snap(walk, size)


def test_picture_of_a_choice_that_is_not_set_up(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await to_stage_2(user)
        await to_stage_3(user)
        await user.press("enter")
        await user.focuses("SelectOverlay")
        await user.press("enter")
        await user.focuses("Set up Stripe")

    assert snap(walk, size)
