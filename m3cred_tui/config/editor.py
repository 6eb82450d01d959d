"""Showing, changing and trying the settings: what the Settings screen and ``m3cred config`` do.

Each change is checked first, and leaves either the old or the new file, complete. It holds the
store's lock, so it may have to wait for another process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.config.entered import secret_key, without_key
from m3cred_tui.config.file import edited, read_file, write_file
from m3cred_tui.config.key_source import KeySource, key_from
from m3cred_tui.config.problems import prefix_of
from m3cred_tui.config.settings import NotSetUp, Settings, obstacle
from m3cred_tui.config.table import SECRET_KEY, SECRET_KEY_SEALED, Group, Setting
from m3cred_tui.model.credential import DESTINATIONS
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.lock import locked
from m3cred_tui.store.platform_keys import forget_key, keep_key

if TYPE_CHECKING:
    from pathlib import Path

    from m3cred_tui.config.setup import Setup
    from m3cred_tui.model.credential import Destination
    from m3cred_tui.model.secret import Secret
    from m3cred_tui.store.identity import IdentityFile


class SettingsEditor(NamedTuple):
    """The settings of this user, and the identity that a secret key is sealed for."""

    settings: Settings
    identity: IdentityFile

    @property
    def file(self) -> Path:
        """Where the settings file is, or will be."""
        return self.settings.locations.settings

    def setup(self, group: Group) -> Setup:
        """Return what is set; raises what ``Settings.setup_of`` does."""
        return self.settings.setup_of(group)

    def obstacles(self) -> dict[Destination, Problem]:
        """Return what keeps destinations from being used; no key is asked for."""
        found: dict[Destination, Problem] = {}
        for destination in DESTINATIONS:
            if destination in self.settings.platforms:
                continue
            try:
                problem = obstacle(self.settings.setup(destination))
            except Problem as of_all:
                problem = of_all
            if problem is not None:
                found[destination] = problem
        return found

    def change(
        self, group: Group, setting: Setting[object], text: str | None
    ) -> tuple[str, ...]:
        """Set a value to what was entered, or remove it; return the names that were removed.

        A new source of a value replaces the others. Raises ``Problem``: what is wrong with the
        text, ``StoreUnusable``, ``StoreBusy``, what ``tables_in`` does for a file that would be
        invalid afterwards, ``OutcomeUnknown``, and for a secret what ``IdentityFile.to_seal``
        does.
        """
        places, sealed = self.settings.locations, SECRET_KEY_SEALED.name
        file = places.settings
        key: Secret | None = None
        gone = group.sources_of(setting)
        new: dict[str, object] = {}
        if text is None:
            gone = [setting] if setting.source_of else gone
        elif setting.is_secret:
            key = secret_key(text, group.subject)
            new = {sealed: True}
        else:
            value = setting.check(text, group.subject)
            if setting.source_of:  # a path stays as it was entered, with its ~
                value = without_key(text, setting.name)
            new = {setting.name: [*value] if isinstance(value, tuple) else str(value)}
        names = [one.name for one in gone if one.name not in new]
        with locked(places.data):
            before = read_file(file)
            content, removed = edited(before, file, group.table, new, names)
            if key is not None:
                # First, so that the file never refers to a missing key.
                keep_key(places.keys, group.subject, key, self.identity)
            write_file(file, content)
            was_sealed = sealed in names and forget_key(places.keys, group.subject)
        # A mark without a key is reported only if it was to be removed.
        lines = [one for one in removed if one != sealed or (text is None and not was_sealed)]
        return (*lines, sealed) if was_sealed else tuple(lines)

    def tried(
        self, group: Group, setting: Setting[KeySource] = SECRET_KEY, text: str | None = None
    ) -> str:
        """Return the prefix of the key that a source gives; may block.

        Without a text, use the source that is set. Raises ``Problem``.
        """
        if text is not None:
            source = setting.check(text, group.subject)
        else:
            entry = self.setup(group)[SECRET_KEY]
            if entry.value is None:
                raise entry.problem or NotSetUp(group.subject, (SECRET_KEY.name,))
            source = entry.value
        places, environ = self.settings.locations, self.settings.environ
        return prefix_of(key_from(source, group.subject, places, self.identity, environ))
