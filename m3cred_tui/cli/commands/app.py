"""Opening the app."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from m3cred_tui.cli.ending import let_exchange_end
from m3cred_tui.cli.log import line_of, logging_to, traceback_of
from m3cred_tui.cli.wiring import (
    authorizer_for,
    created_by,
    demo_settings,
    editor_for,
    normal_settings,
    now,
    open_browser,
    upkeep_from,
    ways_from,
)
from m3cred_tui.model.problem import Problem
from m3cred_tui.system.process import close_to_others

if TYPE_CHECKING:
    from pathlib import Path

    from m3cred_tui.config.settings import Settings
    from m3cred_tui.store.identity import IdentityFile
    from m3cred_tui.ui.services import Services


def tell_crash(fault: BaseException, log: Path) -> None:
    """Write to stderr where it happened, without a value or a secret, and where the log is."""
    sentence = "m3cred: this is a fault in m3cred, not in what you did; what was saved is kept."
    if log.exists():
        sentence += f" The log is {line_of(str(log))}"
    with suppress(OSError):  # the terminal may be the fault
        sys.stderr.write("\n".join([*traceback_of(fault), sentence, ""]))


_FAILED = 1
_TO_DEMO = -1  # no exit status: the user goes on to the demo


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
            status = _run(settings, passphrase_fd, mouse=mouse)
    except Problem as problem:
        sys.stderr.write(f"m3cred: {problem}\n")
        return _FAILED
    return open_app(demo=True, mouse=mouse) if status == _TO_DEMO else status


def _unfit_terminal() -> str | None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "the app needs a terminal; run it in one."
    term = os.environ.get("TERM", "")
    if term in {"", "dumb"}:
        return (
            f"TERM is {term or 'not set'}: this terminal cannot show a full-screen app; "
            "use the command line: m3cred create --help."
        )
    return None


def _run(settings: Settings, passphrase_fd: int | None, *, mouse: bool = True) -> int:
    from m3cred_tui.store.identity import IdentityFile

    identity = IdentityFile(settings.locations.identity)
    if identity.is_locked():  # the usual start does without the rest
        from m3cred_tui.cli.output.prompts import unlocked_for_start

        unlocked_for_start(identity, passphrase_fd)
    from m3cred_tui.ui.app import M3credApp
    from m3cred_tui.ui.terminal.abilities import abilities

    app = M3credApp(services_from(settings, identity), abilities(os.environ))
    try:
        app.run(mouse=mouse)
    finally:
        _end_key_commands()
        let_exchange_end()
    if app.crash is not None:
        tell_crash(app.crash, settings.locations.log)
    return _TO_DEMO if app.wants_demo else app.return_code or 0


def _end_key_commands() -> None:
    """End what was to print a secret key, which may take half a minute."""
    if module := sys.modules.get("m3cred_tui.config.key_source"):
        module.end_running()


def services_from(settings: Settings, identity: IdentityFile | None = None) -> Services:
    """Put the rooms together, around the identity that was unlocked if one was."""
    from m3cred_tui.store.directory.store import CredentialStore
    from m3cred_tui.store.identity import IdentityFile
    from m3cred_tui.ui.services import Services

    places = settings.locations
    opener = identity or IdentityFile(places.identity)
    store = CredentialStore(places.data, opener)
    return Services(
        store=store,
        authorizer=lambda destination: authorizer_for(destination, settings, opener),
        open_browser=open_browser,
        ways=ways_from(settings),
        upkeep=lambda: upkeep_from(settings, store, opener),
        now=now,
        created_by=created_by(),
        demo=settings.demo,
        settings=None if settings.demo else lambda: editor_for(settings, opener),
    )
