"""The rows of the settings form: a value, its origin, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual import on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Select, Static

from m3cred_tui.config.entered import LONGEST
from m3cred_tui.config.key_source import FromCommand, FromFile, Sealed
from m3cred_tui.config.problems import prefixes_of
from m3cred_tui.config.setup import Origin, Setup
from m3cred_tui.config.table import (
    NOT_SET,
    SECRET_KEY,
    SECRET_KEY_COMMAND,
    SECRET_KEY_FILE,
    Setting,
    value_text,
)
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.widgets.forms import DropDown, Notice, TextInput

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult


class Change(NamedTuple):
    """The new value of a setting; ``None`` removes it."""

    setting: Setting[object]
    text: str | None


class SettingLine(TextInput):
    """A line for a value, which may be hidden; takes every line of a paste."""

    def __init__(self, name: str, text: str, placeholder: str, *, hidden: bool = False) -> None:
        super().__init__(placeholder, id=name, compact=True)
        self.value = text
        self.password = hidden
        self.select_on_focus = False

    def on_paste(self, event: events.Paste) -> None:
        """Join the lines for Textual's own handler, which takes only the first."""
        event.text = _one_line(event.text)

    def take(self, text: str) -> None:
        """Take a paste that arrived while something else had the focus."""
        self.focus()
        self.insert_text_at_cursor(_one_line(text))


class SettingRow(Vertical):
    """Subclasses compose the control, and return what was entered in it.

    A paste is checked immediately; typing is checked when the line is left, or at every key
    if it was wrong: half of a value is not a mistake.
    """

    def __init__(self, setup: Setup, setting: Setting[object]) -> None:
        super().__init__(id=f"setting-{setting.name}")
        self.setting = setting
        self._setup = setup
        self._entry = setup[setting]
        self._length = 0

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(Content(self.setting.label), classes="label")
            yield from self.compose_control()
        yield from self.compose_more()
        yield Notice(f"! {self._entry.problem}" if self._entry.problem else "")

    def compose_control(self) -> ComposeResult:
        """Yield the control next to the label."""
        raise NotImplementedError

    def compose_more(self) -> ComposeResult:
        """Yield further controls below it."""
        yield from ()

    @property
    def is_in_file(self) -> bool:
        """Whether the file sets it, to a valid value or not."""
        return self._entry.origin is Origin.FILE

    def change(self) -> Change | None:
        """Return the value that was entered, if it is not the one that is set."""
        return None

    def is_right(self) -> bool:
        """Check what was entered, and show what is wrong with it."""
        change = self.change()
        problem: Problem | None = self._entry.problem if change is None else None
        try:
            if change is not None and change.text is not None:
                change.setting.check(change.text, self._setup.group.subject)
        except Problem as wrong:
            problem = wrong
        self.say(f"! {problem}" if problem else "")
        return change is None or problem is None

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

    def say(self, text: str) -> None:
        self.query_one(Notice).say(text)


class FixedRow(SettingRow):
    """A value that the environment sets, which cannot be changed here."""

    def compose_control(self) -> ComposeResult:
        shown = self._setup.text_of(self.setting)
        where = "" if self._entry.problem else f"  from {self._entry.place}"
        yield Static(Content.assemble(shown, (where, "$text-muted")), classes="fixed")


class LineRow(SettingRow):
    """A value that is a line of text; empty means not set."""

    def __init__(self, setup: Setup, setting: Setting[object]) -> None:
        super().__init__(setup, setting)
        value = self._entry.value
        is_shown = self.is_in_file and value is not None
        self._before = value_text(value) if is_shown else ""

    def compose_control(self) -> ComposeResult:
        otherwise = self.setting.unset_text(self._setup.group.subject)
        example = self.setting.example if otherwise == NOT_SET else otherwise
        yield SettingLine(self.setting.name, self._before, example)

    def change(self) -> Change | None:
        text = self.query_one(Input).value.strip()
        if text == self._before or not (text or self.is_in_file):
            return None
        return Change(self.setting, text or None)


