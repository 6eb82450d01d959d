"""Opening the app: the rooms are put together here."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from m3cred_tui.cli.log_file import logging_to
from m3cred_tui.cli.process import close_to_others
from m3cred_tui.config.locations import locations
from m3cred_tui.config.settings import Settings, settings_from
from m3cred_tui.model.destination import STRIPE, STRIPE_TEST, Destination
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.stripe.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.authorize.ways import Ways
    from m3cred_tui.store.identity import IdentityFile
    from m3cred_tui.ui.services import Services

DEMO_PORT = 27181
"""Where the demo Stripe is when the port is free, so that a tunnel can name it."""

_FAILED = 1


def open_app(*, demo: bool, passphrase_fd: int | None = None, mouse: bool = True) -> int:
    """Open the app full screen until the user leaves; return the exit status.

    An identity under a passphrase is unlocked before, by the descriptor's line if one is given.
    """
    close_to_others()
    if reason := _unfit_terminal():
        sys.stderr.write(f"m3cred: {reason}\n")
        return _FAILED
    try:
        with (
            demo_settings() if demo else normal_settings() as settings,
            logging_to(settings.locations.log),
        ):
            return _run(settings, passphrase_fd, mouse=mouse)
    except Problem as problem:
        sys.stderr.write(f"m3cred: {problem}\n")
        return _FAILED


def _unfit_terminal() -> str | None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "the app needs a terminal; run it in one."
    if os.environ.get("TERM", "") in {"", "dumb"}:
        return (
            "TERM is dumb: this terminal cannot show a full-screen app; use the command line: "
            "m3cred create --help."
        )
    return None


def _run(settings: Settings, passphrase_fd: int | None, *, mouse: bool = True) -> int:
    from m3cred_tui.store.identity import IdentityFile

    identity = IdentityFile(settings.locations.identity)
    if identity.is_locked():  # the usual start does without the rest
        from m3cred_tui.cli.passphrase import unlocked_for_start

        unlocked_for_start(identity, passphrase_fd)
    from m3cred_tui.ui.app import M3credApp
    from m3cred_tui.ui.terminal_abilities import abilities

    app = M3credApp(services_from(settings, identity), abilities(os.environ))
    try:
        app.run(mouse=mouse)
    finally:
        _let_exchange_end()
    if app.crash is not None:
        from m3cred_tui.cli.crash import tell_crash

        tell_crash(app.crash, settings.locations.log)
    return app.return_code or 0


def _let_exchange_end() -> None:
    """Wait for an answer of Stripe that is under way; the screen is the user's again by now."""
    from m3cred_tui.authorize.outliving import unfinished

    if exchanges := unfinished():
        with suppress(OSError):
            sys.stderr.write("m3cred: waiting for Stripe's answer; what it approves is kept.\n")
        for exchange in exchanges:
            exchange.join()


@contextmanager
def normal_settings() -> Iterator[Settings]:
    """Yield the settings of a normal start."""
    # Where gpg's agent would ask for a passphrase, the app is drawing.
    yield settings_from(
        {name: value for name, value in os.environ.items() if name != "GPG_TTY"}
    )


@contextmanager
def demo_settings() -> Iterator[Settings]:
    """Yield settings for the demo Stripe, which runs beside the caller meanwhile."""
    from m3cred_tui.callback.ports import CALLBACK_PORTS, redirect_uri
    from m3cred_tui.demo_stripe.server import PortUnusable, background_demo_stripe

    redirect_uris = [redirect_uri(port) for port in CALLBACK_PORTS]
    with ExitStack() as running:
        try:
            stripe = running.enter_context(background_demo_stripe(redirect_uris, DEMO_PORT))
        except PortUnusable:  # another m3cred --demo has it
            stripe = running.enter_context(background_demo_stripe(redirect_uris))
        bases = stripe.connect_base, stripe.api_base
        platforms = {
            STRIPE: Platform(*stripe.live, *bases),
            STRIPE_TEST: Platform(*stripe.test, *bases),
        }
        yield Settings(locations(demo=True), platforms, demo=True)


def services_from(settings: Settings, identity: IdentityFile | None = None) -> Services:
    """Put the rooms together, around the identity that was unlocked if one was."""
    from m3cred_tui.store.identity import IdentityFile
    from m3cred_tui.store.store import CredentialStore
    from m3cred_tui.ui.services import Services

    places = settings.locations
    opener = identity or IdentityFile(places.identity)

    def authorizer(destination: Destination) -> Authorizer:
        # Not for the first paint: these bring a server and the HTTP protocol.
        from m3cred_tui.authorize.service import Authorizer
        from m3cred_tui.stripe.httpx_gateway import HttpxGateway

        gateway = HttpxGateway(settings.platform(destination, opener))
        return Authorizer(gateway, destination, _open_browser, _now)

    return Services(
        store=CredentialStore(places.data, opener),
        authorizer=authorizer,
        open_browser=_open_browser,
        ways=_ways(settings),
        now=_now,
        created_by=clean(f"{getpass.getuser()}@{socket.gethostname()}"),
        demo=settings.demo,
    )


def _ways(settings: Settings) -> Ways:
    from m3cred_tui.authorize.ways import Ways

    bases = {urlsplit(one.connect_base).port for one in settings.platforms.values()}
    demo_ports = [port for port in bases if port] if settings.demo else []
    return Ways(os.environ, settings.locations.log.with_name("url"), demo_ports)


async def _open_browser(url: str) -> None:
    from m3cred_tui.authorize.browser import open_browser

    await open_browser(url, os.environ)


def _now() -> datetime:
    return datetime.now(UTC)
