"""The services that the app is started with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the first paint needs neither
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.browser.ways import Ways
    from m3cred_tui.config.editor import SettingsEditor
    from m3cred_tui.model.credential import Credential, Destination
    from m3cred_tui.model.problem import Problem
    from m3cred_tui.store.port import CredentialStore
    from m3cred_tui.upkeep.service import Upkeep


@dataclass(frozen=True, slots=True)
class Services:
    """The rooms below the app, ready to be used."""

    store: CredentialStore
    authorizer: Callable[[Destination], Authorizer]
    """Returns the authorization service of a destination; may block; raises ``Problem``."""
    open_browser: Callable[[str], Awaitable[None]]
    """Raises ``BrowserDidNotOpen``."""
    ways: Ways
    upkeep: Callable[[], Upkeep]
    """Returns the service that checks and disconnects credentials."""
    now: Callable[[], datetime]
    created_by: str
    demo: bool = False
    dashboard_url: Callable[[Credential], str | None] = lambda _credential: None
    """Returns the account's address in Stripe's Dashboard, if it has one; may block."""
    settings: Callable[[], SettingsEditor] | None = None
    """Returns the editor of the settings; None in the demo, which needs none."""

    def obstacles(self) -> Mapping[Destination, Problem]:
        """Return what keeps destinations from being used, as far as the settings tell."""
        return {} if self.settings is None else self.settings().obstacles()
