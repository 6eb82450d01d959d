"""File locations."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

from m3cred_tui.model.problem import Problem

APP_NAME = "m3cred"

_XDG = {
    "XDG_DATA_HOME": ".local/share",
    "XDG_CONFIG_HOME": ".config",
    "XDG_STATE_HOME": ".local/state",
}


class Locations(NamedTuple):
    """What m3cred reads and writes; none of it need exist yet."""

    data: Path
    """The store's directory; ``credentials/`` below it has a file for each credential."""

    identity: Path
    """The age identity that opens the sealed parts; never in the data directory."""

    log: Path
    """What happened, without any secret."""

    @property
    def settings(self) -> Path:
        """The settings, a TOML file next to the identity."""
        return self.identity.with_name("config.toml")

    @property
    def keys(self) -> Path:
        """The sealed platform keys; with the data, away from the identity that opens them."""
        return self.data / "keys"

    @property
    def team(self) -> Path:
        """What is known of a team's store, and approvals that it does not have yet."""
        return self.data / "team"


class NoHome(Problem, code="NoHome"):
    """Neither ``HOME`` nor the system names a home directory, as for a uid in a container."""

    text = """There is no home directory for uid {uid}, so there is nowhere to keep anything:
        set HOME to a directory that is yours."""
    uid: int


def locations(*, demo: bool) -> Locations:
    """Return this user's locations; the demo's are in ``demo/`` below the normal ones.

    Raises :class:`NoHome`.
    """
    try:
        data, config, state = _of_linux() or _of_platform()
        is_known = all(one.is_absolute() for one in (data, config, state))
    except RuntimeError:  # as newer releases of platformdirs say it
        is_known = False
    if not is_known:
        raise NoHome(os.getuid())
    if config.is_relative_to(data):  # macOS has one directory for both
        config = Path.home() / f".{APP_NAME}"
    if demo:
        data, config, state = data / "demo", config / "demo", state / "demo"
    return Locations(data, config / "identity.txt", state / f"{APP_NAME}.log")


def _of_linux() -> tuple[Path, Path, Path] | None:
    """Return what platformdirs would in the usual case, without importing it."""
    if sys.platform != "linux":
        return None
    home, found = os.environ.get("HOME", "~"), []
    for name, default in _XDG.items():
        base = os.environ.get(name, "")
        if not base.startswith("/"):  # as XDG wants it, and only newer platformdirs do
            base = f"{home}/{default}"
        found.append(Path(base, APP_NAME))
    if not home.startswith("/"):
        return None
    data, config, state = found
    return data, config, state


def _of_platform() -> tuple[Path, Path, Path]:
    from platformdirs import PlatformDirs  # noqa: PLC0415 - takes 10 ms, and is seldom needed

    dirs = PlatformDirs(APP_NAME, appauthor=False)
    return dirs.user_data_path, dirs.user_config_path, dirs.user_state_path
