"""The Settings screen, and the form that sets up a destination."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, OptionList, Select, Static
from textual.widgets.option_list import Option

from m3cred_tui.config.setup import Origin
from m3cred_tui.config.table import CHANNEL, OAUTH, SECRET_KEY, group_of, groups
from m3cred_tui.model.credential import DESTINATIONS, OAuthModel
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean_path
from m3cred_tui.system.threads import in_thread
from m3cred_tui.ui.screens.dialogs import YES, Confirm, agreed
from m3cred_tui.ui.screens.page import Page
from m3cred_tui.ui.widgets.controls import Press, fields, focus_first
from m3cred_tui.ui.widgets.setting import (
    SOURCE,
    ChoiceRow,
    FixedRow,
    KeyRow,
    LineRow,
    SettingRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import App, ComposeResult

    from m3cred_tui.config.editor import SettingsEditor
    from m3cred_tui.config.key_source import KeySource
    from m3cred_tui.config.setup import Setup
    from m3cred_tui.config.table import Group, Setting
    from m3cred_tui.ui.services import Services
    from m3cred_tui.ui.widgets.setting import Change


_DEMO = (
    "The demo Stripe needs no settings.\n\n"
    "To set up Stripe or Stripe (Test Mode), leave the demo, start m3cred without --demo, and "
    "return here."
)
_ORDER = "Environment variables take precedence over it; m3cred config shows the same."
_TO_DEMO = (
    "m3cred restarts with its demo Stripe, a separate data directory, and DEMO always in "
    "sight. To come back, leave the demo and start m3cred again."
)


def set_up_page(editor: SettingsEditor, code: str) -> SetUpPage:
    """Return the page that sets up the destination with this code."""
    destination = next(one for one in DESTINATIONS if one.code == code)
    return SetUpPage(editor, group_of(destination))


async def agreed_to_demo(app: App[Any], lost: str | None) -> bool:
    """Ask whether to switch to the demo, in a worker."""
    consequence = f"{_TO_DEMO} {lost}" if lost else _TO_DEMO
    question = Confirm("Try the demo?", consequence, no="Stay", yes="Try the demo")
    return await app.push_screen_wait(question) == YES


class _Destinations(OptionList):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Set up", tooltip="Set the selected destination up")
    ]


class SettingsPage(Page[None]):
    """The destinations; Enter sets up the selected one."""

    CSS_PATH = "settings.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "dismiss", "Back", tooltip="Back to Credentials"),
    ]

    def __init__(self, services: Services) -> None:
        super().__init__("Settings", demo=services.demo)
        self._editor = services.settings() if services.settings else None
        self._setups: list[Setup] = []

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(can_focus=self._editor is None):
            if self._editor is None:
                yield Static(_DEMO)
            else:
                yield _Destinations(compact=True)
                yield Static(id="facts")
                where = clean_path(self._editor.file)
                yield Static(Content(f"{where}\n{_ORDER}"), classes="note")

    def on_mount(self) -> None:
        if self._editor is not None:
            self._show(self._editor)

    def _show(self, editor: SettingsEditor) -> None:
        try:
            self._setups = [editor.setup(one) for one in groups()]
        except Problem as problem:
            self._setups = []
            self.query_one("#facts", Static).update(Content(f"! {problem}"))
        shown = self.query_one(OptionList)
        before = shown.highlighted or 0
        shown.display = bool(self._setups)
        shown.clear_options()
        width = max(len(one.label) for one in groups())
        for setup in self._setups:
            text = f"{setup.group.label:{width}}  {setup.state}"
            shown.add_option(Option(Content(text)))
        if self._setups:
            shown.highlighted = before
            shown.focus()

    @on(OptionList.OptionHighlighted)
    def _show_facts(self, message: OptionList.OptionHighlighted) -> None:
        setup = self._setups[message.option_index]
        told = fields(
            [
                (setting.label, f"{text}  ({origin})" if origin else text)
                for setting, text, origin in setup.lines()
            ]
        )
        if setup.problem:
            told = Content("\n\n").join([told, Content(f"! {setup.problem}")])
        self.query_one("#facts", Static).update(told)

    @on(OptionList.OptionSelected)
    @work(exclusive=True, group="set-up")
    async def _set_up(self, message: OptionList.OptionSelected) -> None:
        if self._editor is not None:
            group = self._setups[message.option_index].group
            await self.app.push_screen_wait(SetUpPage(self._editor, group))
            self._show(self._editor)


def rows(setup: Setup) -> Iterator[SettingRow]:
    """Yield a row for each setting that can be changed here or is set by the environment."""
    for setting, entry in setup.entries.items():
        if entry.origin is Origin.ENVIRONMENT:
            yield FixedRow(setup, setting)
        elif setting is SECRET_KEY:
            yield KeyRow(setup)
        elif setting.choices:
            yield ChoiceRow(setup, setting)
        elif setting.in_file:
            yield LineRow(setup, setting)


_OF_THE_KEY = {
    SOURCE: "Where m3cred gets the secret key from, each time it is needed.",
    SECRET_KEY.name: "Paste it here: it is sealed when you save, and never shown. Try it "
    "checks it first.",
}


def hint(name: str | None, group: Group) -> str:
    """Return the help for the control with this ID, or an empty string."""
    helps = {one.name: one.help_for(group.subject) for one in group.settings}
    return (helps | _OF_THE_KEY).get(name or "", "")


_UNSAVED = "What you entered for this destination is not saved."
_KEY_GOES = "The secret key that is sealed for this destination is removed with it."
_STOPPED = "Stopped. A command that hangs is ended within 30 seconds."


class _Lines(VerticalScroll, can_focus=False):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]


class SetUpPage(Page[None]):
    """A line per setting; nothing is written until everything entered is valid."""

    CSS_PATH = "settings.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", tooltip="Back; stops a trial that is running"),
        Binding("ctrl+s", "save", "Save", tooltip="Save what was entered"),
        Binding("ctrl+t", "try_key", "Try it", tooltip="Get the secret key, and check it"),
        Binding("up,left", "app.focus_previous", show=False),
        Binding("down,right", "app.focus_next", show=False),
    ]

    def __init__(self, editor: SettingsEditor, group: Group) -> None:
        super().__init__("Settings", group.label)
        self._editor = editor
        self._group = group
        self._saved = "Nothing was changed."

    def compose_body(self) -> ComposeResult:
        yield _Lines(id="settings")
        yield Static(id="hint")
        yield Static(id="outcome")
        with Horizontal():
            yield Press("Save", id="save", variant="primary", compact=True)
            yield Press("Try it", id="try", compact=True)

    async def on_mount(self) -> None:
        self.watch(self, "focused", self._show_hint)
        self.query_one("#try").display = SECRET_KEY in self._group.settings
        await self._read()

    @property
    def _rows(self) -> list[SettingRow]:
        return [*self.query(SettingRow)]

    @property
    def _changes(self) -> list[Change]:
        return [change for row in self._rows if (change := row.change()) is not None]

    @property
    def would_lose(self) -> str | None:
        return _UNSAVED if self._changes else None

    async def _read(self) -> Setup | None:
        """Show the current settings, and focus the first that is wrong or missing."""
        try:
            setup = self._editor.setup(self._group)
        except Problem as problem:
            self.query_one(Horizontal).display = False
            self._tell(f"! {problem}")
            return None
        lines = self.query_one("#settings")
        with self.app.batch_update():
            await lines.remove_children()
            await lines.mount_all(rows(setup))
            self._show_channel()
        wrong = [setting for setting, entry in setup.entries.items() if entry.problem]
        self._focus_first(*wrong, *setup.missing)
        return setup

    def _focus_first(self, *settings: Setting[object]) -> None:
        first = [row for one in settings for row in self._rows if row.setting is one]
        for row in (*first, *self._rows):
            if not isinstance(row, FixedRow):
                focus_first(row)
                return
        self.query_one("#try").focus()

    @on(Select.Changed, f"#{OAUTH.name}")
    def _show_channel(self) -> None:
        """Show the channel only for the OAuth model that has one."""
        for choice in self.query(ChoiceRow):
            if choice.setting is OAUTH:
                channel = self.query_one(f"#setting-{CHANNEL.name}")
                channel.display = choice.value == OAuthModel.APPS

    def _show_hint(self) -> None:
        """Mark the line that has the focus, and show its help."""
        for row in self._rows:
            row.set_class(row.has_focus_within, "-here")
        name = self.focused.id if self.focused else None
        self.query_one("#hint", Static).update(Content(hint(name, self._group)))

    def _tell(self, text: str) -> None:
        for outcome in self.query("#outcome").results(Static):  # none is left as the app ends
            outcome.update(Content(text))

    def _are_right(self) -> bool:
        """Check everything, and focus the first line that is wrong."""
        self._tell("")
        wrong = [row for row in self._rows if not row.is_right()]
        if wrong:
            focus_first(wrong[0])
        return not wrong

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        if not self.has_worker("save") and self._are_right():
            if self._changes:
                self._save(self._changes)
            else:  # as after a second, impatient key
                self._tell(self._saved)

    @work(group="save")
    async def _save(self, changes: list[Change]) -> None:
        loses = any(row.loses_sealed_key for row in self.query(KeyRow))
        question = Confirm("Save?", _KEY_GOES, no="No, keep it", yes="Yes, save")
        if loses and await self.app.push_screen_wait(question) != YES:
            return
        self._tell("… Saving")
        saved = list[str]()
        try:
            for change in changes:
                await asyncio.to_thread(self._editor.change, self._group, *change)
                noun = change.setting.noun
                saved.append(noun if change.text is not None else f"{noun} removed")
        except Problem as problem:
            self._tell(f"{_done(saved)} ! {problem}".strip())
        else:
            await self._after_saving(_done(saved))

    async def _after_saving(self, done: str) -> None:
        """Close the page, unless a setting is missing or wrong."""
        setup = await self._read()
        if setup is None:
            return
        if setup.missing:
            missing = ", ".join(one.noun for one in setup.missing)
            done += f" Still to be set: {missing}."
        elif not setup.problem:  # a problem is shown below its line, which has the focus
            told = "is set up." if setup.group.subject else "is used at the next start."
            self.dismiss()
            self.app.notify(f"{done} {self._group.label} {told}", markup=False)
            return
        self._saved = done
        self._tell(done)

    @on(Button.Pressed, "#try")
    def action_try_key(self) -> None:
        if (
            SECRET_KEY in self._group.settings
            and not self.has_worker("trial")
            and self._are_right()
        ):
            self._try(next((row.change() for row in self.query(KeyRow)), None))

    @work(group="trial")
    async def _try(self, key: Change | None) -> None:
        call = partial(self._editor.tried, self._group)
        if key is not None and key.text is not None:
            source = cast("Setting[KeySource]", key.setting)
            call = partial(self._editor.tried, self._group, source, key.text)
        seconds = count()

        def show_progress() -> None:
            self._tell(f"… Getting the secret key ({next(seconds)} s); Esc stops it")

        show_progress()
        progress = self.set_interval(1, show_progress)
        try:
            prefix = await in_thread(call, name="trial")
        except Problem as problem:
            self._tell(f"! {problem}")
        except asyncio.CancelledError:
            self._tell(_STOPPED)
            raise
        else:
            self._tell(f"✓ The secret key was found: {prefix}. Stripe was not asked.")
        finally:
            progress.stop()

    def action_back(self) -> None:
        """Stop the trial that is running, or else leave."""
        if self.has_worker("trial"):
            self.workers.cancel_group(self, "trial")
        elif not self.has_worker("save"):
            self._leave()

    @work(exclusive=True, group="leave")
    async def _leave(self) -> None:
        if await agreed(self.app, "Leave this page", lambda: self.would_lose):
            self.dismiss()


def _done(saved: list[str]) -> str:
    return f"✓ Saved: {', '.join(saved)}." if saved else ""
