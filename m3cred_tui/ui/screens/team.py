"""What the Credentials page says of a team's store: where it is, and what is not up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.listing.columns import clock_time, sealed_here

if TYPE_CHECKING:
    from collections.abc import Iterator

    from m3cred_tui.store.port import CredentialStore
    from m3cred_tui.ui.services import Services


def counted(text: str, services: Services) -> str:
    """Return the number of credentials, and since when it is not confirmed."""
    as_of = services.store.as_of
    if as_of is None:
        return text
    return f"{text}, as of {clock_time(as_of, services.now())}".removeprefix(", ")


def aside(store: CredentialStore, told: set[str]) -> Iterator[tuple[str, str]]:
    """Yield what :func:`sealed_here` does, without those ``told`` of, and add it to them."""
    for one, text in sealed_here(store):
        if one not in told:
            told.add(one)
            yield one, text
