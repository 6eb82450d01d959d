"""The services that the app is started with."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.problem import Problem
from m3cred_tui.store.files import FlawError, private_folder, read_private, replace

if TYPE_CHECKING:  # the first paint needs neither
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.browser.ways import Ways
    from m3cred_tui.config.editor import SettingsEditor
    from m3cred_tui.model.credential import Credential, Destination
    from m3cred_tui.store.port import CredentialStore
    from m3cred_tui.upkeep.service import Upkeep


_log = logging.getLogger(__name__)
_MOST = 1024  # bytes
_DIRECTIONS = ("forward", "reversed")


class View:
    """How the list is sorted, and in which theme it is drawn: kept for the next start."""

    def __init__(self, file: Path | None = None, order: str = "") -> None:
        """Take the file where it is kept, if anywhere, and the heading of a column."""
        self._file = file
        self.theme = ""
        self.order = order
        self.is_reversed = False
        self._kept = self._state

    @property
    def _state(self) -> tuple[str, str, str]:
        return self.theme, self.order, _DIRECTIONS[self.is_reversed]

    def read(self) -> View:
        """Take what the last start has kept, and return this; a damaged file is ignored."""
        if self._file is None or not os.path.lexists(self._file):
            return self
        try:
            with private_folder(self._file.parent) as folder:
                data = read_private(folder, self._file.name, self._file, most=_MOST)
            theme, order, direction = data.decode().splitlines()
            is_reversed = bool(_DIRECTIONS.index(direction))
        except (OSError, Problem, FlawError, ValueError) as error:
            _log.warning("ignored how the list was shown last: %s", error)
        else:
            self.theme, self.order, self.is_reversed = theme, order, is_reversed
            self._kept = self._state
        return self

    def keep(self) -> None:
        """Write it if it has changed; a failure is only logged."""
        if self._file is None or self._kept == self._state:
            return
        data = "".join(f"{one}\n" for one in self._state).encode()
        try:
            with private_folder(self._file.parent, make=True) as folder:
                replace(folder, self._file.name, data)
        except (OSError, Problem) as error:
            _log.warning("did not keep how the list is shown: %s", error)


class Services(NamedTuple):
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
    view: View
    demo: bool = False
    dashboard_url: Callable[[Credential], str | None] = lambda _credential: None
    """Returns the account's address in Stripe's Dashboard, if it has one; may block."""
    log: Path | None = None
    """The log file."""
    settings: Callable[[], SettingsEditor] | None = None
    """Returns the editor of the settings; None in the demo, which needs none."""

    def obstacles(self) -> Mapping[Destination, Problem]:
        """Return what keeps destinations from being used, as far as the settings tell."""
        return {} if self.settings is None else self.settings().obstacles()
