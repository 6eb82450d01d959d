"""The full-screen app."""

# ruff: noqa: PLC0415  The first paint needs one page, and does not wait for the imports of others.

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Event, Key, Paste
from textual.filter import NoColor
from textual.theme import BUILTIN_THEMES
from textual.worker import WorkerFailed

from m3cred_tui import VERSION
from m3cred_tui.system.signals import told_of_signals
from m3cred_tui.ui.screens.credentials import CredentialsPage
from m3cred_tui.ui.screens.page import Page, TooSmall
from m3cred_tui.ui.terminal.abilities import (
    OWN_THEME,
    OWN_VARIABLES,
    Abilities,
    are_few,
    draw_in,
    readable,
)
from m3cred_tui.ui.terminal.driver import TerminalDriver, can_suspend, forget_cells
from m3cred_tui.ui.terminal.type_ahead import TypeAhead
from m3cred_tui.ui.widgets.bars import NoticingApp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import PurePath

    from textual import events
    from textual.dom import DOMNode
    from textual.filter import LineFilter
    from textual.screen import Screen

    from m3cred_tui.ui.services import Services

_log = logging.getLogger(__name__)

_ALL = Abilities()
_UI = Path(__file__).parent
_FEW_COLOURS, _LATER = _UI / "few_colours.tcss", _UI / "later.tcss"
_CRASHED, _SIGNALLED = 1, 128
_SPELLED = {"enter": "enter", "down": "arrows"}
_HANDLED_BY_THE_DRIVER = (signal.SIGTSTP, signal.SIGCONT)
_CANNOT_SUSPEND = "m3cred cannot be suspended here: no shell would bring it back."


@contextmanager
def _nothing_printed() -> Iterator[None]:
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
    ):
        yield


def _is_approval_at_risk() -> bool:
    # Without the module, nothing was asked of Stripe; its import would delay the end.
    exchange = sys.modules.get("m3cred_tui.authorize.exchange")
    return exchange is not None and exchange.is_approval_at_risk()


