"""What m3cred is told from outside: one frozen value, read once."""

from collections.abc import Mapping
from dataclasses import dataclass

from m3cred_tui.config.locations import Locations, locations
from m3cred_tui.model.destination import DESTINATIONS, Destination
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.platform import Platform

_PREFIX = "M3CRED_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a start of m3cred depends on."""

    locations: Locations
    platforms: Mapping[Destination, Platform]
    """The destinations that are set up."""
    created_by: str
    demo: bool = False


def settings_from(environ: Mapping[str, str], *, created_by: str) -> Settings:
    """Read the settings of a normal start.

    A destination is set up by its two variables, ``M3CRED_<code>_CLIENT_ID`` and
    ``M3CRED_<code>_SECRET_KEY``, where ``<code>`` is m3ter's (``STRIPE``, ``STRIPE_TEST``).
    """
    platforms = {}
    for destination in DESTINATIONS:
        client_id = environ.get(f"{_PREFIX}{destination.code}_CLIENT_ID", "").strip()
        secret_key = environ.get(f"{_PREFIX}{destination.code}_SECRET_KEY", "").strip()
        if client_id and secret_key:
            platforms[destination] = Platform(client_id, Secret(secret_key))
    return Settings(locations(demo=False), platforms, created_by)
