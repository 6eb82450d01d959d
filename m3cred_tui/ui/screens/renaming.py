"""Giving a credential another name."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from m3cred_tui.model.credential import Credential
from m3cred_tui.model.name import name_key, name_problem, tidy_name
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.names import rename
from m3cred_tui.ui.screens.page import Dialog
from m3cred_tui.ui.widgets.controls import Press
from m3cred_tui.ui.widgets.forms import Notice, TextInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from m3cred_tui.ui.services import Services

_STAYS = (
    "Its Credential ID stays: every Integration Configuration that uses it goes on working."
)


class Rename(Dialog[Credential]):
    """Asks for another name, and returns the renamed credential; Esc leaves it as it is."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(
        self, services: Services, credential: Credential, is_taken: Callable[[str], bool]
    ) -> None:
        """Take a created credential; ``is_taken`` is what :func:`name_problem` takes."""
        super().__init__()
        self._services = services
        self._credential = credential
        self._is_taken = is_taken

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Content(f"Rename “{self._credential.name}”"), id="question")
            yield TextInput("Name", id="name", compact=True)
            yield Notice()
            yield Press("Rename", id="rename", variant="primary", compact=True)
            yield Static(Content(_STAYS), classes="note")

    def on_mount(self) -> None:
        line = self.query_one(Input)
        line.value = self._credential.name
        line.cursor_position = len(line.value)

    def _is_taken_by_another(self, key: str) -> bool:
        return key != name_key(self._credential.name) and self._is_taken(key)

    @on(Input.Changed)
    def _check(self, message: Input.Changed) -> None:
        self._tell(name_problem(message.value, self._is_taken_by_another))

    def _tell(self, problem: str | None) -> None:
        self.query_one(Notice).say(f"! {problem}" if problem else "")
        self.query_one("#rename", Button).disabled = problem is not None

    @on(Input.Submitted)
    @on(Button.Pressed)
    @work(exclusive=True)
    async def _rename(self) -> None:
        name = tidy_name(self.query_one(Input).value)
        if name_problem(name, self._is_taken_by_another):
            return
        if name == self._credential.name:
            self.dismiss(None)
            return
        services = self._services
        work = partial(rename, at=services.now(), by=services.created_by)
        try:  # this may wait for another process
            self.dismiss(await asyncio.to_thread(work, services.store, self._credential, name))
        except Problem as problem:
            self._tell(str(problem))
