"""Pictures of the app after a walk through it."""

import re
from collections.abc import Callable
from typing import Any

from m3cred_tui.ui.app import M3credApp
from m3cred_tui.ui.screens.page import Dialog
from tests.ui.user import User

_KEYS_OF_A_DIALOG = re.compile(r"⏎ \w+  esc \w+  ")
Snap = Callable[..., bool]
Walk = Callable[[User], Any]


def looks_as_before(
    snap_compare: Snap, app: M3credApp, walk: Walk, size: tuple[int, int], theme: str
) -> bool:
    """Compare what is seen after a walk with what was kept; the theme is chosen before it."""

    async def before(pilot: Any) -> None:
        if theme:
            app.theme = theme
        user = User(app, pilot)
        await walk(user)
        if isinstance(app.screen, Dialog):
            await user.until(lambda: _KEYS_OF_A_DIALOG.match(user.lines[-1]))

    return snap_compare(app, terminal_size=size, run_before=before)
