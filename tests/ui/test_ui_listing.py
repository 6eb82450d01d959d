"""The list's rows while they are read in another thread."""

import pytest

from m3cred_tui.model.credential import Credential
from m3cred_tui.model.name import name_key
from m3cred_tui.store.store import CredentialStore
from m3cred_tui.ui.columns import NAME
from m3cred_tui.ui.listing import Listing
from tests.ui.conftest import Keep


def names(listing: Listing) -> list[str]:
    rows = [listing.row(one) for one in listing.shown]
    return [row.name for row in rows if isinstance(row, Credential)]


def test_sorting_at_any_moment_while_rows_are_read_does_not_crash(
    keep: Keep, store: CredentialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Zebra", "Aardvark", "Mule"):
        keep(name)
    listing = Listing(store.read)
    listing.renew(*store.newest(10))
    listing.order = NAME
    sorting = False

    def while_sorting(text: str) -> str:
        nonlocal sorting
        if not sorting:  # the other thread's turn, in the middle of reading a row
            sorting = True
            listing.arrange()
            sorting = False
        return name_key(text)

    monkeypatch.setattr("m3cred_tui.ui.listing.name_key", while_sorting)
    for _left in listing.read_rest(batch=1):
        listing.arrange()
    assert names(listing) == ["Aardvark", "Mule", "Zebra"]


def test_rows_that_are_gone_free_their_names(keep: Keep, store: CredentialStore) -> None:
    acme = keep("Acme")
    listing = Listing(store.read)
    listing.renew(*store.newest(10))
    list(listing.read_rest())
    assert "acme" in listing.taken_names
    store.delete(acme.id)
    listing.renew(*store.newest(10))
    assert "acme" not in listing.taken_names
    listing.arrange()
    assert names(listing) == []


def test_a_filter_covers_what_was_read_and_the_rest_once_it_is(
    keep: Keep, store: CredentialStore
) -> None:
    for name in ("Acme one", "Bolt", "Acme two"):
        keep(name)
    listing = Listing(store.read)
    listing.renew(*store.newest(10))
    listing.filter = "acme"
    listing.arrange()
    assert listing.shown == []
    list(listing.read_rest())
    listing.arrange()
    assert names(listing) == ["Acme two", "Acme one"]
