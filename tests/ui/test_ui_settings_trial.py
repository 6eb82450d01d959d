"""Trying where the secret key comes from, before anything is saved."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from m3cred_tui.ui.services import Services
from tests.ui.settings_place import Place, choose, to_form
from tests.ui.user import User, opened

COMMAND, FILE = 1, 2


@pytest.fixture
def place(tmp_path: Path, services: Services) -> Place:
    return Place(tmp_path, services, {"PATH": "/usr/bin:/bin"})


async def enter(user: User, source: int, text: str) -> None:
    await to_form(user, test=True)
    await user.press("down")
    await choose(user, source)
    await user.paste(text)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (
            "printf 'sk_%s_x\\n' test",
            "✓ The secret key was found: sk_test_…. Stripe was not asked.",
        ),
        (
            "printf 'sk_%s_x\\n' live",
            "! This is a live key (sk_live_…), and Stripe (Test Mode) takes a test key: "
            "sk_test_ or rk_test_.",
        ),
        (
            "printf 'a\\nb\\n'",
            "! The command printed 2 lines; it must be only the key, on one line.",
        ),
        ("no-such-vault", "! The command was not found:"),
        ("exit 3", "! The command failed with status 3."),
        ("true", "! The command printed nothing."),
        (
            "echo sealed: sk_live'_canary' >&2; false",
            "! The command failed with status 1: sealed: sk_***",
        ),
    ],
)
@pytest.mark.quick(1)
async def test_the_outcome_of_a_key_command_is_shown_in_one_sentence_and_nothing_is_saved(
    place: Place, command: str, told: str
) -> None:
    async with opened(place.services) as user:
        await enter(user, COMMAND, command)
        await user.press("ctrl+t")
        await user.sees(told)
        assert user.page == "SetUpPage"
    assert place.content == ""


async def test_a_key_file_others_can_read_is_reported_with_the_fix(
    place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text("sk_test_canary\n")
    file.chmod(0o644)
    async with opened(place.services) as user:
        await enter(user, FILE, str(file))
        await user.press("ctrl+t")
        await user.sees("other users have access to it. Run: chmod 600")
        file.chmod(0o600)
        await user.press("ctrl+t")
        await user.sees("✓ The secret key was found: sk_test_….")
        assert "canary" not in user.screen


@pytest.mark.long
async def test_a_sealed_key_can_be_tried(place: Place) -> None:
    async with opened(place.services) as user:
        await to_form(user, test=True)
        await user.press("ctrl+t")
        await user.sees("! Stripe (Test Mode) is not set up: it has no secret key.")
        await user.press("down", "down")
        await user.paste("rk_test_canary")
        await user.press("ctrl+s")
        await user.sees("✓ Saved: secret key.")
        await user.press("ctrl+t")
        await user.sees("✓ The secret key was found: rk_test_….")


@pytest.mark.long
async def test_esc_stops_waiting_for_a_hanging_command(place: Place, tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    os.mkfifo(hold)
    async with opened(place.services) as user:
        await enter(user, COMMAND, f"cat {hold}")
        await user.press("ctrl+t")
        await user.sees("… Getting the secret key (0 s); Esc stops it")
        await user.press("up", "up")
        await user.paste("ca_x")  # the form goes on
        await user.sees("ca_x")
        await user.until(lambda: re.search(r"\([1-9]\d* s\)", user.screen))
        await user.press("escape")
        await user.sees("Stopped. A command that hangs is ended within 30 seconds.")
        assert user.page == "SetUpPage"
        with hold.open("w") as end:  # which ends the command
            await asyncio.to_thread(end.write, "x")
        await user.press("escape")
        await user.answers_yes()
        await user.until(lambda: user.page == "SettingsPage")
    assert place.content == ""


@pytest.mark.long
async def test_the_app_quits_while_a_command_hangs(place: Place, tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    os.mkfifo(hold)
    async with opened(place.services) as user:
        await enter(user, COMMAND, f"cat {hold}")
        await user.press("ctrl+t")
        await user.sees("Esc stops it")
        await user.press("ctrl+q")
        await user.answers_yes()
        await user.until(lambda: user.has_left)
    with hold.open("w") as end:
        await asyncio.to_thread(end.write, "x")
