"""Notices cover nothing that can be pressed or must be read, and go when they are obsolete."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.widget import Widget

from m3cred_tui.browser.ways import Ways
from m3cred_tui.model.credential import Status
from m3cred_tui.store.names import rename
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.ui.services import Services
from m3cred_tui.ui.widgets.bars import NoticeLine, noticing
from tests.ui.conftest import Keep
from tests.ui.scripted import READY, ScriptedAuthorizer
from tests.ui.settings_place import Place
from tests.ui.user import User, opened, straight_to_stage_4

SHORT = "Credential ID sent to the clipboard."
LONG = " ".join(["The store cannot be read, and here is why, at length."] * 5)
OFFER = "Stripe has approved “Acme”, not created yet."


@pytest.fixture
def over_ssh(services: Services, tmp_path: Path) -> Services:
    """Return the services of somebody over SSH, for whom stage 4 has the most to say."""
    environ = {"TERM": "xterm-256color", "SSH_CONNECTION": "1.2.3.4 5 10.0.0.9 22"}
    place = Place(tmp_path, services, {})
    return place.services._replace(
        ways=Ways(environ, services.ways.url_file),
        authorizer=lambda _: ScriptedAuthorizer([READY]),  # type: ignore[arg-type,return-value]
    )


async def every_page(user: User) -> AsyncIterator[str]:
    """Visit every page and dialog, and stop at each."""
    await user.focuses("CredentialList")
    await user.press("end")
    yield "the list, at its end"
    await user.press("question_mark")
    await user.until(lambda: user.page == "Help")
    yield "the keys"
    await user.press("escape", "d")
    await user.focuses("No, keep it")
    yield "a question with three answers"
    await user.press("escape", "enter")
    await user.sees("agrees with the fields above", "never checked")
    yield "the details"
    await user.press("escape", "comma")
    await user.focuses("_Destinations")
    yield "the settings"
    await user.press("enter")
    await user.until(lambda: user.page == "SetUpPage" and user.app.screen.focused)
    yield "a destination's settings"
    await user.press("escape", "escape", "c")
    await user.focuses("TextInput")
    yield "the name"
    await user.press("escape")
    await straight_to_stage_4(user)
    yield "before Stripe"
    await user.press("enter")
    await user.sees("https://connect.stripe", " left")
    yield "waiting for Stripe"


def covered(user: User) -> list[Widget]:
    """Return the widgets of which something else is drawn in a cell."""
    screen = user.app.screen
    placed = screen._compositor.visible_widgets
    leaves = [
        (one, region.intersection(clip))
        for one, (region, clip) in placed.items()
        if not one.children
    ]
    return [
        one
        for one, seen in leaves
        if any(
            one not in screen.get_widget_at(x, y)[0].ancestors_with_self
            for y in range(seen.y, seen.bottom)
            for x in (seen.x, seen.right - 1)
        )
    ]


@pytest.mark.quick(1)
@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=str)
@pytest.mark.quick(1)
async def test_a_notice_covers_nothing_on_any_page(
    over_ssh: Services, keep: Keep, size: tuple[int, int]
) -> None:
    for number in range(30):
        keep(f"Acme {number}")
    async with opened(over_ssh, size) as user:
        async for place in every_page(user):
            app, is_dialog = user.app, user.app.screen.is_modal
            before, focused = user.lines, app.screen.focused
            app.notify(SHORT)
            await user.pilot.pause()
            changed = [one for one, two in zip(user.lines, before, strict=True) if one != two]
            assert changed == ([] if is_dialog else [f" {SHORT}".ljust(size[0])]), place
            if is_dialog:
                continue
            app.notify(LONG, severity="error")
            await user.sees(f"! {LONG}")
            assert not user.shows(SHORT)
            assert covered(user) == [], place
            assert app.screen.focused is focused
            await user.until(user._sees_focus)
            await user.pilot.click(NoticeLine)
            await user.until(lambda: not user.shows(LONG))


async def test_a_notice_that_comes_behind_a_question_waits_to_be_seen(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("d")
        await user.focuses("No, keep it")
        user.app.notify(SHORT, timeout=0.001)
        assert [one.timer for one in user.app._notices] == [None]
        await user.press("escape")
        await user.until(lambda: user.app._notices == [])


async def test_an_answer_to_a_key_is_seen_however_many_notices_there_are(
    services: Services, keep: Keep
) -> None:
    rows = [keep(name) for name in ("Acme", "Bolt", "Cora", "Dora")]
    async with opened(services) as user:
        await user.focuses("CredentialList")
        for row in rows:
            noticing(user.app).notify(f"About {row.name}.", markup=False, about=[row])
        await user.press("y")
        await user.sees("sent to your terminal", "About Acme.", "About Bolt.")
        assert not user.shows("About Cora.")


async def test_an_answer_to_a_key_is_gone_with_its_page_and_after_a_while(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("enter")
        await user.sees("agrees with the fields above")
        await user.press("y")
        await user.sees("Credential ID of “Acme” sent to your terminal")
        await user.press("escape")
        await user.focuses("CredentialList")
        assert not user.shows("sent to your terminal")
        user.app.notify(SHORT, timeout=0.001)
        await user.until(lambda: not user.app._notices and not user.shows(SHORT))


async def test_an_offer_to_resume_is_gone_when_its_credential_is_renamed_created_or_deleted(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    acme, bolt = keep("Acme"), keep("Bolt")
    keep("Cora")
    async with opened(services) as user:
        app = noticing(user.app)
        await user.focuses("CredentialList")
        for one in (acme, bolt):
            app.notify(f"About {one.name}.", severity="warning", markup=False, about=[one])
        await user.sees("! About Acme.", "! About Bolt.")
        rename(store, acme, "Acme again", at=services.now(), by="bob@server")
        await user.until(lambda: not user.shows("About Acme."))
        assert user.shows("! About Bolt.")
        store.delete(bolt.id)
        await user.until(lambda: not user.shows("About"))


async def test_an_offer_to_resume_is_gone_when_it_is_taken(
    services: Services, keep: Keep
) -> None:
    keep("Acme", status=Status.PENDING)
    async with opened(services) as user:
        await user.sees(OFFER)
        await user.press("enter")
        await user.focuses("Create Credential")
        assert not user.shows(OFFER)
        await user.press("escape", "escape", "escape", "escape")
        await user.focuses("CredentialList")
        assert not user.shows(OFFER)


async def test_notices_are_shown_as_plain_text_and_their_severity_without_colours(
    services: Services,
) -> None:
    async with opened(services) as user:
        user.app.notify("[b]Not bold[/b]", severity="warning", markup=True)
        await user.sees("! [b]Not bold[/b]")


async def test_an_answer_of_a_stage_is_gone_when_the_stage_is_left(over_ssh: Services) -> None:
    async with opened(over_ssh) as user:
        await straight_to_stage_4(user)
        await user.press("enter")
        await user.sees(" left")
        await user.press("y")
        await user.sees("URL sent to your terminal's clipboard.")
        await user.press("escape")
        await user.sees("Destination Settings")
        assert not user.shows("sent to your terminal")
