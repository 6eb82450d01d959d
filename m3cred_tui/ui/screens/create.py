"""The Create page: Integrations › Credentials › Create."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import ContentSwitcher, Input, OptionList, Static
from textual.widgets.option_list import Option

from m3cred_tui.authorize.journal import draft_of
from m3cred_tui.model.credential import Draft
from m3cred_tui.ui.screens.dialogs import ROOM, Confirm, Qr, agreed
from m3cred_tui.ui.screens.page import Page
from m3cred_tui.ui.stages.authenticate import AuthenticateStage
from m3cred_tui.ui.stages.entries import DestinationStage, EntityTypeStage, NameStage
from m3cred_tui.ui.stages.stage import Stage
from m3cred_tui.ui.widgets.bars import noticing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from m3cred_tui.model.credential import Credential
    from m3cred_tui.ui.services import Services

_LEAST_LEFT, _LEFT_FOR_BOTH = 46, 92
"""Columns that a QR code at the side must leave for the stage, and for the stepper as well."""
_ENTERED = "What you entered for this credential will be lost."


COMPLETED, CURRENT, PENDING = "✓", "●", "○"


class Stepper(OptionList):
    """One line per stage; completed ones are marked ✓ and can be selected."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(compact=True)
        self._labels = labels

    def show(self, current: int, completed: int, *, is_fixed: bool = False) -> None:
        """Mark the current stage, and the ``completed`` first ones, to go back to.

        If they are fixed, none can be selected.
        """
        self.clear_options()
        for number, label in enumerate(self._labels):
            done = number < completed and number != current
            sign = COMPLETED if done else CURRENT if number == current else PENDING
            text = Content.assemble(f"{sign} ", label)
            if number == current:
                text = text.stylize("bold")
            self.add_option(Option(text, id=str(number), disabled=is_fixed or not done))
        self.highlighted = None
        self.can_focus = any(not option.disabled for option in self.options)

    def on_focus(self) -> None:
        """Highlight a stage that Enter can go to."""
        if self.highlighted is None:
            self.action_first()


