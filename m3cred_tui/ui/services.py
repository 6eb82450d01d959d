"""What the front door hands to the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the first paint needs neither
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.browser.ways import Ways
    from m3cred_tui.config.setup import Setup
    from m3cred_tui.model.credential import Destination
    from m3cred_tui.store.port import CredentialStore
    from m3cred_tui.upkeep.service import Upkeep


class SettingUp(Protocol):
    """Setting the destinations up; a secret key goes through it as the text that was entered.

    Names are those of the settings file, and ``secret_key``. What changes something may have
    to wait for another process, what tries a key for a command; each raises ``Problem``.
    """

    @property
    def file(self) -> Path:
        """Where the settings file is, or will be."""

    def setup(self, destination: Destination) -> Setup:
        """Return what is set."""

    def check(self, destination: Destination, name: str, text: str) -> None:
        """Raise what is wrong with a value that was entered."""

    def change(self, destination: Destination, name: str, text: str | None) -> None:
        """Set a value, or remove it."""

    def tried(self, destination: Destination, name: str = "", text: str = "") -> str:
        """Return the prefix of the key that a source gives: one entered, or what is set."""


@dataclass(frozen=True, slots=True)
class Services:
    """The rooms below the app, ready to be used."""

    store: CredentialStore
    authorizer: Callable[[Destination], Authorizer]
    """Makes the authorization service of a destination; may block; raises ``Problem``."""
    open_browser: Callable[[str], Awaitable[None]]
    """Raises ``BrowserDidNotOpen``."""
    ways: Ways
    upkeep: Callable[[], Upkeep]
    """Makes what checks and disconnects credentials."""
    now: Callable[[], datetime]
    created_by: str
    demo: bool = False
    setting_up: SettingUp | None = None
    """None in the demo, which needs no settings."""
