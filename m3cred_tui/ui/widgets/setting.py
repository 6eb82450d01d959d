"""A setting of the form: its value, where it is from, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Select, Static

from m3cred_tui.config.entered import LONGEST
from m3cred_tui.config.key_source import FromCommand, FromFile, Sealed
from m3cred_tui.config.setup import Origin
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.widgets.controls import DropDown, Line, Notice, Option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult

    from m3cred_tui.config.setup import Entry

    Check = Callable[[str, str], None]
    """Raises what is wrong with a text as the value of the setting of this name."""


class Change(NamedTuple):
    """What is to be set, under a name of the settings file; ``None`` removes it."""

    name: str
    text: str | None


class SettingLine(Line):
    """A line for a value; what is pasted is taken whole, and may be hidden."""

    def __init__(self, name: str, text: str, placeholder: str, *, hidden: bool = False) -> None:
        super().__init__(placeholder, id=name, compact=True)
        self.value = text
        self.password = hidden
        self.select_on_focus = False

    def on_paste(self, event: events.Paste) -> None:
        """Have Textual's own handler, which takes the first line, take all of them."""
        event.text = _one_line(event.text)

    def take(self, text: str) -> None:
        """Take a paste that came while something else had the focus."""
        self.focus()
        self.insert_text_at_cursor(_one_line(text))


class Choice(DropDown[Option]):
    """A drop-down among lines: the arrow keys go on to the next one, Enter opens it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]


class Setting(Vertical):
    """Who inherits composes controls, and tells what has been entered in them."""

    def __init__(self, name: str, label: str, entry: Entry[object]) -> None:
        super().__init__(id=f"setting-{name}")
        self._setting = name
        self._label = label
        self._entry = entry

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(Content(self._label), classes="label")
            yield from self.compose_control()
        yield from self.compose_more()
        yield Notice(f"! {self._entry.problem}" if self._entry.problem else "")

    def compose_control(self) -> ComposeResult:
        """Yield what stands beside the label."""
        raise NotImplementedError

    def compose_more(self) -> ComposeResult:
        """Yield what stands below that, if anything does."""
        yield from ()

    @property
    def is_in_file(self) -> bool:
        """Whether the file sets it, rightly or wrongly."""
        return self._entry.origin is Origin.FILE

    def change(self) -> Change | None:
        """Return what was entered, where that is not what is set."""
        return None

    def is_right(self) -> bool:
        """Check what was entered, and say what is wrong with it."""
        return True

    def say(self, text: str) -> None:
        """Show one sentence below the value."""
        self.query_one(Notice).say(text)

    def take_focus(self) -> None:
        """Put the focus where the value is entered."""
        for widget in self.query("*"):
            if widget.focusable and widget.display:
                widget.focus()
                return


class FixedSetting(Setting):
    """A value that the environment sets: it is shown, and changed there."""

    def __init__(self, name: str, label: str, entry: Entry[object], shown: str) -> None:
        super().__init__(name, label, entry)
        self._shown = shown

    def compose_control(self) -> ComposeResult:
        where = "" if self._entry.problem else f"  from {self._entry.place}"
        yield Static(Content.assemble(self._shown, (where, "$text-muted")), classes="fixed")


class CheckedSetting(Setting):
    """A value that is checked as it is entered.

    A paste is checked at once, what is typed when the line is left or when it was wrong
    before: half of a value is no mistake yet.
    """

    def __init__(self, name: str, label: str, entry: Entry[object], check: Check) -> None:
        super().__init__(name, label, entry)
        self._check = check
        self._length = 0

    def is_right(self) -> bool:
        change = self.change()
        problem: Problem | None = self._entry.problem
        is_right = True
        if change is not None:
            problem = None
            try:
                if change.text is not None:
                    self._check(change.name, change.text)
            except Problem as wrong:
                problem, is_right = wrong, False
        self.say(f"! {problem}" if problem else "")
        return is_right

    @on(Input.Changed)
    def _look(self, message: Input.Changed) -> None:
        message.stop()
        before, self._length = self._length, len(message.value)
        if self._length - before > 1 or self.query_one(Notice).display:
            self.is_right()

    @on(Input.Blurred)
    def _leave(self, message: Input.Blurred) -> None:
        message.stop()
        self.is_right()

    @on(Input.Submitted)
    def _go_on(self, message: Input.Submitted) -> None:
        message.stop()
        if self.is_right():
            self.screen.focus_next()


class LineSetting(CheckedSetting):
    """A value that is a line of text; an empty one is not set."""

    def __init__(
        self, name: str, label: str, entry: Entry[object], check: Check, *, without: str
    ) -> None:
        """Take what holds ``without`` it, which is shown where nothing is entered."""
        super().__init__(name, label, entry, check)
        self._without = without
        self._before = self._text() if self.is_in_file else ""

    def _text(self) -> str:
        value = self._entry.value
        if isinstance(value, tuple):
            return ", ".join(map(str, value))
        return "" if value is None else str(value)

    def compose_control(self) -> ComposeResult:
        yield SettingLine(self._setting, self._before, self._without)

    def change(self) -> Change | None:
        text = self.query_one(Input).value.strip()
        if text == self._before or not (text or self.is_in_file):
            return None
        return Change(self._setting, text or None)


class ChoiceSetting(Setting):
    """A value that is one of a few."""

    def __init__(
        self, name: str, label: str, entry: Entry[object], choices: Sequence[tuple[str, str]]
    ) -> None:
        """Take each choice's words and value."""
        super().__init__(name, label, entry)
        self._choices = choices
        self._before = choices[0][1] if entry.value is None else str(entry.value)

    def compose_control(self) -> ComposeResult:
        options = [(Content(words), value) for words, value in self._choices]
        yield Choice(
            options, value=self._before, allow_blank=False, compact=True, id=self._setting
        )

    @property
    def value(self) -> str:
        """What is chosen."""
        return str(self.query_one(Select).value)

    def change(self) -> Change | None:
        return None if self.value == self._before else Change(self._setting, self.value)


