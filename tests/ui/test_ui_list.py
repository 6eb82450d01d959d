import operator
from pathlib import Path

import pytest

from m3cred_tui.listing.listing import SCREENFUL
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import Status
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.ui.services import Services, View
from m3cred_tui.ui.widgets.credential_list import CredentialList
from m3cred_tui.ui.widgets.pane import DetailsPane
from tests.ui.conftest import Clock, Keep
from tests.ui.records import copy
from tests.ui.user import opened


async def test_without_credentials_the_page_says_what_to_do(services: Services) -> None:
    async with opened(services) as user:
        await user.sees(
            "Integrations › Credentials",
            "There are no credentials yet.",
            "Press Enter to create the first one.",
            "https://support.m3ter.com/",
            "DEMO",
        )
        await user.focuses("Create Integration Credential")
        for key in ("y", "d", "slash", "s", "down", "up"):
            await user.press(key)
            assert user.page == "CredentialsPage"


async def test_the_newest_is_first_and_selected(services: Services, keep: Keep) -> None:
    for name in ("Zebra", "Aardvark", "Mule"):
        keep(name)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        assert user.rows() == ["Mule", "Aardvark", "Zebra"]
        await user.sees("3 credentials", "▌Mule")


async def test_live_and_test_credentials_differ_in_words(
    services: Services, keep: Keep
) -> None:
    keep("Acme", livemode=True)
    keep("Bolt")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        acme, bolt = (
            next(line for line in user.lines if name in line) for name in ("Acme", "Bolt")
        )
        assert "Test Mode" not in acme
        assert "Stripe (Test Mode)" in bolt


async def test_rows_take_the_colours_of_a_new_theme_and_of_the_focus(
    services: Services, keep: Keep
) -> None:
    keep("Acme", livemode=True)
    keep("Bolt")
    keep("Cord")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        rows = user.app.screen.query_one(CredentialList)

        def colours() -> list[object]:
            return [[part.style for part in rows.render_line(line)] for line in (1, 2, 3)]

        before = colours()
        user.app.theme = "textual-light"
        await user.until(lambda: all(map(operator.ne, before, colours())))
        focused = colours()
        rows.screen.set_focus(None)
        await user.until(lambda: colours()[0] != focused[0])


async def test_the_sort_key_goes_through_the_columns_and_keeps_the_selected_row(
    services: Services, keep: Keep
) -> None:
    keep("Zebra", livemode=True)
    for name in ("Aardvark", "Mule"):
        keep(name)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("down", "s")
        assert user.rows() == ["Aardvark", "Mule", "Zebra"]
        await user.sees("Name▾", "▌Aardvark")
        for heading in ("Destination", "Account", "Status", "Created"):
            await user.press("s")
            await user.sees("▌Aardvark")
            assert any(f"{heading}▾" in line for line in user.lines), heading
        assert user.rows() == ["Mule", "Aardvark", "Zebra"]


async def test_shift_s_reverses_the_order_and_a_click_on_a_heading_sorts(
    services: Services, keep: Keep
) -> None:
    for name in ("Zebra", "Aardvark", "Mule"):
        keep(name)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("S")
        await user.sees("Created▴")
        assert user.rows() == ["Zebra", "Aardvark", "Mule"]
        await user.pilot.click(CredentialList, offset=(3, 0))
        await user.sees("Name▾", "▌Mule")
        assert user.rows() == ["Aardvark", "Mule", "Zebra"]
        await user.pilot.click(CredentialList, offset=(3, 0))
        await user.sees("Name▴", "▌Mule")
        assert user.rows() == ["Zebra", "Mule", "Aardvark"]
        await user.press("s")
        await user.sees("Account▾")


@pytest.mark.parametrize("count", [3, SCREENFUL + 1])
async def test_order_and_theme_are_kept_for_the_next_start(
    services: Services, keep: Keep, tmp_path: Path, count: int
) -> None:
    file = tmp_path / "state" / "view"
    for number in range(count):
        keep(f"{number * 7 % count:03} of them")
    async with opened(services._replace(view=View(file))) as user:
        await user.focuses("CredentialList")
        await user.press("s", "S")
        user.app.theme = "textual-light"
    assert file.stat().st_mode & 0o777 == 0o600
    async with opened(services._replace(view=View(file).read())) as user:
        await user.sees("Name▴", f"▌{count - 1:03} of them")
        assert user.rows()[:2] == [f"{count - 1:03} of them", f"{count - 2:03} of them"]
        assert user.app.theme == "textual-light"


@pytest.mark.parametrize("content", [b"", b"\xff\n\n\n", b"x\n" * 2_000, b"a\nb\nc\n"])
def test_a_damaged_file_of_the_last_view_is_ignored_and_logged(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o700)
    file = tmp_path / "view"
    file.write_bytes(content)
    file.chmod(0o600)
    view = View(file).read()
    assert (view.theme, view.order, view.is_reversed) == ("", "", False)
    assert "ignored how the list was shown last" in caplog.text


