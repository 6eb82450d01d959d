"""A stage that asks to choose one of a table's lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import on
from textual.content import Content
from textual.widgets import Button, OptionList, Select

from m3cred_tui.model.destination import Destination
from m3cred_tui.model.entity_type import EntityType
from m3cred_tui.ui.stages.stage import Stage, next_button, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from m3cred_tui.model.credential import Draft

_AFTER_PROMPT = 1  # the drop-down's own first line is its prompt
Choice = TypeVar("Choice", EntityType, Destination)


class ChoiceStage(Stage, Generic[Choice]):
    """A drop-down, its notes, and Next; focus goes from the one to the other by itself."""

    CHOICES: Sequence[Choice]
    PROMPT: ClassVar[str]
    NOTES: ClassVar[Sequence[str]]

    def compose_panel(self) -> ComposeResult:
        options = [(Content(choice.label), choice) for choice in self.CHOICES]
        yield Select(options, prompt=self.PROMPT)
        yield next_button()
        for text in self.NOTES:
            yield note(text)

    def chosen(self, draft: Draft) -> Choice | None:
        """Return what ``draft`` holds of this stage."""
        raise NotImplementedError

    def with_choice(self, draft: Draft, choice: Choice) -> Draft:
        """Return ``draft`` with this choice in it."""
        raise NotImplementedError

    async def arrive(self, draft: Draft) -> None:
        await super().arrive(draft)
        self._update_next()
        choice = self.chosen(draft)
        (self._select if choice is None else self._next).focus()

    def on_mount(self) -> None:
        """Let the drop-down open on its first choice, so that Enter takes it."""
        self.watch(self._select, "expanded", self._highlight_first, init=False)

    def _highlight_first(self, expanded: bool) -> None:  # noqa: FBT001  a watcher's parameter
        if expanded and self._select.selection is None:
            self._select.query_one(OptionList).highlighted = _AFTER_PROMPT

    @property
    def _select(self) -> Select[Choice]:
        return self.query_one(Select)

    @property
    def _next(self) -> Button:
        return self.query_one("#next", Button)

    def _update_next(self) -> None:
        self._next.disabled = self._select.selection is None

    @on(Select.Changed)
    def _on_choice(self) -> None:
        self._update_next()
        if self._select.selection is not None:
            self._next.focus()

    @on(Button.Pressed, "#next")
    def _complete(self) -> None:
        choice = self._select.selection
        if choice is not None:
            self.post_message(self.Completed(self.with_choice(self.draft, choice)))
