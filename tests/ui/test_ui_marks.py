"""Space marks credentials, and check and delete act on the marked ones."""

import asyncio
from pathlib import Path

import pytest

from m3cred_tui.model.credential import Status
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Browser, Keep
from tests.ui.user import User, opened, straight_to_stage_4


async def marked(user: User) -> None:
    """Mark the first two credentials."""
    await user.focuses("CredentialList")
    await user.press("home", "space", "space")
    await user.sees("2 marked")


async def test_space_marks_a_row_and_goes_on_and_escape_unmarks_all(
    services: Services, keep: Keep
) -> None:
    for name in ("Cora", "Bolt", "Acme"):
        keep(name)
    async with opened(services) as user:
        await marked(user)
        lines = [line.split()[0] for line in user.lines if " Ltd " in line]
        assert lines == ["•Acme", "•Bolt", "▌Cora"]
        await user.press("up", "space")
        await user.sees("1 marked, 3 credentials")
        await user.press("up", "up")
        assert "◆Acme" in user.screen
        await user.sees("v Check", "esc Unmark")
        await user.resize(60, 20)
        await user.sees("v Check", "d Delete", "esc Unmark")
        await user.press("escape")
        assert not user.shows("marked")
        assert "▌Acme" in user.screen


async def test_delete_asks_once_about_all_that_are_marked_and_names_them(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    cora, *_ = (keep(name) for name in ("Cora", "Bolt", "Acme"))
    async with opened(services) as user:
        await marked(user)
        await user.press("d")
        await user.sees("Delete 2 credentials?", "“Acme”, “Bolt”", "stay connected")
        await user.focuses("No, keep them")
        await user.press("escape")
        await user.sees("2 marked")
        await user.press("d")
        await user.answers_yes()
        await user.until(lambda: store.ids() == [cora.id])
        await user.sees("1 credential")
        assert not user.shows("marked")


async def test_check_asks_stripe_about_all_that_are_marked(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    _cora, bolt, acme = (keep(name) for name in ("Cora", "Bolt", "Acme"))
    async with opened(services) as user:
        await marked(user)
        await user.press("v")
        await user.sees("Checked 2: 2 revoked")
    assert {*store.checks.read()} == {acme.id, bolt.id}


@pytest.mark.long
async def test_marked_ones_are_disconnected_together_and_others_that_lose_access_are_named(
    services: Services, browser: Browser, keep: Keep, store: CredentialStore
) -> None:
    async with opened(services) as user:
        for name in ("Acme", "Bolt"):
            await straight_to_stage_4(user, name)
            await user.press("enter")
            await user.until(lambda: browser.opened)
            await browser.approve()
            browser.opened.clear()
            await user.focuses("Create Credential")
            await user.press("enter")
            await user.focuses("CredentialList")
        await marked(user)
        await user.press("d", "down", "down")
        await user.focuses("Delete them, and disconnect at Stripe")
        await user.press("enter")
        await user.until(lambda: store.ids() == [])


@pytest.mark.long
async def test_a_question_about_forty_can_be_read_and_answered_in_a_small_window(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    for number in range(40):
        keep(f"A customer with a long name {number:02}", status=Status.PENDING)
    async with opened(services, (60, 20)) as user:
        await user.focuses("CredentialList")
        await user.press(*["space"] * 40)
        await user.sees("40 marked")
        await user.press("d")
        await user.sees("Delete 40 credentials?", "long name 39")
        await user.focuses("No, keep them")
        assert not user.shows("long name 00")
        await user.press(*["pagedown"] * 8)
        await user.sees("long name 00", "counts for nothing")
        await user.focuses("No, keep them")


async def test_each_that_cannot_be_deleted_has_its_line_and_stays_marked(
    services: Services, keep: Keep, tmp_path: Path
) -> None:
    keep("Acme")
    keep("Bolt")
    async with opened(services) as user:
        await marked(user)
        await user.press("d")
        await user.focuses("No, keep them")
        lock = tmp_path / "data" / "lock"
        await asyncio.to_thread(lock.unlink)
        await asyncio.to_thread(lock.mkdir)
        await user.answers_yes()
        await user.sees("! “Bolt” was not deleted: ", "“Acme” was not deleted: ")
        await user.sees("2 marked")
