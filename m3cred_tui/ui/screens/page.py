"""The base of every full page, and the screen that covers a window that is too small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from textual import on
from textual.events import Event, Resize, ScreenResume, ScreenSuspend
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from m3cred_tui.ui.terminal.known_cells import render_only_changes
from m3cred_tui.ui.widgets.bars import KeyLine, NoticeLine, TitleBar

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.geometry import Size


LEAST_WIDTH, LEAST_HEIGHT = 60, 20
_WIDE, _TALL = 76, 36
Result = TypeVar("Result")


class Page(Screen[Result], Generic[Result]):
    """A screen with a title, notices and keys, which knows what leaving it would lose."""

    AUTO_FOCUS = ""

    def __init__(self, *place: str, demo: bool = False) -> None:
        """Take what :class:`TitleBar` shows."""
        super().__init__()
        self._title_bar = TitleBar(*place, demo=demo)
        self._was_shown = False
        render_only_changes(self)

    def compose(self) -> ComposeResult:
        self._note_size(self.app.size)  # before there is anything that it would style again
        yield self._title_bar
        yield from self.compose_body()
        yield NoticeLine()
        yield KeyLine()

    async def on_event(self, event: Event) -> None:
        """Style nothing again when the page is shown first: all of it has just been styled."""
        if isinstance(event, ScreenResume) and not self._was_shown:
            self._was_shown = True
            event.refresh_styles = False
        await super().on_event(event)

    @on(Resize)
    def _fit(self, event: Resize) -> None:
        """Lay out nothing again for the size in which the page was opened."""
        self._note_size(event.size)
        if event.size == self.outer_size:
            event.prevent_default()

    def _note_size(self, size: Size) -> None:
        """Have the classes that the styles of this size ask for."""
        is_wide, is_tall = size.width >= _WIDE, size.height >= _TALL
        self.update_classes(
            {
                "-wide": is_wide,
                "-narrow": not is_wide,
                "-tall": is_tall,
                "-short": not is_tall,
            },
            animate=False,
        )

    @on(ScreenResume)
    def _show_notices(self) -> None:
        """Show what was reported while something else was on top, and the page's keys."""
        for keys in self.query(KeyLine):
            keys.show_keys(self)
        for line in self.query(NoticeLine):  # none before the first paint
            line.show_notices()

    @on(ScreenSuspend)
    def _hold_notices(self) -> None:
        """Let notices wait until they can be seen."""
        for line in self.query(NoticeLine):  # none while the app ends
            line.hold()

    def compose_body(self) -> ComposeResult:
        """Yield the widgets between the title and the notices."""
        raise NotImplementedError

    def has_worker(self, group: str) -> bool:
        """Return whether a worker of this page in this group is still running."""
        of_group = [one for one in self.workers if one.node is self and one.group == group]
        return not all(one.is_finished for one in of_group)

    @property
    def would_lose(self) -> str | None:
        """One sentence about what leaving now would lose; ``None`` for nothing."""
        return None


class Dialog(ModalScreen[Result], Generic[Result]):
    """A screen on top of a page, which shows its keys."""

    def on_mount(self) -> None:
        self.bindings_updated_signal.subscribe(self, self._show_keys)

    def _show_keys(self, screen: Screen[object]) -> None:
        for below in reversed(self.app.screen_stack[:-1]):
            for keys in below.query(KeyLine):
                keys.show_keys(screen)
                return


class TooSmall(ModalScreen[None]):
    """Covers the page, which keeps its state, until the window is large enough."""

    @staticmethod
    def is_needed(size: Size) -> bool:
        """Return whether a window of this size is too small."""
        return size.width < LEAST_WIDTH or size.height < LEAST_HEIGHT

    def on_screen_resume(self) -> None:
        """Close if the window was enlarged while a dialog was on top."""
        if not self.is_needed(self.app.size):
            self.dismiss()

    def compose(self) -> ComposeResult:
        yield Static(
            f"m3cred needs a window of {LEAST_WIDTH} columns and {LEAST_HEIGHT} "
            "lines; please make this one larger. Nothing you entered is lost."
        )
