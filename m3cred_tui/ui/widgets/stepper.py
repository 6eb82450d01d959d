"""The sidebar that shows how far the user has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPLETED, CURRENT, PENDING = "✓", "●", "○"


class Stepper(OptionList):
    """One line a stage; a completed one has ✓ before it and can be gone back to."""

    @dataclass
    class Chosen(Message):
        """The user wants to go back to a completed stage."""

        stage: int

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(compact=True)
        self._labels = labels

    def show(self, current: int, completed: int) -> None:
        """Show ``current`` as the stage the user is at, with ``completed`` stages done."""
        self.clear_options()
        for number, label in enumerate(self._labels):
            done = number < completed and number != current
            sign = COMPLETED if done else CURRENT if number == current else PENDING
            text = Content.assemble(f"{sign} ", label)
            if number == current:
                text = text.stylize("bold")
            self.add_option(Option(text, id=str(number), disabled=not done))
        self.highlighted = None
        self.can_focus = any(not option.disabled for option in self.options)

    def on_focus(self) -> None:
        """Show where the focus is, on a stage that Enter leads to."""
        if self.highlighted is None:
            self.action_first()

    @on(OptionList.OptionSelected)
    def _go_back(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self.post_message(self.Chosen(message.option_index))
