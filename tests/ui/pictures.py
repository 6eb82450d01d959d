"""Pictures of the app after a walk through it."""

from collections.abc import Callable
from typing import Any

from m3cred_tui.ui.app import M3credApp
from tests.ui.user import User

Snap = Callable[..., bool]
Walk = Callable[[User], Any]


def looks_as_before(
    snap_compare: Snap, app: M3credApp, walk: Walk, size: tuple[int, int], theme: str
) -> bool:
    """Compare what is seen after a walk with what was kept; the theme is chosen before it."""

    async def before(pilot: Any) -> None:
        if theme:
            app.theme = theme
        await walk(User(app, pilot))

    return snap_compare(app, terminal_size=size, run_before=before)