def _one_line(text: str) -> str:
    return " ".join(text[: 2 * LONGEST].splitlines()).strip()


SEALED, COMMAND, FILE = "secret_key", "secret_key_command", "secret_key_file"
SOURCE = "secret_key_source"
_SOURCES = {
    SEALED: "sealed by m3cred",
    COMMAND: "printed by a command",
    FILE: "in a file",
}
_EXAMPLES = {COMMAND: "pass show stripe", FILE: "~/.secrets/stripe"}


class KeySetting(CheckedSetting):
    """A drop-down with the places, and a line for the one that is chosen."""

    def __init__(self, entry: Entry[object], check: Check, *, prefixes: str) -> None:
        """Take what a key begins with, too; a key that is set is never shown."""
        super().__init__(SEALED, "Secret key", entry, check)
        self._source, text = _source(entry.value)
        self._before = {self._source: text}
        kept = "sealed; paste another key to replace it"
        example = kept if self._source == SEALED else f"{prefixes}, not shown"
        self._examples = {SEALED: example, **_EXAMPLES}

    def compose_control(self) -> ComposeResult:
        options = [(Content(words), name) for name, words in _SOURCES.items()]
        # What is set wrongly shows none, so that none of them seems to be it.
        first = self._source or (Select.NULL if self.is_in_file else SEALED)
        yield Choice(options, prompt="not set", value=first, compact=True, id=SOURCE)

    def compose_more(self) -> ComposeResult:
        for name, example in self._examples.items():
            text = self._before.get(name, "")
            yield SettingLine(name, text, example, hidden=name == SEALED)

    def on_mount(self) -> None:
        """Show the line of the place that is chosen."""
        self._arrange()

    @property
    def chosen(self) -> str | None:
        """The place that is chosen, by its name in the settings; ``None``: not set."""
        source: Select[str] = self.query_one(Select)
        return source.selection

    @property
    def loses_sealed_key(self) -> bool:
        """Whether a key that m3cred has sealed, and nobody is shown, would be removed."""
        change = self.change()
        is_sealed_anew = change is not None and (change.name, bool(change.text)) == (
            SEALED,
            True,
        )
        return self._source == SEALED and change is not None and not is_sealed_anew

    def change(self) -> Change | None:
        if self.chosen is None:
            return Change(SEALED, None) if self.is_in_file and self._source else None
        text = self.query_one(f"#{self.chosen}", Input).value.strip()
        if text == self._before.get(self.chosen) or not (text or self._source):
            return None
        return Change(self.chosen, text)

    @on(Select.Changed)
    def _choose(self, message: Select.Changed) -> None:
        message.stop()
        self._arrange()
        self.say("")
        if self.screen.focused is not None and self.chosen is not None:
            self.query_one(f"#{self.chosen}").focus()

    def on_paste(self, event: events.Paste) -> None:
        """Take a paste while the place is chosen, too."""
        event.stop()
        if self.chosen is not None:
            self.query_one(f"#{self.chosen}", SettingLine).take(event.text)

    def _arrange(self) -> None:
        for line in self.query(SettingLine):
            line.display = line.id == self.chosen


def _source(value: object) -> tuple[str | None, str]:
    """Return the name of a source, and what may be shown of it."""
    match value:
        case FromCommand(command):
            return COMMAND, command
        case FromFile(path):
            return FILE, str(path)
        case Sealed():
            return SEALED, ""
    return None, ""
