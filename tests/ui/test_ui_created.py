"""What the list says after a credential was created, and what it sends to the clipboard."""

import json

from m3cred_tui.model.credential import integration_fields
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Browser, Keep
from tests.ui.user import opened, straight_to_stage_4

NEXT = (
    "“Acme” is created. Next: choose it in the Integration Configuration in m3ter; "
    "i sends its integration fields to the clipboard."
)


async def test_after_it_is_created_a_line_says_what_is_next_until_it_is_deleted(
    services: Services, browser: Browser
) -> None:
    async with opened(services) as user:
        await straight_to_stage_4(user, "Acme")
        await user.press("enter")
        await user.until(lambda: browser.opened)
        await browser.approve()
        await user.focuses("Create Credential")
        await user.press("enter")
        await user.focuses("CredentialList")
        await user.sees(NEXT)
        await user.press("i")
        await user.sees("Integration fields of “Acme” sent to your terminal's clipboard.")
        assert not user.shows("is created")  # one answer at a time
        assert json.loads(user.clipboard)["name"] == "Acme"
        await user.press("d")
        await user.answers_yes()
        await user.sees("There are no credentials yet.")
        assert not user.shows("is created")


async def test_the_fields_of_the_selected_credential_are_sent_from_the_list(
    services: Services, keep: Keep
) -> None:
    one, _ = keep("Acme"), keep("Bolt")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("down", "i")
        await user.until(lambda: user.clipboard)
        assert json.loads(user.clipboard) == integration_fields(one)
