"""Somebody at the keyboard, who sees what the terminal shows."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual import events
from textual._wait import wait_for_idle
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widgets import Button

from m3cred_tui.model.credential import BILL, STRIPE, Draft
from m3cred_tui.ui.app import M3credApp
from m3cred_tui.ui.screens.create import CreatePage
from m3cred_tui.ui.services import Services
from m3cred_tui.ui.widgets.credential_list import CredentialList

SIZE = (80, 24)
_PATIENCE = 10.0
_CLIPBOARD = re.compile(r"\x1b\]52;c;([^\a]*)\a")


class User:
    """Presses keys and looks; what is asserted is what is on the screen."""

    def __init__(self, app: M3credApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.clipboard = ""
        """What was sent to the terminal's clipboard last."""
        driver = app._driver
        assert driver is not None
        self._write, driver.write = driver.write, self._written  # type: ignore[method-assign]

    def _written(self, data: str) -> None:
        if sent := _CLIPBOARD.search(data):
            self.clipboard = base64.b64decode(sent[1]).decode()
        self._write(data)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.until(lambda: self.app._keys._following is None)  # none is held back

    async def types_ahead(self, *keys: str) -> None:
        """Press keys without waiting for what each of them does."""
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*text)

    async def answers_yes(self) -> None:
        """Give the answer of a question that is not the safe one."""
        await self.until(lambda: self.page == "Confirm")
        await self.press("right", "enter")

    async def paste(self, text: str) -> None:
        """Paste into what has the focus, as a terminal with bracketed paste does."""
        self.app.post_message(events.Paste(text))
        await self.pilot.pause()

    async def resize(self, width: int, height: int) -> None:
        await self.pilot.resize_terminal(width, height)
        await self.pilot.pause()

    async def until(self, holds: Callable[[], object]) -> None:
        """Let the app work until ``holds``; what is shown instead is the failure."""
        try:
            async with asyncio.timeout(_PATIENCE):
                if holds():
                    return
                while not holds():
                    await wait_for_idle(0)  # the pilot would wake every widget each time
                    self.app.screen._on_timer_update()
                await self.pilot.pause()  # until all is drawn that changes at the same time
        except TimeoutError:
            raise AssertionError(f"focus: {self.focus}\n{self.screen}") from None

    async def sees(self, *words: str) -> None:
        """Wait until all of ``words`` are shown, each within one widget, wrapped or not."""
        await self.until(lambda: all(self.shows(word) for word in words))

    def shows(self, words: str) -> bool:
        return any(words in " ".join(seen.split()) for seen in self._widgets_as_seen())

    @property
    def lines(self) -> list[str]:
        """The lines of the whole screen."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def screen(self) -> str:
        return "\n".join(self.lines)

    @property
    def focus(self) -> str:
        """The button's label, or else the kind of widget that has the focus."""
        focused = self.app.screen.focused
        if isinstance(focused, Button):
            return str(focused.label)
        return type(focused).__name__

    async def focuses(self, name: str) -> None:
        """Wait until the focus lies on this, where it can be seen."""
        await self.until(lambda: self.focus == name and self._sees_focus())

    def _sees_focus(self) -> bool:
        focused = self.app.screen.focused
        if focused is None:
            return False
        seen = self.app.screen.find_widget(focused).visible_region
        return seen.size == focused.region.size

    def rows(self) -> list[str]:
        """Return the names in the list, from its top."""
        (credentials,) = self.app.screen.query(CredentialList)
        region, (_, wide) = credentials.region, credentials.columns[0]
        shown = (line[region.x : region.right] for line in self.lines[region.y : region.bottom])
        return [line[1 : 1 + wide].strip() for line in list(shown)[1:] if line.strip()]

    def shows_address(self, url: str) -> bool:
        """Tell whether a URL is on the screen, however it is wrapped."""
        return any(url in "".join(seen.split()) for seen in self._widgets_as_seen())

    @property
    def has_left(self) -> bool:
        """Whether the app is about to end."""
        return self.app._exit

    @property
    def page(self) -> str:
        return type(self.app.screen).__name__

    def _widgets_as_seen(self) -> list[str]:
        lines = self.lines
        seen = ["\n".join(lines)]
        for widget in self.app.screen.walk_children():
            if (
                isinstance(region := getattr(widget, "content_region", None), Region)
                and region.area
            ):
                cut = lines[max(0, region.y) : region.bottom]
                seen.append("\n".join(line[region.x : region.right] for line in cut))
        return seen


@asynccontextmanager
async def opened(services: Services, size: tuple[int, int] = SIZE) -> AsyncIterator[User]:
    """Open the app on a terminal of ``size``."""
    app = M3credApp(services)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        try:
            yield User(app, pilot)
        finally:
            app._is_leaving = True  # which exit() sets, and the end of run_test does not call


async def straight_to_stage_4(user: User, name: str = "Acme live") -> None:
    """Be at stage 4 without the way there, which takes most of a test's time."""
    await user.press("c")
    await user.focuses("TextInput")
    page = user.app.screen
    assert isinstance(page, CreatePage)
    page._draft = Draft(name, BILL, STRIPE)
    await page._go_to(3)
    await user.focuses("Go to Stripe")


async def to_stage_4(user: User, name: str = "Acme live", *, test: bool = False) -> None:
    """Go from the Credentials page to stage 4 by Enter and the arrow keys."""
    await to_stage_2(user, name)
    await to_stage_3(user)
    await user.press("enter")
    await user.focuses("SelectOverlay")
    await user.press(*(["down"] if test else []), "enter")
    await user.focuses("Next")
    await user.press("enter")
    await user.focuses("Go to Stripe")


async def to_stage_2(user: User, name: str = "Acme") -> None:
    """Name a credential; the only entity type is chosen already."""
    await user.press("c")
    await user.focuses("TextInput")
    await user.paste(name)
    await user.press("enter")
    await user.sees("Entity Type Settings", "Bill")
    await user.focuses("Next")


async def to_stage_3(user: User) -> None:
    """Go on from stage 2 to a choice between two destinations."""
    await user.press("enter")
    await user.sees("Destination Settings")
    await user.focuses("DropDown")
