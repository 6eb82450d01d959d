"""What the front door hands to the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the first paint needs neither
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.authorize.ways import Ways
    from m3cred_tui.model.destination import Destination
    from m3cred_tui.store.store import CredentialStore


@dataclass(frozen=True, slots=True)
class Services:
    """The rooms below the app, ready to be used."""

    store: CredentialStore
    authorizer: Callable[[Destination], Authorizer]
    """Makes the authorization service of a destination; may block; raises ``Problem``."""
    open_browser: Callable[[str], Awaitable[None]]
    """Raises ``BrowserDidNotOpen``."""
    ways: Ways
    now: Callable[[], datetime]
    created_by: str
    demo: bool = False
