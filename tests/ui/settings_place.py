"""A user whose destinations are set up by the Settings screen, in a directory of the test."""

from collections.abc import Mapping
from pathlib import Path

from m3cred_tui.authorize.service import Authorizer
from m3cred_tui.config.editor import SettingsEditor
from m3cred_tui.config.locations import Locations
from m3cred_tui.config.settings import Settings
from m3cred_tui.model.credential import Destination
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.stripe.adapters import ConnectGateway
from m3cred_tui.ui.services import Services
from tests.ui.user import User


class AtHome(SettingsEditor):
    """Says of its file what does not change from run to run, for a picture."""

    __slots__ = ()

    @property
    def file(self) -> Path:
        return Path("/home/ann/.config/m3cred/config.toml")


class Place:
    """The settings file, and the services that know it."""

    def __init__(self, root: Path, services: Services, environ: Mapping[str, str]) -> None:
        """Lie where the store of ``services`` has its identity."""
        config = root / "config"
        self.places = Locations(root / "data", config / "identity.txt", root / "log")
        self.settings = Settings(self.places, environ=environ)
        identity = IdentityFile(self.places.identity, self.places.data)

        def authorizer(destination: Destination) -> Authorizer:
            gateway = ConnectGateway(self.settings.platform(destination, identity))
            ports = self.settings.redirects(destination).ports
            return Authorizer(
                gateway, destination, services.open_browser, services.now, ports=ports
            )

        self.services = services._replace(
            authorizer=authorizer,
            demo=False,
            settings=lambda: AtHome(self.settings, identity),
        )

    def write(self, text: str) -> bytes:
        """Write the settings file, and return its bytes."""
        file = self.places.settings
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(text)
        return text.encode()

    @property
    def content(self) -> str:
        """What is in the file."""
        file = self.places.settings
        return file.read_text() if file.exists() else ""


async def to_form(user: User, *, test: bool = False) -> None:
    """Go from the Credentials page to the form of a destination."""
    await user.press("comma")
    await user.until(lambda: user.page == "SettingsPage")
    if test:
        await user.press("down")
    await user.press("enter")
    await user.until(lambda: user.page == "SetUpPage" and user.app.screen.focused)


async def choose(user: User, source: int) -> None:
    """Choose where the secret key comes from: by how many lines below the one that is set."""
    await user.press("enter")
    await user.focuses("SelectOverlay")
    await user.press(*["down"] * source, "enter")
    await user.until(lambda: user.focus == "SettingLine")
