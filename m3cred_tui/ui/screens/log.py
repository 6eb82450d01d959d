"""The Log page: what happened, as it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Log

from m3cred_tui.config.log_reader import LogReader
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.screens.page import Page

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult

    from m3cred_tui.ui.services import Services

_LOOK_EVERY = 1.0
_SHOWN = 64 * 1024
"""Bytes of the log's end that are read."""
_MOST_LINES = 2000


class LogPage(Page[None]):
    """The end of the log file, and what is added to it while the page is open."""

    AUTO_FOCUS = "Log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "dismiss", "Back", tooltip="Back to Credentials"),
    ]

    def __init__(self, services: Services, path: Path) -> None:
        super().__init__("Log", demo=services.demo)
        self._reader = LogReader(path, last=_SHOWN)

    def compose_body(self) -> ComposeResult:
        yield Log(max_lines=_MOST_LINES)

    def on_mount(self) -> None:
        self._look()
        self.set_interval(_LOOK_EVERY, self._look)

    def on_unmount(self) -> None:
        self._reader.close()

    def _look(self) -> None:
        """Show what is new; nothing is drawn behind a dialog."""
        if not self.is_active:
            return
        try:
            lines = [*self._reader.lines()]
        except Problem as problem:
            self.notify(str(problem), severity="error", markup=False)
            return
        if lines:
            self.query_one(Log).write_lines(lines)