async def test_a_pending_credential_is_selected_in_a_list_that_was_sorted(
    services: Services, keep: Keep
) -> None:
    keep("Zebra", status=Status.PENDING)
    for number in range(SCREENFUL):
        keep(f"Acme {number}")
    async with opened(services._replace(view=View(order="Name"))) as user:
        await user.sees("Name▾", "▌Zebra", "Press Enter on it to continue.")


async def test_columns_that_say_the_same_in_each_row_give_their_room_to_names(
    services: Services, keep: Keep
) -> None:
    long = "A customer with a long name"
    keep("Acme")
    keep(long)
    async with opened(services) as user:
        await user.sees("2 credentials: Bill, Stripe (Test Mode)", f"▌{long}")
        assert not user.shows("Destination")
        keep("Bolt", livemode=True)
        await user.sees("3 credentials: Bill", "Destination")
        assert not user.shows("Bill, Stripe")


async def test_a_wide_window_shows_account_id_mode_last_check_and_who_created_it(
    services: Services, store: CredentialStore, keep: Keep, clock: Clock
) -> None:
    acme = keep("Acme", livemode=True)
    keep("Bolt")
    store.checks.keep({acme.id: CheckResult(Outcome.REVOKED, clock())})
    async with opened(services, (200, 50)) as user:
        await user.sees("Account ID", "Mode", "Last check", "Created by")
        await user.until(lambda: any(_is_whole(line) for line in user.lines))


def _is_whole(line: str) -> bool:
    words = ("Acme", "LIVE", "Acme Ltd", "acct_1Kept0000", "revoked", "ann@server")
    return all(word in line for word in words)


async def test_a_wide_window_shows_the_details_of_the_row_where_the_cursor_rests(
    services: Services, store: CredentialStore, keep: Keep, clock: Clock
) -> None:
    kept = [keep(name) for name in ("Acme", "Bolt", "Cord")]
    async with opened(services, (120, 40)) as user:
        await user.focuses("CredentialList")
        await user.sees(kept[2].id, "Account ID acct_1Kept0002")
        await user.press("down", "down")
        await user.sees(kept[0].id, "Account ID acct_1Kept0000", "▌Acme")
        lost = CheckResult(Outcome.REVOKED, clock())
        store.checks.keep({kept[0].id: lost})
        await user.sees("Last check revoked, 2026-11-23")
        await user.press("slash", *"bolt")
        await user.sees(kept[1].id, "1 of 3 credentials")
        await user.resize(119, 40)
        await user.until(lambda: not user.shows(kept[1].id))
        await user.resize(140, 40)
        await user.sees(kept[1].id)


