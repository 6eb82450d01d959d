"""The upkeep of credentials, put together for a command."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from m3cred_tui.cli.opening import Opened
    from m3cred_tui.upkeep.service import Upkeep


@contextmanager
def upkeep_of(chosen: Namespace, here: Opened) -> Iterator[Upkeep]:
    """Yield the upkeep, with the identity unlocked; with --demo, its Stripe runs meanwhile.

    Raises what ``Opened.unlock`` does.
    """
    from contextlib import nullcontext

    from m3cred_tui.cli.log_file import logging_to
    from m3cred_tui.cli.rooms import demo_settings, now
    from m3cred_tui.config.settings import settings_from
    from m3cred_tui.upkeep.service import Upkeep

    here.unlock(chosen)
    with (
        demo_settings() if chosen.demo else nullcontext(settings_from(os.environ)) as settings,
        logging_to(settings.locations.log),
    ):
        yield Upkeep(here.store, lambda one: settings.platform(one, here.identity), now)
