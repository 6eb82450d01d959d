"""Where things lie."""

from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs

APP_NAME = "m3cred"


@dataclass(frozen=True, slots=True)
class Locations:
    """What m3cred reads and writes; none of it need exist yet."""

    data: Path
    """The store's directory; ``credentials/`` below it has a file for each credential."""

    identity: Path
    """The age identity that opens the sealed parts; never in the directory of the data."""

    log: Path
    """What happened, without any secret."""

    @property
    def settings(self) -> Path:
        """The settings, a TOML file beside the identity."""
        return self.identity.with_name("config.toml")

    @property
    def keys(self) -> Path:
        """The sealed platform keys; with the data, so that what opens them is elsewhere."""
        return self.data / "keys"


def locations(*, demo: bool) -> Locations:
    """Return this user's locations; the demo's lie in ``demo/`` below the normal ones."""
    dirs = PlatformDirs(APP_NAME, appauthor=False)
    data, config, state = dirs.user_data_path, dirs.user_config_path, dirs.user_state_path
    if config.is_relative_to(data):  # macOS has one directory for both
        config = Path.home() / f".{APP_NAME}"
    if demo:
        data, config, state = data / "demo", config / "demo", state / "demo"
    return Locations(data, config / "identity.txt", state / f"{APP_NAME}.log")
