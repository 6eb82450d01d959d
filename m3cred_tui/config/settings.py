"""The settings: passed in at start, read when they are needed.

The first paint needs none of them, and a change on the Settings screen or by hand takes effect
without a restart.
"""

from __future__ import annotations

from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.config.locations import Locations, locations
from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from m3cred_tui.config.setup import Setup
    from m3cred_tui.config.table import Group, Setting
    from m3cred_tui.model.credential import Credential, Destination
    from m3cred_tui.store.identity import IdentityFile
    from m3cred_tui.stripe.gateway import Platform


class NotSetUp(Problem, code="NotSetUp"):
    """The destination has no client id, secret key or redirect URI; ``missing`` says which."""

    text = """{lack} Run m3cred config set {_first}, or try everything on the demo Stripe with
        m3cred --demo."""
    destination: Destination
    missing: tuple[str, ...] = ("client_id", "secret_key")

    @property
    def lack(self) -> str:
        """The first sentence, for where there is little room."""
        return f"{self.destination.label} is not set up: it has {self._lacks}."

    @property
    def _rows(self) -> list[Setting[object]]:
        from m3cred_tui.config.table import setting_named  # noqa: PLC0415 - as Settings.setup

        table = self.destination.code.lower()
        return [setting_named(f"{table}.{name}")[1] for name in self.missing]

    @property
    def _lacks(self) -> str:
        *most, last = (f"no {one.needed_as or one.noun}" for one in self._rows)
        return f"{', '.join(most)} and {last}" if most else last

    @property
    def _first(self) -> str:
        row = self._rows[0]
        return f"{self.destination.code.lower()}.{row.name} {row.example}".strip()


class Redirects(NamedTuple):
    """How Stripe's redirect reaches us."""

    ports: tuple[int, ...]
    """The first that is free is listened on."""
    redirect_uri: str | None
    """Where Stripe redirects to; ``None``: the port that is listened on."""


class Settings(NamedTuple):
    """Everything that a start of m3cred depends on."""

    locations: Locations
    platforms: Mapping[Destination, Platform] = MappingProxyType({})
    """Given ones, such as the demo's; the others are read when they are needed."""
    demo: bool = False
    environ: Mapping[str, str] = MappingProxyType({})

    def __repr__(self) -> str:
        """Return what it is without its values: the environment may hold keys."""
        return f"<Settings of {self.locations}>"

    def setup(self, destination: Destination) -> Setup:
        """Return what is set for a destination; raises what :meth:`setup_of` does."""
        from m3cred_tui.config.table import group_of  # noqa: PLC0415 - not for the first paint

        return self.setup_of(group_of(destination))

    def setup_of(self, group: Group) -> Setup:
        """Return what is set of a group now, each value with its origin.

        Raises ``Problem`` when the file as a whole, or a variable's name, is not understood.
        """
        from m3cred_tui.config.setup import read_setup  # noqa: PLC0415 - not for the first paint

        return read_setup(group, self.locations, self.environ)

    def redirects(self, destination: Destination) -> Redirects:
        """Return how Stripe's redirect reaches us; raises what :meth:`checked` does."""
        from m3cred_tui.model.authorization import CALLBACK_PORTS  # noqa: PLC0415 - as above

        if destination in self.platforms:
            return Redirects(CALLBACK_PORTS, None)
        from m3cred_tui.config.table import PORTS, REDIRECT_URI  # noqa: PLC0415 - as above

        setup = self.checked(destination)
        return Redirects(setup[PORTS].value or CALLBACK_PORTS, setup[REDIRECT_URI].value)

    def platform(
        self, destination: Destination, identity: IdentityFile | None = None
    ) -> Platform:
        """Return a destination's platform; may block, as a command may give the secret key.

        ``identity`` is the one that was unlocked, if one was, for a key that m3cred has
        sealed. Raises :class:`NotSetUp`, and ``Problem`` for what is wrong with a value or
        with where the secret key comes from.
        """
        if destination in self.platforms:
            return self.platforms[destination]
        from m3cred_tui.config.setup import platform_of  # noqa: PLC0415 - as above

        return platform_of(self.checked(destination), self.locations, self.environ, identity)

    def dashboard_url(self, credential: Credential) -> str | None:
        """Return the address of a credential's account in Stripe's Dashboard, if it has one.

        The demo's accounts have none; where the settings cannot be read, Connect is assumed.
        """
        from m3cred_tui.config.table import OAUTH  # noqa: PLC0415 - as above
        from m3cred_tui.model.credential import OAuthModel, dashboard_url  # noqa: PLC0415

        if self.demo or credential.account is None:
            return None
        oauth = None
        with suppress(Problem):
            oauth = self.setup(credential.destination)[OAUTH].value
        return dashboard_url(credential.account, oauth or OAuthModel.CONNECT)

    def checked(self, destination: Destination) -> Setup:
        """Return the setup of a destination that is set up.

        Raises :class:`NotSetUp`, and ``Problem`` for a value that is wrong.
        """
        setup = self.setup(destination)
        if problem := obstacle(setup):
            raise problem
        return setup


def obstacle(setup: Setup) -> Problem | None:
    """Return what keeps a destination from being used, if anything."""
    if setup.missing and not setup.problem:
        return NotSetUp(setup.destination, tuple(one.name for one in setup.missing))
    return setup.problem


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Return the settings of a normal start; nothing is read yet."""
    return Settings(locations(demo=False), environ=environ)
