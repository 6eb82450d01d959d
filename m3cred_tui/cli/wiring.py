"""Wiring: construct and connect the objects of the app and of the commands."""

# ruff: noqa: PLC0415  The app's first paint needs no Stripe client, server or browser, so their
# modules are imported by the functions that use them.

from __future__ import annotations

import getpass
import os
import socket
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from m3cred_tui.cli.log import logging_to
from m3cred_tui.config.locations import locations
from m3cred_tui.config.settings import Settings, settings_from
from m3cred_tui.model.credential import DESTINATIONS
from m3cred_tui.model.text import clean

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.browser.ways import Ways
    from m3cred_tui.cli.selecting import Opened
    from m3cred_tui.config.editor import SettingsEditor
    from m3cred_tui.model.credential import Destination
    from m3cred_tui.store.identity import IdentityFile
    from m3cred_tui.store.port import CredentialStore
    from m3cred_tui.stripe.gateway import Platform
    from m3cred_tui.upkeep.service import Upkeep


DEMO_PORT = 27181
"""The demo Stripe's port if it is free, so that a tunnel can name it."""


@contextmanager
def normal_settings() -> Iterator[Settings]:
    """Yield the settings of a normal start."""
    # gpg's agent must not ask for a passphrase on the terminal that the app draws on.
    yield settings_from(
        {name: value for name, value in os.environ.items() if name != "GPG_TTY"}
    )


@contextmanager
def settings_of_command(*, demo: bool) -> Iterator[Settings]:
    """Yield the settings for a command, which leaves the terminal to gpg's agent, and log."""
    with (
        demo_settings() if demo else nullcontext(settings_from(os.environ)) as settings,
        logging_to(settings.locations.log),
    ):
        yield settings


@contextmanager
def demo_settings() -> Iterator[Settings]:
    """Yield settings for the demo Stripe, which runs during the block."""
    from m3cred_tui.demo_stripe.server import PortUnusable, background_demo_stripe, demo_stripe
    from m3cred_tui.model.authorization import CALLBACK_PORTS, redirect_uri
    from m3cred_tui.stripe.gateway import Platform

    redirect_uris = [redirect_uri(port) for port in CALLBACK_PORTS]
    places = locations(demo=True)
    make_app = partial(demo_stripe, remembered=places.log.with_name("demo-stripe"))
    run = partial(background_demo_stripe, redirect_uris, make_app=make_app)
    with ExitStack() as running:
        try:
            stripe = running.enter_context(run(DEMO_PORT))
        except PortUnusable:  # another m3cred --demo uses it
            stripe = running.enter_context(run())
        bases = stripe.connect_base, stripe.api_base
        platforms = {
            one: Platform(*stripe.keys(livemode=one.livemode), *bases) for one in DESTINATIONS
        }
        yield Settings(places, platforms, demo=True)


def authorizer_for(
    destination: Destination, settings: Settings, identity: IdentityFile
) -> Authorizer:
    """Return the authorization service of a destination; may block for its secret key.

    Raises ``Problem`` if the destination is not set up, or wrongly.
    """
    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.stripe.adapters import gateway_for

    redirects = settings.redirects(destination)
    return Authorizer(
        gateway_for(settings.platform(destination, identity), now),
        destination,
        open_browser,
        now,
        ports=redirects.ports,
        own_redirect_uri=redirects.redirect_uri,
    )


def upkeep_from(settings: Settings, store: CredentialStore, identity: IdentityFile) -> Upkeep:
    """Return the service that checks, refreshes and disconnects the credentials of a store."""
    from m3cred_tui.upkeep.service import Upkeep

    def platform(destination: Destination) -> Platform:
        return settings.platform(destination, identity)

    return Upkeep(store, platform, now, by=created_by())


@contextmanager
def upkeep_of(chosen: Namespace, here: Opened) -> Iterator[Upkeep]:
    """Yield the upkeep, with the identity unlocked; with --demo, the demo Stripe runs, too.

    Raises what ``Opened.unlock`` does.
    """
    here.unlock(chosen.passphrase_fd)
    with settings_of_command(demo=chosen.demo) as settings:
        yield upkeep_from(settings, here.store, here.identity)


def editor_for(settings: Settings, identity: IdentityFile) -> SettingsEditor:
    """Return what shows, changes and tries the settings."""
    from m3cred_tui.config.editor import SettingsEditor

    return SettingsEditor(settings, identity)


def ways_from(settings: Settings) -> Ways:
    """Return the ways from here to a browser."""
    from m3cred_tui.browser.ways import Ways

    bases = {urlsplit(one.connect_base).port for one in settings.platforms.values()}
    demo_ports = [port for port in bases if port] if settings.demo else []
    return Ways(os.environ, settings.locations.log.with_name("url"), demo_ports)


async def open_browser(url: str) -> None:
    """Open a URL where the user can see it; raises ``BrowserDidNotOpen``."""
    from m3cred_tui.browser.opening import open_browser

    await open_browser(url, os.environ)


def created_by() -> str:
    """Return who creates credentials here, as it is stored in a record."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        user = str(os.getuid())  # in a container, say, that is run for any uid
    return clean(f"{user}@{socket.gethostname()}")


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)
