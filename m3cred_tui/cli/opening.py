"""The store that a command works on, and the identity that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.config.locations import Locations, locations
from m3cred_tui.store.directory.store import CredentialStore
from m3cred_tui.store.identity import IdentityFile

if TYPE_CHECKING:
    from argparse import Namespace


class Opened(NamedTuple):
    """Where things lie, and what reads them."""

    places: Locations
    identity: IdentityFile
    store: CredentialStore

    def unlock(self, chosen: Namespace) -> None:
        """Unlock the identity if it is under a passphrase.

        Raises what ``passphrase.opened_with`` does.
        """
        if self.identity.is_locked():
            from m3cred_tui.cli.passphrase import opened_with

            prompt = "Passphrase of the identity: "
            opened_with(chosen.passphrase_fd, prompt, self.identity.unlock)


def opened(*, demo: bool) -> Opened:
    """Return what a command works on; nothing is read yet."""
    places = locations(demo=demo)
    identity = IdentityFile(places.identity)
    return Opened(places, identity, CredentialStore(places.data, identity))
