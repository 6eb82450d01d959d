"""Renaming a credential, by n in the list and in the details."""

import pytest

from m3cred_tui.model.credential import Event, Happened
from m3cred_tui.store.fields import secret_fields
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Keep
from tests.ui.test_ui_details import to_details
from tests.ui.user import User, opened


async def types_name(user: User, name: str) -> None:
    await user.focuses("TextInput")
    await user.press("ctrl+u")
    await user.paste(name)


@pytest.mark.quick(1)
async def test_n_renames_the_selected_credential_and_its_row_stays_selected(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    bolt = keep("Bolt")
    acme = keep("Acme lvie")
    tokens = secret_fields(store.tokens(acme.id))
    async with opened(services) as user:
        await user.sees("n Rename")
        await user.press("n")
        await user.sees("Rename “Acme lvie”", "Its Credential ID stays")
        await types_name(user, " Acme  live")
        await user.press("enter")
        await user.focuses("CredentialList")
        await user.sees("▌Acme live")
        assert user.rows() == ["Acme live", "Bolt"]
    event = Event(Happened.RENAMED, services.now(), "ann@server", "Acme lvie")
    assert store.read(acme.id) == acme._replace(name="Acme live", history=(event,))
    assert secret_fields(store.tokens(acme.id)) == tokens
    assert store.read(bolt.id) == bolt


async def test_the_details_show_the_new_name_and_the_list_behind_them_too(
    services: Services, keep: Keep
) -> None:
    keep("Acme lvie")
    async with opened(services) as user:
        await to_details(user)
        await user.press("n")
        await types_name(user, "Acme live")
        await user.press("down", "enter")  # the button
        await user.sees("Integrations › Credentials › Acme live", "Name Acme live")
        await user.press("end")
        await user.sees("created, authorized by ann@server", "renamed by ann@server, from")
        await user.press("escape")
        await user.sees("▌Acme live")
        await user.press("slash", *"live")
        await user.sees("1 of 1 credential")


async def test_a_name_that_cannot_be_is_told_as_it_is_typed_and_changes_nothing(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    keep("Bolt")
    acme = keep("Acme")
    async with opened(services) as user:
        await user.sees("2 credentials")
        await user.press("n")
        await types_name(user, "bolt")
        await user.sees("! Another credential already has this name.")
        await user.press("enter")
        assert user.page == "Rename"
        await types_name(user, "ACME")  # its own name, in other letters
        await user.until(lambda: not user.shows("already has this name"))
        await user.press("escape")
        await user.focuses("CredentialList")
    assert store.read(acme.id) == acme


async def test_a_name_that_another_process_has_taken_meanwhile_is_refused(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    acme = keep("Acme")
    async with opened(services) as user:
        await user.press("n")
        await types_name(user, "Bolt")
        keep("Bolt")
        await user.press("enter")
        await user.sees("! Another credential already has the name “Bolt”.")
        await user.press("escape")
        await user.sees("Acme")
    assert store.read(acme.id) == acme


async def test_what_is_deleted_or_pending_is_not_renamed(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    acme = keep("Acme")
    async with opened(services) as user:
        await user.sees("▌Acme")
        await user.press("n")
        await types_name(user, "Bolt")
        store.delete(acme.id)
        await user.press("enter")
        await user.sees("no longer exists")
        await user.press("escape")
        await user.sees("There are no credentials yet.")
        assert not user.shows("n Rename")
