"""Stages 1 to 3: what the user enters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Select

from m3cred_tui.config.settings import NotSetUp
from m3cred_tui.model.credential import (
    DESTINATIONS,
    ENTITY_TYPES,
    Destination,
    Draft,
    EntityType,
)
from m3cred_tui.model.name import name_problem, tidy_name
from m3cred_tui.ui.stages.stage import Stage, next_button, note
from m3cred_tui.ui.widgets.controls import focus_first, show_focus
from m3cred_tui.ui.widgets.forms import DropDown, Notice, SetUpOffer, TextInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult

    from m3cred_tui.model.problem import Problem


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
        yield DropDown(self._options(), prompt=self.PROMPT)
        yield next_button()
        for text in self.NOTES:
            yield note(text)

    def _options(self) -> list[tuple[Content, Any]]:
        return [(Content(choice.label), choice) for choice in self.CHOICES]

    @property
    def _usable(self) -> Sequence[EntityType | Destination]:
        """The choices that lead to Stripe; an only one is chosen for the user."""
        return self.CHOICES

    async def arrive(self, draft: Draft) -> None:
        await super().arrive(draft)
        choice = getattr(draft, self.FIELD)
        if choice is None and len(self._usable) == 1:
            choice = self._usable[0]
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
        self.take_focus()

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
    """Stage 3: asks where the integration sends to, and says what is not set up."""

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

    def __init__(self, obstacles: Callable[[], Mapping[Destination, Problem]]) -> None:
        """Take what returns what keeps destinations from being used now."""
        super().__init__()
        self._obstacles_now = obstacles
        self._obstacles: Mapping[Destination, Problem] = {}

    def compose_panel(self) -> ComposeResult:
        selection, next_one, *notes = super().compose_panel()
        yield from (selection, next_one, SetUpOffer(), *notes)

    def _options(self) -> list[tuple[Content, Any]]:
        return [(Content(f"{one.label}{self._state(one)}"), one) for one in DESTINATIONS]

    def _state(self, destination: Destination) -> str:
        problem = self._obstacles.get(destination)
        if problem is None:
            return ""
        return ": not set up" if isinstance(problem, NotSetUp) else ": not usable"

    @property
    def _usable(self) -> Sequence[EntityType | Destination]:
        return [one for one in DESTINATIONS if one not in self._obstacles]

    async def arrive(self, draft: Draft) -> None:
        self._read_settings()
        await super().arrive(draft)

    @on(SetUpOffer.Returned)
    def take_focus(self) -> None:
        """Focus the next thing to do, which may be to set up what was chosen."""
        self._read_settings()
        chosen, offer = self._select.selection, self.query_one(SetUpOffer)
        offer.show({one: why for one, why in self._obstacles.items() if one == chosen})
        if offer.display:
            focus_first(offer)
        else:
            super().take_focus()
        show_focus(self)

    def _read_settings(self) -> None:
        """Say in the drop-down what is not set up now; the choice stays."""
        before, self._obstacles = self._obstacles, self._obstacles_now()
        if [*map(str, before.values())] != [*map(str, self._obstacles.values())]:
            choice = self._select.selection
            self._select.set_options(self._options())
            if choice is not None:
                self._select.value = choice

    @property
    def typed(self) -> Draft:
        return super().entered() or self.draft

    def entered(self) -> Draft | None:
        """Return no draft while the destination cannot be used."""
        self._read_settings()
        if self._select.selection in self._obstacles:
            self.take_focus()
            return None
        return super().entered()
