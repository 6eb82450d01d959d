"""What the Settings screen does with the settings, so that the app sees no key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from m3cred_tui.config.key_source import KeySource
    from m3cred_tui.config.settings import Settings
    from m3cred_tui.config.setup import Check, Setup
    from m3cred_tui.model.credential import Destination
    from m3cred_tui.store.identity import IdentityFile


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """The settings of this user, and the identity that a secret key is sealed for."""

    settings: Settings
    identity: IdentityFile

    @property
    def file(self) -> Path:
        """Where the settings file is, or will be."""
        return self.settings.locations.settings

    def setup(self, destination: Destination) -> Setup:
        """Return what is set; raises what ``Settings.setup`` does."""
        return self.settings.setup(destination)

    def check(self, destination: Destination, name: str, text: str) -> None:
        """Raise the ``Problem`` with what was entered as a value, if there is one."""
        _checks(name)(text, destination)

    def change(self, destination: Destination, name: str, text: str | None) -> None:
        """Set a value, or remove it; raises what the functions of ``config.change`` do."""
        from m3cred_tui.config.change import SECRET_KEY, seal_key, set_value, unset_value
        from m3cred_tui.model.secret import Secret

        places = self.settings.locations
        if text is None:
            unset_value(places, destination, name)
        elif name == SECRET_KEY:
            seal_key(places, destination, Secret(text), self.identity)
        else:
            set_value(places, destination, name, text)

    def tried(self, destination: Destination, name: str = "", text: str = "") -> str:
        """Return the prefix of the secret key that a source gives; may block for it.

        Without a name, the source is what is set. Raises ``Problem``.
        """
        from m3cred_tui.config.change import SECRET_KEY
        from m3cred_tui.config.entered import secret_key
        from m3cred_tui.config.key_source import key_from
        from m3cred_tui.config.problems import prefix_of

        if name == SECRET_KEY:
            return prefix_of(secret_key(text, destination))
        source = self._entered(destination, name, text) if name else self._set(destination)
        places, environ = self.settings.locations, self.settings.environ
        return prefix_of(key_from(source, destination, places, self.identity, environ))

    def _entered(self, destination: Destination, name: str, text: str) -> KeySource:
        from m3cred_tui.config.key_source import from_command, from_file

        from_text = {"secret_key_command": from_command, "secret_key_file": from_file}[name]
        return from_text(text, destination)

    def _set(self, destination: Destination) -> KeySource:
        from m3cred_tui.config.settings import NotSetUp

        entry = self.setup(destination).secret_key
        if entry.value is None:
            raise entry.problem or NotSetUp(destination, ("secret_key",))
        return entry.value


def _checks(name: str) -> Check[object]:
    from m3cred_tui.config.change import SECRET_KEY
    from m3cred_tui.config.entered import secret_key
    from m3cred_tui.config.setup import CHECKS

    return secret_key if name == SECRET_KEY else CHECKS[name]
