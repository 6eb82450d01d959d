"""Stage 1: Name the credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Button, Input

from m3cred_tui.model.name import name_problem, tidy_name
from m3cred_tui.ui.stages.stage import Stage, next_button, note
from m3cred_tui.ui.widgets.controls import Notice, TextInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from m3cred_tui.model.credential import Draft


class NameStage(Stage):
    """Asks for a name and shows immediately what is wrong with it."""

    LABEL = "Name the credential"
    TITLE = "Name credential"

    def __init__(self, is_taken: Callable[[str], bool]) -> None:
        """Take what :func:`name_problem` does."""
        super().__init__()
        self._is_taken = is_taken

    def compose_panel(self) -> ComposeResult:
        yield TextInput("Name", id="name")
        yield Notice()
        yield next_button()
        yield note(
            "Choose a name that tells this credential from the others, such as the "
            "Stripe account it is for. The list can be filtered by it."
        )

    async def arrive(self, draft: Draft) -> None:
        await super().arrive(draft)
        line = self.query_one(Input)
        line.value = line.value or draft.name

    @on(Input.Changed)
    def _check(self, message: Input.Changed) -> None:
        self._tell(name_problem(message.value, self._is_taken) if message.value else None)

    @on(Input.Submitted)
    def _submit(self) -> None:
        self.complete()

    @property
    def typed(self) -> Draft:
        return self.draft._replace(name=tidy_name(self.query_one(Input).value))

    def entered(self) -> Draft | None:
        text = self.query_one(Input).value
        problem = name_problem(text, self._is_taken)
        self._tell(problem)
        if problem is None:
            return self.draft._replace(name=tidy_name(text))
        self.query_one(Input).focus()
        return None

    def _tell(self, problem: str | None) -> None:
        self.query_one(Notice).say(f"! {problem}" if problem else "")
        self.query_one("#next", Button).disabled = problem is not None
