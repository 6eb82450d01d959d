"""Where the secret key comes from: one of three places, each with a line of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.content import Content
from textual.widgets import Input, Select

from m3cred_tui.config.key_source import FromCommand, FromFile, Sealed
from m3cred_tui.ui.widgets.setting import Change, CheckedSetting, Choice, SettingLine

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from m3cred_tui.config.setup import Entry
    from m3cred_tui.ui.widgets.setting import Check

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
