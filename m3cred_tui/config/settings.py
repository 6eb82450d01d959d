"""What m3cred is told from outside: one frozen value, read once."""

from collections.abc import Mapping
from dataclasses import dataclass

from m3cred_tui.config.locations import Locations, locations
from m3cred_tui.model.destination import DESTINATIONS, Destination
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.platform import Platform


class NotSetUp(Problem):
    """A destination has no client id or no secret key."""

    def __init__(self, destination: Destination) -> None:
        client_id, secret_key = _variables(destination)
        super().__init__(
            f"{destination.label} is not set up: set {client_id} and {secret_key}, then start "
            "m3cred again; or try everything on the demo Stripe with m3cred --demo."
        )
        self.destination = destination


class LiveNeedsHttps(Problem):
    """Stripe would not redirect to the callback server in live mode."""

    def __init__(self, destination: Destination) -> None:
        super().__init__(
            f"With {destination.label}, Stripe returns to HTTPS addresses only, which m3cred "
            "cannot receive yet. Use Stripe (Test Mode), or try it with m3cred --demo."
        )
        self.destination = destination


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a start of m3cred depends on."""

    locations: Locations
    platforms: Mapping[Destination, Platform]
    """The destinations that are set up."""
    demo: bool = False

    def platform(self, destination: Destination) -> Platform:
        """Return a destination's platform.

        Raises :class:`NotSetUp`, and :class:`LiveNeedsHttps` for a live mode other than the
        demo's (https://docs.stripe.com/connect/oauth-reference: ``redirect_uri``).
        """
        if destination not in self.platforms:
            raise NotSetUp(destination)
        if destination.livemode and not self.demo:
            raise LiveNeedsHttps(destination)
        return self.platforms[destination]


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Read the settings of a normal start.

    A destination is set up by two variables, ``M3CRED_<code>_CLIENT_ID`` and
    ``M3CRED_<code>_SECRET_KEY``, where ``<code>`` is m3ter's (``STRIPE``, ``STRIPE_TEST``).
    """
    platforms = {}
    for destination in DESTINATIONS:
        client_id, secret_key = (
            environ.get(name, "").strip() for name in _variables(destination)
        )
        if client_id and secret_key:
            platforms[destination] = Platform(client_id, Secret(secret_key))
    return Settings(locations(demo=False), platforms)


def _variables(destination: Destination) -> tuple[str, str]:
    prefix = f"M3CRED_{destination.code}"
    return f"{prefix}_CLIENT_ID", f"{prefix}_SECRET_KEY"
