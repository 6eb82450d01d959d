"""Opening the store of this user, and what checks and disconnects its credentials."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.config.locations import Locations, locations
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from m3cred_tui.store.port import CredentialStore
    from m3cred_tui.upkeep.service import Upkeep


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
            from m3cred_tui.cli.output.prompts import opened_with

            prompt = "Passphrase of the identity: "
            opened_with(chosen.passphrase_fd, prompt, self.identity.unlock)


def opened(*, demo: bool) -> Opened:
    """Return what a command works on; nothing is read yet."""
    places = locations(demo=demo)
    identity = IdentityFile(places.identity, places.data)
    return Opened(places, identity, DirectoryStore(places.data, identity))


@contextmanager
def upkeep_of(chosen: Namespace, here: Opened) -> Iterator[Upkeep]:
    """Yield the upkeep, with the identity unlocked; with --demo, its Stripe runs meanwhile.

    Raises what ``Opened.unlock`` does.
    """
    from contextlib import nullcontext

    from m3cred_tui.cli.log import logging_to
    from m3cred_tui.cli.wiring import demo_settings, now
    from m3cred_tui.config.settings import settings_from
    from m3cred_tui.upkeep.service import Upkeep

    here.unlock(chosen)
    with (
        demo_settings() if chosen.demo else nullcontext(settings_from(os.environ)) as settings,
        logging_to(settings.locations.log),
    ):
        yield Upkeep(here.store, lambda one: settings.platform(one, here.identity), now)
