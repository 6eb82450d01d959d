"""Stages 2 and 3: what is chosen from a drop-down."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import on
from textual.content import Content
from textual.widgets import Button, OptionList, Select

from m3cred_tui.model.credential import (
    DESTINATIONS,
    ENTITY_TYPES,
    Destination,
    Draft,
    EntityType,
)
from m3cred_tui.ui.stages.stage import Stage, next_button, note
from m3cred_tui.ui.widgets.controls import DropDown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


_PROMPT = 0  # the drop-down's own first line
Chosen = TypeVar("Chosen", EntityType, Destination)


class ChoiceStage(Stage, Generic[Chosen]):
    """A drop-down, its notes, and Next; focus moves from one to the other."""

    CHOICES: Sequence[Chosen]
    PROMPT: ClassVar[str]
    NOTES: ClassVar[Sequence[str]]

    def compose_panel(self) -> ComposeResult:
        options = [(Content(choice.label), choice) for choice in self.CHOICES]
        yield DropDown(options, prompt=self.PROMPT)
        yield next_button()
        for text in self.NOTES:
            yield note(text)

    def choice_in(self, draft: Draft) -> Chosen | None:
        raise NotImplementedError

    def with_choice(self, draft: Draft, choice: Chosen) -> Draft:
        raise NotImplementedError

    async def arrive(self, draft: Draft) -> None:
        await super().arrive(draft)
        choice = self.choice_in(draft)
        if choice is not None and self._select.selection is None:
            self._select.value = choice
        self._update_next()

    def take_focus(self) -> None:
        (self._select if self._select.selection is None else self._next_button).focus()

    def on_mount(self) -> None:
        """Make the prompt a heading of the drop-down, which opens on its first choice."""
        self.watch(self._select, "expanded", self._open_on_choice, init=False)

    def _open_on_choice(self, expanded: bool) -> None:  # noqa: FBT001  a watcher's parameter
        choices = self._select.query_one(OptionList)
        choices.disable_option_at_index(_PROMPT)
        if expanded and self._select.selection is None:
            choices.highlighted = _PROMPT + 1

    @property
    def _select(self) -> Select[Chosen]:
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
        """Open the drop-down where there is nothing else to go to."""
        if self._select.selection is None:
            self._select.action_show_overlay()
        else:
            super().action_move(step)

    @property
    def typed(self) -> Draft:
        return self.entered() or self.draft

    def entered(self) -> Draft | None:
        choice = self._select.selection
        return None if choice is None else self.with_choice(self.draft, choice)


class EntityTypeStage(ChoiceStage[EntityType]):
    """Asks what the integration sends."""

    LABEL = "Select entity type"
    TITLE = "Entity Type Settings"
    CHOICES = ENTITY_TYPES
    PROMPT = "Select the type of entity"
    NOTES = (
        "Select Bill if your native Integration Configuration is for sending Bills to Stripe.",
        "Note: Currently, only Bill is available for selection.",
    )

    def choice_in(self, draft: Draft) -> EntityType | None:
        return draft.entity_type

    def with_choice(self, draft: Draft, choice: EntityType) -> Draft:
        return draft._replace(entity_type=choice)


class DestinationStage(ChoiceStage[Destination]):
    """Asks where the integration sends to."""

    LABEL = "Select destination"
    TITLE = "Destination Settings"
    CHOICES = DESTINATIONS
    PROMPT = "Select the destination"
    NOTES = (
        "Tip: Stripe Test Environment? Select Stripe (Test Mode) to use the credential to "
        "authenticate with your Stripe test environment. With Stripe, m3ter sends to your "
        "live Stripe account.",
    )

    def choice_in(self, draft: Draft) -> Destination | None:
        return draft.destination

    def with_choice(self, draft: Draft, choice: Destination) -> Draft:
        return draft._replace(destination=choice)
