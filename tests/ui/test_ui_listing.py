"""The rows of the list: what is found, in which order, and which names are taken."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.listing import search
from m3cred_tui.listing.columns import ACCOUNT, ACCOUNT_ID, DESTINATION, NAME, STATUS, share
from m3cred_tui.listing.listing import STEP, Listing, Reading
from m3cred_tui.listing.search import plain, without_accents
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import Credential, OAuthModel, Status, StripeAccount
from m3cred_tui.model.name import name_key
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.store.problems import StoreUnusable
from m3cred_tui.ui.services import Services
from m3cred_tui.ui.widgets.credential_list import CredentialList
from tests.ui.conftest import Keep
from tests.ui.user import opened

Text = st.text(st.characters(categories=["L", "M", "N", "P", "Zs"]), max_size=8)
Letters = st.text("ab é-", max_size=9)
Parts = st.sampled_from(["00000001-aaaa", "0001-aaaa", "a 00000002", "aaaa"])


async def read(listing: Listing, store: CredentialStore) -> list[int]:
    """Read all there is; return how many were left each time that was reported."""
    return [left async for left in Reading(store, listing).catch_up()]


def names(listing: Listing) -> list[str]:
    listing.arrange()
    rows = [listing.row(one) for one in listing.shown]
    return [row.name for row in rows if isinstance(row, Credential)]


async def test_a_filter_covers_what_was_read_and_the_rest_once_it_is(
    keep: Keep, store: CredentialStore
) -> None:
    for name in ("Acme one", "Bolt", "Acme two"):
        keep(name)
    listing = Listing(store.read)
    listing.begin(store.newest(10).ids, STEP)
    assert names(listing) == ["Acme two", "Bolt", "Acme one"]
    listing.filter = "acme"
    assert names(listing) == []
    assert await read(listing, store) == [3, 0]
    assert names(listing) == ["Acme two", "Acme one"]


@pytest.mark.parametrize("sign", "✓✗…▌•◆")
async def test_the_signs_of_a_row_neither_keep_it_from_being_found_nor_are_marked_in_it(
    keep: Keep, store: CredentialStore, sign: str
) -> None:
    keep("Acme")
    keep("Bolt")
    listing = Listing(store.read)
    listing.begin(store.newest(10).ids, 2)
    listing.filter = f"{sign}Acme {sign} authenticated"
    assert names(listing) == ["Acme"]
    line = f"{sign}Acme  {sign} not it"
    assert search.found_in(line, listing.words) == [(1, 5)]


async def test_a_filter_finds_what_ends_soon_unless_a_check_has_failed(
    keep: Keep, store: CredentialStore
) -> None:
    used = datetime.now(UTC) - timedelta(days=340)
    for name in ("Acme", "Bolt", "Cora"):
        one = keep(name)
        if name != "Cora":
            store.update(
                one.id,
                lambda credential, tokens: (
                    credential,
                    tokens._replace(oauth=OAuthModel.APPS, obtained_at=used),
                ),
            )
    cora, bolt, acme = store.ids()
    listing = Listing(store.read)
    await read(listing, store)
    listing.filter = "expiring"
    assert names(listing) == ["Bolt", "Acme"]
    outcomes = {cora: Outcome.OK, bolt: Outcome.OK, acme: Outcome.REVOKED}
    results = {one: CheckResult(outcome, used) for one, outcome in outcomes.items()}
    assert listing.take_checks(results)
    listing.put_in_order()
    assert names(listing) == ["Bolt"]


async def test_accents_and_case_neither_hide_a_row_nor_sort_it_last(
    keep: Keep, store: CredentialStore
) -> None:
    for name in ("Zebra", "éclair", "Eagle", "Café"):
        keep(name)
    listing = Listing(store.read)
    await read(listing, store)
    listing.order = NAME
    listing.put_in_order()
    assert names(listing) == ["Café", "Eagle", "éclair", "Zebra"]
    listing.filter = "CAFE"
    assert names(listing) == ["Café"]


async def test_equal_rows_are_newest_first_in_every_order(
    keep: Keep, store: CredentialStore
) -> None:
    for number in range(4):
        keep(f"Acme {number}", livemode=number % 2 == 0)
    listing = Listing(store.read)
    await read(listing, store)
    listing.order = DESTINATION
    listing.put_in_order()
    assert names(listing) == ["Acme 2", "Acme 0", "Acme 3", "Acme 1"]
    listing.order = STATUS
    listing.put_in_order()
    assert names(listing) == ["Acme 3", "Acme 2", "Acme 1", "Acme 0"]


async def test_a_piece_of_an_id_finds_it_unless_it_is_in_every_other_id(
    keep: Keep, store: CredentialStore
) -> None:
    kept = [keep(name) for name in ("Xyz", "Xyy", "Xxy")]
    listing = Listing(store.read)
    await read(listing, store)
    for piece, found in ((kept[1].id, ["Xyy"]), (kept[1].id[-12:], ["Xyy"]), ("7", [])):
        listing.filter = ""
        for letter in piece:
            listing.filter += letter
            listing.arrange()
        assert names(listing) == found, piece


async def test_a_name_with_other_accents_is_not_a_taken_name(
    keep: Keep, store: CredentialStore
) -> None:
    keep("Café")
    listing = Listing(store.read)
    assert not listing.is_taken(name_key("CAFÉ"))  # it is not known yet
    await read(listing, store)
    assert listing.is_taken(name_key("CAFÉ"))
    assert not listing.is_taken(name_key("Cafe"))
    assert not listing.is_taken(name_key("Caf"))
    assert not listing.is_taken(name_key("Café Ltd"))  # the account's name, which is free


async def test_a_name_is_free_while_its_credential_is_pending_and_once_it_is_deleted(
    keep: Keep, store: CredentialStore
) -> None:
    keep("Waiting", status=Status.PENDING)
    acme = keep("Acme")
    listing = Listing(store.read)
    await read(listing, store)
    assert not listing.is_taken("waiting")
    assert listing.is_taken("acme")
    store.delete(acme.id)
    await read(listing, store)
    assert not listing.is_taken("acme")
    assert names(listing) == ["Waiting"]


async def test_sorting_while_rows_are_read_loses_none(
    keep: Keep, store: CredentialStore
) -> None:
    for name in ("Zebra", "Aardvark", "Mule"):
        keep(name)
    listing = Listing(store.read)
    listing.order = DESTINATION
    reading = Reading(store, listing).catch_up()
    assert await anext(reading) == 3
    listing.order = NAME
    listing.put_in_order()
    assert names(listing) == ["Mule", "Aardvark", "Zebra"]  # until they are read
    assert [left async for left in reading] == [0]
    assert names(listing) == ["Aardvark", "Mule", "Zebra"]


@given(texts=st.lists(Letters, max_size=30), typed=st.lists(Letters | Parts, max_size=3))
def test_the_filter_finds_the_same_however_it_was_typed(
    texts: Sequence[str], typed: Sequence[str]
) -> None:
    ids = [f"{number:08x}-aaaa" for number in range(len(texts))]
    listing = Listing(lambda _id: None)
    listing.begin(ids, len(ids))
    listing.take(dict(zip(ids, map(plain, texts), strict=True)))
    listing.put_in_order()
    # Letter by letter, as each search looks only where the one before it found something.
    for listing.filter in (whole[:end] for whole in typed for end in range(len(whole) + 1)):
        listing.arrange()
        words = search.words_of(listing.filter)
        found = [
            one
            for one, text in zip(ids, texts, strict=True)
            if all(
                word in plain(text) or (search.is_id_part(word) and word in one)
                for word in words
            )
        ]
        assert listing.shown == found


@given(Text)
def test_a_name_is_searched_by_its_key_without_accents(name: str) -> None:
    assert plain(name) == without_accents(name_key(name))


async def test_the_store_is_read_once_for_each_change(
    store: CredentialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = 1
    monkeypatch.setattr(store, "stamp", lambda: stamp)
    reading = Reading(store, Listing(store.read))
    assert reading.is_due()
    assert [left async for left in reading.catch_up()] == [0]
    assert not reading.is_due()
    stamp = 2
    assert reading.is_due()


async def test_after_a_failure_the_store_is_read_again_even_if_nothing_changed(
    keep: Keep, store: CredentialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("Acme")
    stamp = store.stamp()
    monkeypatch.setattr(store, "stamp", lambda: stamp)
    reading = Reading(store, Listing(store.read))
    assert [left async for left in reading.catch_up()] == [1, 0]
    assert not reading.is_due()
    with monkeypatch.context() as broken:
        broken.setattr(store, "ids", fail)
        with pytest.raises(StoreUnusable):
            [left async for left in reading.catch_up()]
    assert reading.is_due()
    async for _left in reading.catch_up():
        pass
    assert not reading.is_due()


def fail() -> Never:
    raise StoreUnusable(Path("store"), "it is gone")


async def test_neither_a_name_nor_an_account_is_cut_while_the_other_has_room_to_spare(
    services: Services, keep: Keep
) -> None:
    account = StripeAccount(
        "acct_1Kept", livemode=True, name="Amber Networks Ltd", country="GB"
    )
    keep("Acme", livemode=True, account=account)
    keep("Bolt")
    async with opened(services) as user:
        await user.sees("Amber Networks Ltd", "Stripe (Test Mode)")
        keep("Cora with a name as long as few have, and no longer")
        await user.sees("Cora with a name a…", "Amber Networks …")


def test_what_authorizes_another_again_says_so_and_until_when_if_that_fits(
    keep: Keep,
) -> None:
    one = keep("Acme", status=Status.PENDING)._replace(renews="x", account=None)
    assert STATUS.of(one, 15) == "… pending again"
    assert STATUS.of(one, 28).startswith("… pending again until ")


@pytest.mark.parametrize(("name", "account"), [(4, 18), (8, 45), (40, 8)])
def test_in_no_width_is_a_name_or_an_account_cut_that_the_other_could_make_room_for(
    name: int, account: int
) -> None:
    longest = (NAME, name), (ACCOUNT, account), (ACCOUNT_ID, 21)
    for width in range(58, 240):
        shown = dict(share(width, frozenset(), longest))
        if ACCOUNT in shown:
            is_cut = shown[NAME] < name, shown[ACCOUNT] < account
            assert not is_cut[0] or shown[ACCOUNT] <= max(account, len(ACCOUNT.short))
            assert not is_cut[1] or shown[NAME] <= name


async def test_the_cursor_stays_where_it_is_when_a_filter_is_closed_that_found_nothing(
    services: Services, keep: Keep
) -> None:
    for name in ("Cora", "Bolt", "Acme"):
        keep(name)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        for keys, then in ((["z", "escape"], "▌Cora"), ([*"bol", "enter", "escape"], "▌Bolt")):
            await user.press("end", "slash", *keys)
            await user.sees(then)
        await user.press("end", "slash", "b", "backspace")
        await user.sees("▌Cora")


async def test_no_column_moves_when_a_scrollbar_appears(services: Services, keep: Keep) -> None:
    keep("Acme 10")
    async with opened(services) as user:
        await user.sees("▌Acme 10")
        (credentials,) = user.app.screen.query(CredentialList)
        heading = user.lines[3]
        for number in range(11, 30):
            keep(f"Acme {number}")
        await user.until(lambda: credentials.show_vertical_scrollbar)
        assert user.lines[3] == heading