async def test_keys_in_a_row_leave_the_details_alone_until_the_cursor_rests(
    services: Services, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [keep(name) for name in ("Acme", "Bolt", "Cord")]
    monkeypatch.setattr(DetailsPane, "RESTS_AFTER", 3_600)
    async with opened(services, (120, 40)) as user:
        await user.focuses("CredentialList")
        await user.sees(kept[2].id)
        await user.press("down")
        await user.sees("▌Bolt", kept[2].id)


async def test_what_the_filter_has_found_is_marked_in_its_row(
    services: Services, keep: Keep
) -> None:
    keep("Café Bolt")
    keep("Bolt")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("slash", *"cafe LTD")
        await user.sees("1 of 2 credentials")
        line = user.app.screen.query_one(CredentialList).render_line(1)
        marked = [part.text for part in line if part.style and part.style.underline]
        assert marked == ["Café", "Café", "Ltd"]  # in the name and the account's
        await user.press("escape")
        line = user.app.screen.query_one(CredentialList).render_line(1)
        assert not [part for part in line if part.style and part.style.underline]


async def test_the_filter_finds_words_of_any_column_in_any_order(
    services: Services, keep: Keep
) -> None:
    keep("Acme", livemode=True)
    bolt = keep("Bolt")
    keep("Cafe\u0301")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        for words, found in (
            ("mode test", ["Café", "Bolt"]),
            ("BOLT ltd", ["Bolt"]),
            ("CAFÉ", ["Café"]),
            (bolt.id[:13], ["Bolt"]),
            (bolt.id[-8:], ["Bolt"]),
            ("acct_1kept0001", ["Bolt"]),
            ("live ann@server", ["Acme"]),
        ):
            await user.press("slash")
            await user.focuses("FilterLine")
            await user.paste(words)
            await user.sees(f"{len(found)} of 3 credentials")
            assert user.rows() == found
            await user.press("escape")
            await user.sees("3 credentials")
            assert user.rows() == ["Café", "Bolt", "Acme"]


async def test_a_filter_that_finds_nothing_says_how_to_see_all_again(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("slash", "x", "y")
        await user.sees("No credential matches the filter. Press Esc to see all.", "0 of 1")
        await user.focuses("FilterLine")
        await user.press("escape")
        await user.focuses("CredentialList")
        await user.sees("▌Acme")


async def test_enter_in_the_filter_goes_to_what_was_found(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    keep("Bolt")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("slash", *"acm", "enter")
        await user.focuses("CredentialList")
        await user.press("enter")
        await user.until(lambda: user.page == "DetailsPage")
        await user.sees("Integrations › Credentials › Acme")


async def test_emptying_the_filter_by_hand_does_not_take_the_keys_away(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("slash", "q", "backspace", "q")
        await user.focuses("FilterLine")
        assert not user.has_left


async def test_arrow_keys_lead_to_the_create_button_and_back_to_the_list(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("up")
        await user.focuses("Create Integration Credential")
        await user.press("down")
        await user.focuses("CredentialList")
        await user.press("enter")
        await user.until(lambda: user.page == "DetailsPage")


async def test_the_credential_id_is_sent_to_the_terminals_clipboard(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    bolt = keep("Bolt")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("y")
        await user.sees("Credential ID of “Bolt” sent to your terminal's clipboard.")
        assert user.clipboard == bolt.id


async def test_deleting_asks_with_the_name_and_the_safe_answer_keeps_it(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    for name in ("Acme", "Bolt", "Coil"):
        keep(name)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("down")
        for keep_it in ("enter", "escape"):
            await user.press("d")
            await user.sees("Delete “Bolt”?", "it cannot be brought back")
            await user.focuses("No, keep it")
            await user.press(keep_it)
            await user.focuses("CredentialList")
        assert len(store.ids()) == 3
        await user.press("d")
        await user.answers_yes()
        await user.focuses("CredentialList")
        assert user.rows() == ["Coil", "Acme"]
        await user.sees("▌Acme", "2 credentials")
        assert len(store.ids()) == 2


async def test_after_the_last_is_deleted_the_page_says_what_to_do(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("d")
        await user.answers_yes()
        await user.sees("There are no credentials yet.")
        await user.focuses("Create Integration Credential")
        assert store.ids() == []


async def test_a_name_is_free_again_once_its_credential_is_deleted(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("d")
        await user.answers_yes()
        await user.focuses("Create Integration Credential")
        await user.press("enter")
        await user.focuses("TextInput")
        await user.paste("Acme")
        await user.press("enter")
        await user.sees("Entity Type Settings")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 99}'])
@pytest.mark.quick(1)
async def test_a_damaged_record_is_a_row_with_its_reason_and_can_be_deleted(
    services: Services, keep: Keep, credentials: Path, store: CredentialStore, text: str
) -> None:
    kept = keep("Acme")
    keep("Bolt")
    (credentials / f"{kept.id}.json").write_text(text)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("down")
        await user.sees("✗ damaged:", "2 credentials")
        await user.press("enter")
        await user.until(lambda: user.page == "DetailsPage")
        await user.sees(kept.id, "Damaged")
        await user.press("d")
        await user.sees(f"Delete “{kept.id}”?")
        await user.answers_yes()
        await user.focuses("CredentialList")
        assert user.rows() == ["Bolt"]
        assert len(store.ids()) == 1


async def test_a_credential_that_another_session_deleted_harms_nothing(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    acme = keep("Acme")
    empty = "There are no credentials yet."
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("enter")
        await user.until(lambda: user.page == "DetailsPage")
        store.delete(acme.id)
        await user.press("d")
        await user.until(lambda: user.page == "Confirm" or user.shows(empty))
        if user.page == "Confirm":
            await user.answers_yes()
        await user.sees(empty)


async def test_a_data_directory_that_is_open_to_others_is_reported_in_place_of_the_list(
    services: Services, keep: Keep, credentials: Path
) -> None:
    keep("Acme")
    credentials.chmod(0o755)  # noqa: ASYNC240  a test's own
    async with opened(services) as user:
        await user.sees("cannot be used: other users have access to it.", "chmod 700")
        assert not user.shows("There are no credentials yet.")


async def test_of_thousands_the_last_is_reached_found_and_sorted(
    services: Services, keep: Keep, credentials: Path
) -> None:
    keep("Copied")
    copy(credentials, 1_000)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.sees("▌Copied 999", "1,000 credentials")
        await user.press("pagedown")
        seen = len(user.rows())
        await user.sees(f"▌Copied {999 - seen}")
        await user.press("end")
        assert user.rows()[-1] == "Copied"
        await user.press("enter")
        await user.until(lambda: user.page == "DetailsPage")
        await user.press("escape")
        await user.focuses("CredentialList")
        await user.press("home", "slash", *"copied 55", "enter")
        await user.sees("19 of 1,000 credentials", "▌Copied 955")
        await user.press("s")
        await user.sees("Name▾", "▌Copied 955")
        assert user.rows()[-3:] == ["Copied 755", "Copied 855", "Copied 955"]


async def test_a_click_selects_and_a_double_click_opens(services: Services, keep: Keep) -> None:
    for name in ("Acme", "Bolt", "Coil"):
        keep(name)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.pilot.click("CredentialList", offset=(5, 3))
        await user.sees("▌Acme")
        await user.pilot.click("CredentialList", offset=(5, 2), times=2)
        await user.until(lambda: user.page == "DetailsPage")
        await user.sees("Integrations › Credentials › Bolt")
