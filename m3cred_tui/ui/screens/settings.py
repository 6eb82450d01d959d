"""The Settings screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from m3cred_tui.config.setup import NOT_SET, Entry, Origin, Setup, value_text
from m3cred_tui.model.credential import DESTINATIONS
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.ui.screens.confirm import YES, Confirm
from m3cred_tui.ui.screens.page import Page
from m3cred_tui.ui.widgets.controls import fields
from m3cred_tui.ui.widgets.key_line import KeyLine
from m3cred_tui.ui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import App, ComposeResult

    from m3cred_tui.model.credential import Destination
    from m3cred_tui.ui.screens.settings_form import SetUpPage
    from m3cred_tui.ui.services import Services, SettingUp


LABELS = {
    "client_id": "Client id",
    "secret_key": "Secret key",
    "redirect_uri": "Redirect URI",
    "ports": "Ports",
    "oauth": "OAuth model",
    "channel": "Channel",
    "connect_base": "Connect at",
    "marketplace_base": "Marketplace at",
    "api_base": "API at",
}
OAUTH_MODELS = [("Connect", "connect"), ("Stripe Apps", "apps")]

_HINTS = {
    "client_id": "ca_…, from the Connect or Stripe Apps settings of Stripe's dashboard. Live "
    "mode and test mode each have one of their own.",
    "secret_key_source": "Where m3cred gets the secret key from, each time it is needed.",
    "secret_key": "Paste it here: it is sealed when you save, and never shown. Try it checks "
    "it before.",
    "secret_key_command": "Run by /bin/sh, prints the key alone within 30 seconds. It has no "
    "terminal to ask on, so unlock before what it needs.",
    "secret_key_file": "Holds the key alone. It must be yours, with no access for others "
    "(0600), as ssh's keys.",
    "ports": "1 to 10 ports from 1024 up; the first that is free is listened on.",
    "oauth": "How accounts give access: by Connect, or by an app of Stripe Apps.",
    "channel": "chnlink_…, from the install link of an app that is not published yet; "
    "otherwise empty.",
}
_REDIRECT_LIVE = (
    "In live mode Stripe takes https:// only: a page on a web server of yours, which m3cred "
    "relay-page writes. Register the same address at Stripe."
)
_REDIRECT_TEST = (
    "Empty: one for each port, http://127.0.0.1:PORT/callback. Register the same at Stripe, "
    "character by character."
)


def hint(name: str, destination: Destination) -> str:
    """Return what is to be entered in a line, or nothing."""
    if name == "redirect_uri":
        return _REDIRECT_LIVE if destination.livemode else _REDIRECT_TEST
    return _HINTS.get(name, "")


def state(setup: Setup) -> str:
    """Return how a destination stands."""
    if setup.problem:
        return "not usable"
    return "not set up" if setup.missing else "set up"


def facts(setup: Setup) -> list[tuple[str, str]]:
    """Return each value of interest, and where it is from."""
    return [(LABELS[name], text) for name, text in _values(setup)]


def named(name: str) -> str:
    """Return what a setting is called in a sentence."""
    label = LABELS["secret_key" if name.startswith("secret_key") else name]
    return label if label[:2].isupper() else label[0].lower() + label[1:]


def _values(setup: Setup) -> Iterator[tuple[str, str]]:
    for name, entry in setup.entries():
        is_seldom = name.endswith("_base") or name == "channel"
        if not is_seldom or entry.origin is not Origin.DEFAULT:
            text = value_text(setup, name)
            where = "" if text == NOT_SET else f"  ({_where(entry)})"
            yield name, f"{text}{where}"


def _where(entry: Entry[object]) -> str:
    return entry.place if entry.origin is Origin.ENVIRONMENT else str(entry.origin)


_DEMO = (
    "The demo Stripe needs no settings.\n\n"
    "To set Stripe or Stripe (Test Mode) up, leave the demo, start m3cred without --demo, and "
    "come here again."
)
_ORDER = "Variables of the environment go before it; m3cred config shows the same."
_TO_DEMO = (
    "m3cred starts anew with its demo Stripe, a data directory of its own, and DEMO always in "
    "sight. To come back, leave the demo and start m3cred again."
)


def set_up_page(setting_up: SettingUp, code: str) -> SetUpPage:
    """Return the page that sets up the destination of this code."""
    from m3cred_tui.ui.screens.settings_form import SetUpPage  # noqa: PLC0415 - imports this

    return SetUpPage(setting_up, next(one for one in DESTINATIONS if one.code == code))


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
        self._setting_up = services.setting_up
        self._demo = services.demo
        self._setups: list[Setup] = []

    def compose(self) -> ComposeResult:
        yield TitleBar("Settings", demo=self._demo)
        with VerticalScroll(can_focus=self._setting_up is None):
            if self._setting_up is None:
                yield Static(_DEMO)
            else:
                yield _Destinations(compact=True)
                yield Static(id="facts")
                where = clean(str(self._setting_up.file), most=4096)
                yield Static(Content(f"{where}\n{_ORDER}"), classes="note")
        yield KeyLine()

    def on_mount(self) -> None:
        self._read()

    def _read(self) -> None:
        """Show what is set now."""
        if self._setting_up is None:
            return
        try:
            self._setups = [self._setting_up.setup(one) for one in DESTINATIONS]
        except Problem as problem:
            self._setups = []
            self.query_one("#facts", Static).update(Content(f"! {problem}"))
        self._list()

    def _list(self) -> None:
        shown = self.query_one(OptionList)
        before = shown.highlighted or 0
        shown.display = bool(self._setups)
        shown.clear_options()
        width = max(len(one.label) for one in DESTINATIONS)
        for setup in self._setups:
            text = f"{setup.destination.label:{width}}  {state(setup)}"
            shown.add_option(Option(Content(text)))
        if self._setups:
            shown.highlighted = before
            shown.focus()

    @on(OptionList.OptionHighlighted)
    def _show_facts(self, message: OptionList.OptionHighlighted) -> None:
        setup = self._setups[message.option_index]
        told = fields(facts(setup))
        if setup.problem:
            told = Content("\n\n").join([told, Content(f"! {setup.problem}")])
        self.query_one("#facts", Static).update(told)

    @on(OptionList.OptionSelected)
    @work(exclusive=True, group="set-up")
    async def _set_up(self, message: OptionList.OptionSelected) -> None:
        """Set the selected destination up, and show what is set then."""
        if self._setting_up is not None:
            code = self._setups[message.option_index].destination.code
            await self.app.push_screen_wait(set_up_page(self._setting_up, code))
            self._read()