class M3credApp(NoticingApp[None]):
    """Opens on the Credentials page, and opens and closes screens."""

    TITLE = "m3cred"
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", key_display="?", tooltip="Show every key"),
        Binding(
            "comma", "settings", "Settings", key_display=",", show=False, tooltip="Settings"
        ),
        Binding("l", "log", "Log", show=False, tooltip="Show the log: what happened"),
        Binding("q", "quit", "Quit", tooltip="Leave m3cred"),
        Binding(
            "ctrl+l", "redraw", "Redraw", show=False, priority=True, tooltip="Redraw the screen"
        ),
        Binding(
            "ctrl+z",
            "suspend_process",
            "Suspend",
            show=False,
            priority=True,
            tooltip="Suspend m3cred; fg in the shell brings it back",
        ),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(self, services: Services, abilities: Abilities = _ALL) -> None:
        """Take the services, and the terminal's abilities."""
        self._abilities = abilities
        self._is_leaving = False
        few = are_few(abilities.colours)
        theme = OWN_THEME if few else services.view.theme
        if theme in BUILTIN_THEMES:
            self.set_reactive(NoticingApp.theme, theme)  # before the styles are read
        gone = partial(self._leave, signal.SIGHUP)
        driver: Any = partial(TerminalDriver, abilities=abilities, gone=gone)
        styles: list[str | PurePath] = [_UI / "app.tcss", _UI / "screens" / "credentials.tcss"]
        if few:
            styles.insert(1, _FEW_COLOURS)
        super().__init__(driver_class=driver, css_path=styles, ansi_color=few or None)
        draw_in(self.console, abilities.colours)
        self.no_color = abilities.colours == "none"
        # Each page would have two widgets for what it never shows: a notice has its own line.
        self._disable_tooltips = self._disable_notifications = True
        self._keys = TypeAhead(self)
        self._services = services
        self._theme_before = self.theme
        self.crash: BaseException | None = None
        self.wants_demo = False
        """Whether the user has chosen to restart with the demo."""

    def get_css_variables(self) -> dict[str, str]:
        """Name the colours; Textual's choice is not always readable."""
        variables = super().get_css_variables()
        is_own = self.current_theme.ansi
        variables.update(OWN_VARIABLES if is_own else readable(variables))
        return variables

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Draw without colours if there are none; Textual only considers NO_COLOR."""
        if self._abilities.colours == "none":
            return [NoColor()]
        return super().get_line_filters()

    def update_styles(self, node: DOMNode, animate: bool = True) -> None:  # noqa: FBT001, FBT002  as Textual has it
        """Style no widget that is not mounted yet: mounting it does that."""
        if node.is_attached:
            super().update_styles(node, animate)

    async def run_async(self, **options: Any) -> None:
        """Run until the user or a signal ends it; either way, the terminal is restored.

        Textual prints the local variables of a crash, and more; nothing of that is shown. The
        command that starts the app reports ``crash``.
        """
        before = {number: signal.getsignal(number) for number in _HANDLED_BY_THE_DRIVER}
        with told_of_signals(self._leave, _is_approval_at_risk), _nothing_printed():
            try:
                return await super().run_async(**options)
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)
                if self.return_code == _CRASHED and self.crash is None:
                    self.crash = RuntimeError("Textual ended the app, and did not say why")

    def _leave(self, number: signal.Signals) -> None:
        _log.info("%s", number.name)
        self.exit(None, _SIGNALLED + number)

    def on_mount(self) -> None:
        """Postpone what the first paint does not need."""
        self.call_after_refresh(self._after_first_paint)

    def _after_first_paint(self) -> None:
        _log.info("m3cred %s starts", VERSION)
        gc.freeze()  # the objects of the start are never freed
        gc.enable()  # the command has disabled it
        # Opening a screen whose styles are not read yet makes Textual parse all of them again.
        for path in (_FEW_COLOURS, _LATER, *sorted((_UI / "screens").glob("*.tcss"))):
            if not self.stylesheet.has_source(str(path)):
                self.stylesheet.add_source(path.read_text("utf-8"), (str(path), ""))
        self.stylesheet.parse()

    def on_unmount(self) -> None:
        """Keep how the list is shown, and log the end."""
        self._keep_view()
        _log.info("m3cred ends with status %d", self.return_code or 0)

    def _keep_view(self) -> None:
        view = self._services.view
        if not are_few(self._abilities.colours) and self.theme != self._theme_before:
            view.theme = self.theme
        view.keep()

    async def on_event(self, event: Event) -> None:
        """Handle a key only when everything that the previous key started has finished."""
        if (
            isinstance(event, Key | Paste)
            and not event.is_forwarded
            and not self._keys.admit(event)
        ):
            return
        await super().on_event(event)

    def on_resize(self, event: events.Resize) -> None:
        """Cover the page with a sentence while the window is too small."""
        self.action_redraw()  # a window that was made smaller may have lost content
        too_small = TooSmall.is_needed(event.size)
        covered = isinstance(self.screen, TooSmall)
        if too_small and not covered:
            self.push_screen(TooSmall())
        elif covered and not too_small:
            self.pop_screen()

    def action_redraw(self) -> None:
        """Draw everything again, as after another program has written on the screen."""
        forget_cells(self)
        self.screen.refresh()

    def action_suspend_process(self) -> None:
        """Suspend, if that is not for ever."""
        if can_suspend():
            super().action_suspend_process()
        else:
            self.notify(_CANNOT_SUSPEND, severity="warning", markup=False)

    def get_default_screen(self) -> Screen[Any]:
        """Open on the Credentials page itself, with no empty screen below it."""
        return CredentialsPage(self._services)

    def exit(self, *args: Any, **options: Any) -> None:
        """Leave."""
        self._is_leaving = True
        super().exit(*args, **options)

    # Textual has no other hook for every exception, with its traceback.
    def _handle_exception(self, error: Exception) -> None:
        """Only log what fails while leaving, when Textual stops building pages."""
        # Textual's own error for a failed worker does not say where it failed.
        fault = error.error if isinstance(error, WorkerFailed) else error
        if self._is_leaving:
            _log.warning("while leaving", exc_info=fault)
        else:
            _log.critical("crash", exc_info=fault)
            self.crash = self.crash or fault
            super()._handle_exception(error)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action that has a key on this screen, and the themes."""
        for active in screen.active_bindings.values():
            binding = active.binding
            offered = binding.show or binding.tooltip
            if active.enabled and offered and binding.key != self.COMMAND_PALETTE_BINDING:
                action = binding.action
                yield SystemCommand(
                    binding.tooltip or binding.description,
                    f"{binding.description}: {self.get_key_display(binding)}",
                    lambda action=action, node=active.node: self.run_action(action, node),
                )
        yield SystemCommand("Theme: light, dark and others", "Colours", self.search_themes)

    def get_key_display(self, binding: Binding) -> str:
        """Spell out a key whose sign cannot be shown."""
        if self._abilities.characters != "all" and binding.key in _SPELLED:
            return _SPELLED[binding.key]
        return super().get_key_display(binding)

    def action_help(self) -> None:
        """Show every key of this screen."""
        from m3cred_tui.ui.screens.dialogs import Help

        if not isinstance(self.screen, Help):
            self.push_screen(Help(self.screen))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the settings and the log on the Credentials page only."""
        del parameters
        pages = [screen for screen in self.screen_stack if isinstance(screen, Page)]
        return action not in {"settings", "log"} or isinstance(pages[-1], CredentialsPage)

    def action_settings(self) -> None:
        """Show the settings of each destination."""
        from m3cred_tui.ui.screens.settings import SettingsPage

        self.push_screen(SettingsPage(self._services))

    def action_log(self) -> None:
        """Show what happened."""
        from m3cred_tui.ui.screens.log import LogPage

        if self._services.log is not None:
            self.push_screen(LogPage(self._services, self._services.log))

    async def action_set_up(self, code: str) -> None:
        """Set up a destination, in a worker that continues when the page is closed."""
        from m3cred_tui.ui.screens.settings import set_up_page

        if self._services.settings is not None:
            await self.push_screen_wait(set_up_page(self._services.settings(), code))

    async def action_try_demo(self) -> None:
        """Restart with the demo after a confirmation, in a worker."""
        from m3cred_tui.ui.screens.settings import agreed_to_demo

        if await agreed_to_demo(self, self._would_lose()):
            self.wants_demo = True
            self.exit()

    @work(exclusive=True, group="quit")
    async def action_quit(self) -> None:  # type: ignore[override]  # a worker, as it may ask
        """Leave, after a question if something would be lost."""
        from m3cred_tui.ui.screens.dialogs import Confirm, agreed

        if isinstance(self.screen, Confirm):
            return  # one question at a time
        if await agreed(self, "Leave m3cred", self._would_lose):
            self.exit()

    def _would_lose(self) -> str | None:
        pages = (screen for screen in self.screen_stack if isinstance(screen, Page))
        return next(filter(None, (page.would_lose for page in pages)), None)
