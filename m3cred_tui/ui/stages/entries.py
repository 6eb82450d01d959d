"""Stages 1 to 3: what the user enters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Select

from m3cred_tui.model.credential import (
    DESTINATIONS,
    ENTITY_TYPES,
    Destination,
    Draft,
    EntityType,
)
from m3cred_tui.model.name import name_problem, tidy_name
from m3cred_tui.ui.stages.stage import Stage, next_button, note
from m3cred_tui.ui.widgets.controls import DropDown, Notice, TextInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult


class NameStage(Stage):
    """Stage 1: asks for a name, and immediately shows what is wrong with it."""

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


_PROMPT = 0  # the drop-down's own first line


class ChoiceStage(Stage):
    """A drop-down, Next and notes; a choice moves the focus to Next."""

    FIELD: ClassVar[str]
    """The field of the draft that it sets."""
    CHOICES: ClassVar[Sequence[EntityType | Destination]]
    PROMPT: ClassVar[str]
    NOTES: ClassVar[Sequence[str]]

    def compose_panel(self) -> ComposeResult:
        options = [(Content(choice.label), choice) for choice in self.CHOICES]
        yield DropDown(options, prompt=self.PROMPT)
        yield next_button()
        for text in self.NOTES:
            yield note(text)

    async def arrive(self, draft: Draft) -> None:
        await super().arrive(draft)
        choice = getattr(draft, self.FIELD)
        if choice is not None and self._select.selection is None:
            self._select.value = choice
        self._update_next()

    def take_focus(self) -> None:
        (self._select if self._select.selection is None else self._next_button).focus()

    def on_mount(self) -> None:
        """Make the prompt the heading of the drop-down, which opens on its first choice."""
        self.watch(self._select, "expanded", self._open_on_choice, init=False)

    def _open_on_choice(self, expanded: bool) -> None:  # noqa: FBT001  a watcher's parameter
        choices = self._select.query_one(OptionList)
        choices.disable_option_at_index(_PROMPT)
        if expanded and self._select.selection is None:
            choices.highlighted = _PROMPT + 1

    @property
    def _select(self) -> Select[Any]:
        return self.query_one(Select)

    @property
    def _next_button(self) -> Button:
        return self.query_one("#next", Button)

    def _update_next(self) -> None:
        self._next_button.disabled = self._select.selection is None

    @on(DropDown.Chosen)
    def _go_on(self) -> None:
        self._update_next()
        self._next_button.focus()

    def action_move(self, step: int) -> None:
        """Open the drop-down until there is a choice, which enables the next control."""
        if self._select.selection is None:
            self._select.action_show_overlay()
        else:
            super().action_move(step)

    @property
    def typed(self) -> Draft:
        return self.entered() or self.draft

    def entered(self) -> Draft | None:
        choice = self._select.selection
        return None if choice is None else self.draft._replace(**{self.FIELD: choice})


class EntityTypeStage(ChoiceStage):
    """Stage 2: asks what the integration sends."""

    LABEL = "Select entity type"
    TITLE = "Entity Type Settings"
    FIELD = "entity_type"
    CHOICES = ENTITY_TYPES
    PROMPT = "Select the type of entity"
    NOTES = (
        "Select Bill if your native Integration Configuration is for sending Bills to Stripe.",
        "Note: Currently, only Bill is available for selection.",
    )


class DestinationStage(ChoiceStage):
    """Stage 3: asks where the integration sends to."""

    LABEL = "Select destination"
    TITLE = "Destination Settings"
    FIELD = "destination"
    CHOICES = DESTINATIONS
    PROMPT = "Select the destination"
    NOTES = (
        "Tip: Stripe Test Environment? Select Stripe (Test Mode) to use the credential to "
        "authenticate with your Stripe test environment. With Stripe, m3ter sends to your "
        "live Stripe account.",
    )
