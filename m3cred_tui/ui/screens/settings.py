"""The Settings screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from m3cred_tui.config.table import group_of, groups
from m3cred_tui.model.credential import DESTINATIONS
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.ui.screens.confirm import YES, Confirm
from m3cred_tui.ui.screens.page import Page
from m3cred_tui.ui.screens.settings_form import SetUpPage
from m3cred_tui.ui.widgets.controls import fields
from m3cred_tui.ui.widgets.key_line import KeyLine
from m3cred_tui.ui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from textual.app import App, ComposeResult

    from m3cred_tui.config.editor import SettingsEditor
    from m3cred_tui.config.setup import Setup
    from m3cred_tui.ui.services import Services


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
    """Return the page that sets up the destination of this code."""
    destination = next(one for one in DESTINATIONS if one.code == code)
    return SetUpPage(editor, group_of(destination))


async def agreed_to_demo(app: App[Any], lost: str | None) -> bool:
    """Ask whether to leave for the demo, in a worker."""
    consequence = f"{_TO_DEMO} {lost}" if lost else _TO_DEMO
    question = Confirm("Try the demo?", consequence, no="Stay", yes="Try the demo")
    return await app.push_screen_wait(question) == YES


class _Destinations(OptionList):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Set up", tooltip="Set the selected destination up")
    ]


class SettingsPage(Page[None]):
    """Lists the destinations; Enter sets the selected one up."""

    CSS_PATH = "settings.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "dismiss", "Back", tooltip="Back to Credentials"),
    ]

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._editor = services.settings() if services.settings else None
        self._demo = services.demo
        self._setups: list[Setup] = []

    def compose(self) -> ComposeResult:
        yield TitleBar("Settings", demo=self._demo)
        with VerticalScroll(can_focus=self._editor is None):
            if self._editor is None:
                yield Static(_DEMO)
            else:
                yield _Destinations(compact=True)
                yield Static(id="facts")
                where = clean(str(self._editor.file), most=4096)
                yield Static(Content(f"{where}\n{_ORDER}"), classes="note")
        yield KeyLine()

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
