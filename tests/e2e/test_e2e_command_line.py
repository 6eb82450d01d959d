"""``m3cred create`` and ``m3cred resume`` with a real browser, and the app beside them."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.browsers import OpenedUrls, approve, approve_and_return, refuse
from tests.e2e.conftest import Home, Start
from tests.e2e.live import demo_stripe, run_m3cred
from tests.e2e.terminal import CTRL_C, ENTER, Terminal
from tests.e2e.wizard import WAITING, create_credential, go_to_stripe, to_authenticate

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

WAITS, QUESTION = "waits for your approval until", "Create the credential? [y/N]"


class SetUp(NamedTuple):
    """A user who is set up for test mode, by the environment alone."""

    home: Home
    settings: dict[str, str]

    async def run(self, *arguments: str, given: str = "", status: int = 0) -> str:
        environ = {**self.home.environ, **self.settings}
        return (await run_m3cred(environ, *arguments, given=given, status=status)).stdout

    def files(self, folder: str) -> list[Path]:
        return [*(self.home.path / "data" / "m3cred" / folder).glob("*.json")]


@pytest_asyncio.fixture(loop_scope="session")
async def user(home: Home) -> AsyncIterator[SetUp]:
    with demo_stripe(home) as stripe:
        values = {
            **stripe["test"],
            **{name: value for name, value in stripe.items() if name.endswith("_base")},
        }
        settings = {f"M3CRED_STRIPE_TEST_{name.upper()}": one for name, one in values.items()}
        yield SetUp(home, settings)


@pytest_asyncio.fixture(loop_scope="session")
async def command(user: SetUp, start: Start) -> Terminal:
    """Return ``m3cred create`` in a dumb terminal."""
    dumb = {**user.settings, "TERM": "dumb"}
    command = await start("create", "--name", "Acme", environ=dumb)
    await command.shows(WAITS)
    return command


@pytest.mark.long
async def test_in_a_dumb_terminal_the_browser_brings_it_to_the_question(
    command: Terminal, user: SetUp, opened: OpenedUrls, page: Page
) -> None:
    await approve_and_return(page, await opened.next())
    await expect(page.get_by_role("heading")).to_contain_text("Stripe approved access")
    await command.shows(QUESTION)
    assert user.files("credentials") == []
    command.press("y", ENTER)
    assert await command.ends() == 0
    await command.shows("The credential “Acme” is created:")
    assert b"\x1b" not in command.raw
    assert len(user.files("credentials")) == 1


async def test_a_wrong_paste_and_then_the_right_one(
    command: Terminal, user: SetUp, opened: OpenedUrls, page: Page
) -> None:
    address = await approve(page, await opened.next())
    command.press(page.url, ENTER)
    await command.shows("! This is Stripe's own page.")
    command.press(address, ENTER)
    await command.shows(QUESTION)
    command.press("y", ENTER)
    assert await command.ends() == 0
    assert address.partition("code=")[2][:12].encode() not in command.raw


@pytest.mark.long
async def test_a_refusal_in_the_browser_ends_it(
    command: Terminal, user: SetUp, opened: OpenedUrls, page: Page
) -> None:
    await refuse(page, await opened.next())
    assert await command.ends() == 1
    await command.shows("m3cred: Access was refused on Stripe's page.")
    assert user.files("pending") == []


@pytest.mark.long
async def test_a_script_begins_and_another_one_completes(user: SetUp, page: Page) -> None:
    begin = json.loads(await user.run("create", "--name", "Acme", "--begin", "--json"))
    address = await approve(page, begin["url"])
    complete = ("create", "--complete", begin["id"], "--yes", "--json")
    end = json.loads(await user.run(*complete, given=f"{address}\n"))
    assert (end["credential"]["id"], end["error"]) == (begin["id"], None)
    assert [file.stem for file in user.files("credentials")] == [begin["id"]]


@pytest.mark.long
async def test_what_a_command_has_begun_the_app_finishes(
    command: Terminal, user: SetUp, opened: OpenedUrls, start: Start, page: Page
) -> None:
    url = await opened.next()
    command.press(CTRL_C)
    assert await command.ends() == 130
    app = await start(environ=user.settings)
    await app.shows("“Acme” waits for Stripe until")
    await app.settles()
    app.press(ENTER)
    await app.shows(WAITING)
    await approve_and_return(page, url)
    await create_credential(app)


@pytest.mark.long
async def test_what_the_app_has_begun_a_command_finishes(
    user: SetUp, opened: OpenedUrls, start: Start, page: Page
) -> None:
    app = await start(environ=user.settings)
    await app.shows("There are no credentials yet")
    await to_authenticate(app)
    url = await go_to_stripe(app, opened)
    app.press("q")
    assert await app.ends() == 0
    command = await start("resume", environ=user.settings)
    await command.shows(WAITS)
    await approve_and_return(page, url)
    await command.shows(QUESTION)
    command.press("y", ENTER)
    assert await command.ends() == 0


@pytest.mark.long
async def test_the_demo_stripe_comes_with_the_command(
    start: Start, opened: OpenedUrls, page: Page, home: Home
) -> None:
    create = ("create", "--name", "Acme", "--destination", "stripe_test")
    command = await start("--demo", *create)
    await approve_and_return(page, await opened.next())
    await command.shows(QUESTION)
    command.press(CTRL_C)
    assert await command.ends() == 130
    assert re.search(r"m3cred --demo resume [0-9a-f-]{36}", command.text)
    again = await start("--demo", "resume")
    await again.shows(QUESTION)
    again.press("y", ENTER)
    assert await again.ends() == 0
    assert [record["name"] for record in home.saved()] == ["Acme"]


@pytest.mark.long
async def test_revoked_by_its_owner_it_is_authorized_again_and_used_under_the_same_id(
    command: Terminal, user: SetUp, start: Start, opened: OpenedUrls, page: Page
) -> None:
    await approve_and_return(page, await opened.next())
    await command.shows(QUESTION)
    command.press("y", ENTER)
    assert await command.ends() == 0
    (record,) = user.files("credentials")
    show_key = ("exec", "Acme", "--", "printenv", "STRIPE_API_KEY")
    old_key = await user.run(*show_key)

    await page.goto(f"{user.settings['M3CRED_STRIPE_TEST_API_BASE']}/installed-apps")
    await page.get_by_role("button", name="Disconnect m3ter").click()
    await expect(page.get_by_text("access to no account")).to_be_visible()
    found = await user.run("check", "Acme", status=1)
    assert "revoked" in found
    assert "Run: m3cred reauthorize Acme" in found

    app = await start(environ=user.settings)
    await app.shows("a Authorize again")
    app.press("a")
    await app.focuses("Go to Stripe")
    app.press(ENTER)
    await approve_and_return(page, await opened.next())
    await app.shows("It is the same account as before.")
    assert await user.run(*show_key) == old_key, "until it is confirmed"
    await app.focuses("Use the new approval")
    app.press(ENTER)
    await app.shows("✓ authenticated")
    app.press("q")
    assert await app.ends() == 0

    assert [one.stem for one in user.files("credentials")] == [record.stem]
    assert user.files("pending") == []
    await user.run("check", "Acme")
    assert await user.run(*show_key) not in {old_key, ""}
    history = json.loads(await user.run("show", "Acme", "--json"))["history"]
    assert [one["what"] for one in history] == ["created", "authorized", "checked"]
