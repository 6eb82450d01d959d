"""From what is set to a platform that can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.config.key_source import key_from
from m3cred_tui.config.problems import Misplaced
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.problems import IdentityLocked
from m3cred_tui.stripe.gateway import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from m3cred_tui.config.locations import Locations
    from m3cred_tui.config.setup import Setup


def platform_of(
    setup: Setup,
    places: Locations,
    environ: Mapping[str, str],
    identity: IdentityFile | None = None,
) -> Platform:
    """Return the platform of a setup without problems in which nothing is missing.

    Blocks while a command gives the secret key. Raises ``Problem``: :class:`Misplaced` for
    what is wrong with the source of the key, and ``IdentityLocked``.
    """
    client_id, source = setup.client_id.value, setup.secret_key.value
    assert client_id is not None  # noqa: S101 - the caller has looked
    assert source is not None  # noqa: S101
    opener = identity or IdentityFile(places.identity)
    try:
        secret_key = key_from(source, setup.destination, places, opener, environ)
    except IdentityLocked:
        raise
    except Problem as problem:
        raise Misplaced(setup.secret_key.place, problem) from None
    others = {
        name: value
        for name in ("oauth", "connect_base", "marketplace_base", "api_base", "channel")
        if (value := getattr(setup, name).value) is not None
    }
    return Platform(client_id, secret_key, **others)
