"""What another m3cred, a script or an editor does to the store while the list is shown."""

import asyncio
import os
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from m3cred_tui.listing.listing import Listing, Reading
from m3cred_tui.model.credential import Credential, TokenResponse
from m3cred_tui.store.port import CredentialStore, Damaged, Stamp
from m3cred_tui.ui.app import M3credApp
from m3cred_tui.ui.screens.credentials import CredentialsPage
from m3cred_tui.ui.services import Services
from tests.ui import records
from tests.ui.conftest import Keep
from tests.ui.user import User, opened

OFTEN, NEVER = 0.1, 3600.0  # a pause in between, else the app is never idle


@pytest.fixture(autouse=True)
def every(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Look at the store often, unless told otherwise."""

    def look_every(seconds: float) -> None:
        monkeypatch.setattr(CredentialsPage, "WATCH_EVERY", seconds)

    look_every(OFTEN)
    return look_every


def renamed(name: str) -> Callable[..., tuple[Credential, TokenResponse]]:
    return lambda credential, tokens: (credential._replace(name=name), tokens)


async def test_a_credential_of_another_session_appears_and_the_cursor_stays(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.sees("▌Acme")
        keep("Bolt")
        await user.sees("2 credentials", "▌Acme")
        assert user.rows() == ["Bolt", "Acme"]


async def test_the_first_credential_of_another_session_takes_the_place_of_the_empty_page(
    services: Services, keep: Keep
) -> None:
    async with opened(services) as user:
        await user.sees("There are no credentials yet.")
        keep("Acme")
        await user.sees("1 credential", "▌Acme")
        assert not user.shows("There are no credentials yet.")
        assert user.focus == "Create Integration Credential"  # no key goes elsewhere


async def test_a_credential_that_is_deleted_elsewhere_vanishes(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    _, bolt, _ = (keep(name) for name in ("Acme", "Bolt", "Coil"))
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("down")
        await user.sees("▌Bolt")
        store.delete(bolt.id)
        await user.sees("2 credentials", "▌Acme")
        assert user.rows() == ["Coil", "Acme"]


async def test_with_the_last_credential_the_focus_goes_to_create(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    acme = keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        store.delete(acme.id)
        await user.sees("There are no credentials yet.")
        await user.focuses("Create Integration Credential")


async def test_the_question_deletes_what_it_names_whatever_changes_behind_it(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    acme, bolt, _ = (keep(name) for name in ("Acme", "Bolt", "Coil"))
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("down", "d")
        await user.sees("Delete “Bolt”?")
        keep("Dyno")
        store.delete(acme.id)
        await user.answers_yes()
        await user.sees("2 credentials")
        await user.until(lambda: user.rows() == ["Dyno", "Coil"])
        assert bolt.id not in store.ids()


async def test_changes_behind_a_dialog_are_shown_when_it_closes(
    services: Services, keep: Keep, every: Callable[[float], None]
) -> None:
    every(NEVER)
    keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("d")
        await user.sees("Delete “Acme”?")
        keep("Bolt")
        await user.press("escape")
        await user.sees("2 credentials", "▌Acme")


async def test_a_changed_credential_is_shown_and_found_as_it_is_now(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    acme = keep("Acme")
    keep("Bolt")
    async with opened(services) as user:
        await user.sees("Acme")
        store.update(acme.id, renamed("Changed"))
        await user.sees("Changed", "▌Bolt")
        await user.press("slash", *"chang")
        await user.sees("1 of 2 credentials", "▌Changed")


async def test_a_record_that_is_damaged_elsewhere_is_a_damaged_row(
    services: Services, keep: Keep, credentials: Path
) -> None:
    acme = keep("Acme")
    async with opened(services) as user:
        await user.sees("▌Acme")
        records.replace(credentials / f"{acme.id}.json", b"{")
        await user.sees("▌✗ damaged: it is not whole JSON")


async def test_rows_vanish_and_return_with_their_directory(
    services: Services, keep: Keep, credentials: Path
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.sees("▌Acme")
        credentials.rename(credentials.with_name("away"))  # noqa: ASYNC240
        await user.sees("There are no credentials yet.")
        credentials.with_name("away").rename(credentials)
        await user.sees("1 credential", "▌Acme")
        await user.press("down", "slash", *"acm")
        await user.sees("1 of 1 credential")


async def test_a_directory_that_cannot_be_used_is_reported_below_the_rows_until_it_is_fixed(
    services: Services, keep: Keep, credentials: Path
) -> None:
    for name in ("Acme", "Bolt"):
        keep(name)
    async with opened(services) as user:
        await user.sees("▌Bolt")
        credentials.chmod(0o755)  # noqa: ASYNC240  a test's own
        await user.sees("cannot be used: other users have access to it.", "chmod 700")
        assert user.rows() == ["Bolt", "Acme"]
        await user.press("down")
        await user.sees("▌Acme")
        credentials.chmod(0o700)  # noqa: ASYNC240
        await user.until(lambda: not user.shows("cannot be used"))
        assert user.rows() == ["Bolt", "Acme"]


async def test_filter_and_order_apply_to_credentials_of_other_sessions(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    for name in ("Acme two", "Bolt", "Acme three"):
        keep(name)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("s", "slash", *"acme", "enter")
        await user.focuses("CredentialList")
        await user.press("down")
        await user.sees("▌Acme two")
        keep("Acme one")
        keep("Coil")
        await user.sees("3 of 5 credentials", "▌Acme two")
        assert user.rows() == ["Acme one", "Acme three", "Acme two"]


async def test_a_scrolled_list_stands_still_when_rows_come_above_it(
    services: Services, keep: Keep, credentials: Path
) -> None:
    keep("Copied")
    records.copy(credentials, 100)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("pagedown", "pagedown", "pagedown", "up", "up")
        before = user.rows()
        selected = line_of_cursor(user)
        for name in ("Acme", "Bolt", "Coil"):
            keep(name)
        await user.sees("103 credentials")
        assert user.rows() == before
        assert line_of_cursor(user) == selected


def line_of_cursor(user: User) -> tuple[int, str]:
    return next((at, line) for at, line in enumerate(user.lines) if "▌" in line)


async def test_at_the_top_of_a_long_list_a_new_credential_becomes_visible(
    services: Services, keep: Keep, credentials: Path
) -> None:
    keep("Copied")
    records.copy(credentials, 100)
    async with opened(services) as user:
        await user.sees("▌Copied 99")
        keep("Acme")
        await user.sees("101 credentials", "▌Copied 99")
        assert user.rows()[:2] == ["Acme", "Copied 99"]


def stop_the_clock_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let no later change of the directory have another time; return that of the last one."""
    status, lstat = folder.lstat(), Path.lstat

    def unchanged(path: Path) -> os.stat_result:
        return status if path == folder else lstat(path)

    monkeypatch.setattr(Path, "lstat", unchanged)
    monkeypatch.setattr(time, "time_ns", count(status.st_ctime_ns).__next__)
    return status.st_ctime_ns


async def test_a_change_in_the_same_tick_of_the_clock_as_our_look_is_seen_later(
    keep: Keep, store: CredentialStore, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("Acme")
    changed = stop_the_clock_of(credentials, monkeypatch)
    ids = store.ids

    def another_is_created_right_after() -> list[str]:
        found = ids()
        if len(found) == 1:
            keep("Bolt")
        return found

    monkeypatch.setattr(store, "ids", another_is_created_right_after)
    listing = Listing(store.read)
    reading = Reading(store, listing)
    assert [left async for left in reading.catch_up()] == [1, 0]
    assert reading.is_due()
    monkeypatch.setattr(time, "time_ns", lambda: changed + 1_000_000_000)
    assert [left async for left in reading.catch_up()] != []
    assert len(listing.ids) == 2
    assert not reading.is_due()


@pytest.mark.parametrize("was_read", [False, True], ids=["first reading", "later one"])
async def test_damage_found_by_details_outlives_a_read_of_the_list_that_began_before(
    store: CredentialStore, keep: Keep, monkeypatch: pytest.MonkeyPatch, was_read: bool
) -> None:
    forged = keep("Acme")
    listing = Listing(store.read)
    reading = Reading(store, listing)
    if was_read:
        assert [left async for left in reading.catch_up()]
        keep("Bolt")
    ids, loop = store.ids, asyncio.get_running_loop()
    damaged = Damaged(forged.id, "its fields were changed after it was sealed")

    async def open_details() -> None:
        listing.learn(damaged)

    def details_are_opened_meanwhile() -> list[str]:
        found = ids()
        asyncio.run_coroutine_threadsafe(open_details(), loop).result()
        return found

    monkeypatch.setattr(store, "ids", details_are_opened_meanwhile)
    assert [left async for left in reading.catch_up()]
    assert listing.row(forged.id) == damaged
    for word, found in (("changed", [forged.id]), ("acme", [])):
        listing.filter = word
        listing.arrange()
        assert listing.shown == found


async def test_what_details_have_found_damaged_stays_so_when_its_record_is_read_again(
    store: CredentialStore, keep: Keep, credentials: Path
) -> None:
    """A record that was written last may count as written again for a while."""
    forged = keep("Acme")
    listing = Listing(store.read)
    reading = Reading(store, listing)
    assert [left async for left in reading.catch_up()]
    damaged = Damaged(forged.id, "its fields were changed after it was sealed")
    listing.learn(damaged)
    (credentials / f"{forged.id}.json").touch()
    keep("Bolt")
    assert [left async for left in reading.catch_up()]
    assert listing.row(forged.id) == damaged
    store.update(forged.id, lambda credential, tokens: (credential._replace(name="B"), tokens))
    assert [left async for left in reading.catch_up()]
    assert listing.row(forged.id) == store.read(forged.id)


async def test_nothing_is_written_while_nothing_changes(
    services: Services, keep: Keep, store: CredentialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("Acme")
    glances, painted = 0, 0
    stamp, display = store.stamp, M3credApp._display

    def count_glance() -> Stamp:
        nonlocal glances
        glances += 1
        return stamp()

    def count_paint(app: M3credApp, *what: Any) -> None:
        nonlocal painted
        painted += 1
        display(app, *what)

    monkeypatch.setattr(store, "stamp", count_glance)
    async with opened(services) as user:
        await user.sees("▌Acme")
        before = glances
        await user.until(lambda: glances > before + 10)  # the young stamp is old by then
        monkeypatch.setattr(M3credApp, "_display", count_paint)
        before = glances
        await user.until(lambda: glances > before + 10)
        assert painted == 0
        keep("Bolt")
        await user.sees("2 credentials")
        assert painted > 0