class CreatePage(Page[str]):
    """The stepper and the current stage; returns the ID of the new credential."""

    CSS_PATH = "create.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", tooltip="Back to the stage before"),
        Binding("left", "to_stepper", show=False),
        Binding("right", "to_stage", show=False),
    ]

    def __init__(
        self,
        services: Services,
        is_taken: Callable[[str], bool],
        begun: Draft | Credential | None = None,
    ) -> None:
        """Begin at the first stage, or at the last with a draft or a pending credential.

        What authorizes a credential again stays at the last: the others cannot be changed.
        """
        renews = begun is not None and begun.renews is not None
        place = (begun.name, "Authorize again") if begun and renews else ("Create",)
        super().__init__("Credentials", *place, demo=services.demo)
        self._ways = services.ways
        self._stages: Sequence[Stage] = (
            NameStage(is_taken),
            EntityTypeStage(),
            DestinationStage(services.obstacles),
            AuthenticateStage(services, None if isinstance(begun, Draft) else begun),
        )
        draft = Draft() if begun is None else begun
        self._draft = draft if isinstance(draft, Draft) else draft_of(draft)
        self._first = 0 if begun is None else len(self._stages) - 1
        self._current = 0
        self._completed = 0

    def compose_body(self) -> ComposeResult:
        with Container(id="create-body"):
            yield Stepper([stage.LABEL for stage in self._stages])
            yield Static(id="beside")
            yield ContentSwitcher()

    async def on_mount(self) -> None:
        for stage in self._stages:
            for what in ("qr_code", "waits"):
                self.watch(stage, what, self._surround, init=False)
        await self._go_to(self._first)

    def on_resize(self) -> None:
        self._surround()

    def _surround(self) -> None:
        """Show what the stage has for the room at its side, and make room if it waits."""
        self.set_class(self._stage.waits, "-waiting")
        code, beside = self._stage.qr_code, self.query_one("#beside", Static)
        left = self.size.width - (code.columns if code else 0)
        has_room = code is not None and left >= _LEAST_LEFT and code.rows < self.size.height - 3
        beside.display = has_room
        if code is not None and has_room:
            beside.update(Content.styled("\n".join(code.lines), "#000000 on #ffffff"))
        self.set_class(has_room and left < _LEFT_FOR_BOTH, "-stacked")

    @property
    def _stage(self) -> Stage:
        return self._stages[self._current]

    @property
    def would_lose(self) -> str | None:
        if self._stage.would_lose:
            return self._stage.would_lose
        if self._draft.renews:
            return None
        entered = self._completed or any(line.value for line in self.query(Input))
        return _ENTERED if entered and not self._is_kept else None

    @property
    def _is_kept(self) -> bool:
        now = self._stage.typed if self._stage.is_mounted else self._draft
        return now in [stage.kept for stage in self._stages]

    async def _go_to(self, number: int) -> None:
        """Show a stage, which is mounted at its first visit and keeps its input."""
        noticing(self.app).forget_answers()  # they were about the stage before
        self._current = number
        self._completed = max(self._completed, number)
        is_fixed = self._draft.renews is not None
        self.query_one(Stepper).show(number, self._completed, is_fixed=is_fixed)
        switcher = self.query_one(ContentSwitcher)
        if not self._stage.is_attached:
            await switcher.add_content(self._stage, id=f"stage-{number}")
        switcher.current = f"stage-{number}"
        self._surround()
        await self._stage.arrive(self._draft)
        self._stage.take_focus()

    @on(Stage.Completed)
    async def _on_completed(self, message: Stage.Completed) -> None:
        self._draft = message.draft
        await self._go_to(self._current + 1)

    @on(Stage.Asked)
    def _on_asked(self, message: Stage.Asked) -> None:
        question = Confirm(
            message.question, message.consequence, no="No, keep it", yes=message.yes
        )

        def answered(answer: int | None) -> None:
            message.answer(bool(answer))

        self.app.push_screen(question, answered)

    @on(Stage.Released)
    def _on_released(self, message: Stage.Released) -> None:
        """Let the stages before be changed, as nothing is renewed any more."""
        self._draft = message.draft
        self.query_one(Stepper).show(self._current, self._completed)

    @on(Stage.Created)
    def _on_created(self, message: Stage.Created) -> None:
        self.dismiss(message.credential_id)

    @on(Stage.QrWanted)
    @work(exclusive=True, group="qr")
    async def _show_qr(self, message: Stage.QrWanted) -> None:
        code = await self._ways.qr_code(message.url)
        if code is None:
            self.notify("This terminal cannot draw a QR code.", markup=False)
        elif code.columns > self.size.width or code.rows + ROOM > self.size.height:
            needs = f"{code.columns} by {code.rows + ROOM}"
            self.notify(f"The QR code needs a window of {needs}.", markup=False)
        else:
            self.app.push_screen(Qr(code))

    @on(OptionList.OptionSelected, "Stepper")
    def _on_chosen(self, message: OptionList.OptionSelected) -> None:
        self._leave_for(message.option_index)

    def action_to_stepper(self) -> None:
        if (stepper := self.query_one(Stepper)).display:
            stepper.focus()

    def action_to_stage(self) -> None:
        if self.focused is self.query_one(Stepper):
            self._stage.take_focus()

    def action_back(self) -> None:
        """Go to the previous stage, or leave the page at the first one."""
        self._leave_for(-1 if self._draft.renews else self._current - 1)

    @work(exclusive=True, group="leave")
    async def _leave_for(self, number: int) -> None:
        leaves_page = number < 0
        going = "Leave this page" if leaves_page else "Go back"
        loser = self if leaves_page else self._stage
        if not await agreed(self.app, going, lambda: loser.would_lose):
            return
        draft = self._stage.entered()
        if draft is not None:
            self._draft = draft
        elif number > self._current:
            return
        self._stage.leave()
        if leaves_page:
            self.dismiss(None)
        else:
            await self._go_to(number)