class ChoiceRow(SettingRow):
    """A value that is one of several."""

    def __init__(self, setup: Setup, setting: Setting[object]) -> None:
        super().__init__(setup, setting)
        value = self._entry.value
        self._before = setting.choices[0][1] if value is None else value_text(value)

    def compose_control(self) -> ComposeResult:
        options = [(Content(words), value) for words, value in self.setting.choices]
        yield DropDown(
            options,
            value=self._before,
            allow_blank=False,
            compact=True,
            id=self.setting.name,
        )

    @property
    def value(self) -> str:
        return str(self.query_one(Select).value)

    def change(self) -> Change | None:
        return None if self.value == self._before else Change(self.setting, self.value)


def _one_line(text: str) -> str:
    return " ".join(text[: 2 * LONGEST].splitlines()).strip()


SOURCE = "secret_key_source"
_SOURCES = {
    SECRET_KEY: "sealed by m3cred",
    SECRET_KEY_COMMAND: "printed by a command",
    SECRET_KEY_FILE: "in a file",
}


class KeyRow(SettingRow):
    """A drop-down with the sources, and a line for the chosen one."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup, SECRET_KEY)
        self._source, self._text = _source(self._entry.value)

    def compose_control(self) -> ComposeResult:
        options = [(Content(words), one.name) for one, words in _SOURCES.items()]
        # With a wrong value, none is shown as the chosen one.
        first = self._source or (None if self.is_in_file else SECRET_KEY)
        value = first.name if first else Select.NULL
        yield DropDown(options, prompt="not set", value=value, compact=True, id=SOURCE)

    def compose_more(self) -> ComposeResult:
        prefixes = " or ".join(f"{one}…" for one in prefixes_of(self._setup.destination))
        kept = "sealed; paste another key to replace it"
        key = kept if self._source is SECRET_KEY else f"{prefixes}, not shown"
        for one in _SOURCES:
            text = self._text if one is self._source else ""
            yield SettingLine(one.name, text, one.example or key, hidden=one is SECRET_KEY)

    def on_mount(self) -> None:
        self._arrange()

    @property
    def chosen(self) -> Setting[object] | None:
        """The chosen source; ``None`` if not set."""
        source: Select[str] = self.query_one(Select)
        return next((one for one in _SOURCES if one.name == source.selection), None)

    @property
    def _line(self) -> SettingLine | None:
        return self.query_one(f"#{self.chosen.name}", SettingLine) if self.chosen else None

    @property
    def loses_sealed_key(self) -> bool:
        """Whether the change removes a key that m3cred has sealed and never shows."""
        change = self.change()
        if self._source is not SECRET_KEY or change is None:
            return False
        return change.setting is not SECRET_KEY or not change.text

    def change(self) -> Change | None:
        if self.chosen is None or self._line is None:
            return Change(SECRET_KEY, None) if self.is_in_file and self._source else None
        text = self._line.value.strip()
        is_as_before = self.chosen is self._source and text == self._text
        if is_as_before or not (text or self._source):
            return None
        return Change(self.chosen, text)

    @on(Select.Changed)
    def _choose(self, message: Select.Changed) -> None:
        message.stop()
        self._arrange()
        self.say("")
        if self.screen.focused is not None and self._line is not None:
            self._line.focus()

    def on_paste(self, event: events.Paste) -> None:
        """Take a paste even while the drop-down has the focus."""
        event.stop()
        if self._line is not None:
            self._line.take(event.text)

    def _arrange(self) -> None:
        for line in self.query(SettingLine):
            line.display = line is self._line


def _source(value: object) -> tuple[Setting[object] | None, str]:
    """Return the setting that gives the key, and the part of it that may be shown."""
    match value:
        case FromCommand(command):
            return SECRET_KEY_COMMAND, command
        case FromFile(path):
            return SECRET_KEY_FILE, str(path)
        case Sealed():
            return SECRET_KEY, ""
    return None, ""
