"""Opening the app."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from m3cred_tui.cli.ending import FAILED, LimitReached, let_exchange_end
from m3cred_tui.cli.log import line_of, logging_to, traceback_of
from m3cred_tui.cli.output.streams import complain, is_utf8
from m3cred_tui.cli.selecting import opened_at
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
from m3cred_tui.config.settings import Settings
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.system.threads import lacks_resources
from m3cred_tui.ui.app import M3credApp
from m3cred_tui.ui.services import Services, View
from m3cred_tui.ui.terminal.abilities import abilities


def tell_crash(fault: BaseException, log: Path) -> None:
    """Write to stderr where it happened, without values or secrets, and where the log is."""
    sentence = "m3cred: this is a fault in m3cred, not in what you did; what was saved is kept."
    if log.exists():
        sentence += f" The log is {line_of(str(log))}"
    with suppress(OSError):  # the terminal may be the cause
        sys.stderr.write("\n".join([*traceback_of(fault), sentence, ""]))


_TO_DEMO = -1  # not an exit status: the user wants the demo


def open_app(*, demo: bool, passphrase_fd: int | None = None, mouse: bool = True) -> int:
    """Open the app full screen until the user leaves; return the exit status.

    An identity under a passphrase is unlocked first, with a line of the descriptor if one is
    given. Raises ``Problem`` if the app cannot be opened.
    """
    if reason := _unfit_terminal():
        complain(reason)
        return FAILED
    with (
        demo_settings() if demo else normal_settings() as settings,
        logging_to(settings.locations.log),
    ):
        status = _run(settings, passphrase_fd, mouse=mouse)
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
    identity = IdentityFile(settings.locations.identity, settings.locations.data)
    if identity.is_locked():
        from m3cred_tui.cli.output.prompts import unlock  # noqa: PLC0415 - rare, and 5 ms

        unlock(identity, passphrase_fd, is_optional=True)
    app = M3credApp(
        services_from(settings, identity), abilities(os.environ, is_utf8=is_utf8(sys.stderr))
    )
    try:
        app.run(mouse=mouse)
    finally:
        _end_key_commands()
        let_exchange_end()
    if lacks_resources(app.crash):
        raise LimitReached
    if app.crash is not None:
        tell_crash(app.crash, settings.locations.log)
    return _TO_DEMO if app.wants_demo else app.return_code or 0


def _end_key_commands() -> None:
    """End a command that should print a secret key, which may take half a minute."""
    if module := sys.modules.get("m3cred_tui.config.key_source"):
        module.end_running()


def services_from(settings: Settings, identity: IdentityFile | None = None) -> Services:
    """Construct what the app works with, around the identity if it was unlocked."""
    _, opener, store = opened_at(settings.locations, identity, demo=settings.demo)
    return Services(
        store=store,
        authorizer=lambda destination: authorizer_for(destination, settings, opener),
        open_browser=open_browser,
        ways=ways_from(settings),
        upkeep=lambda: upkeep_from(settings, store, opener),
        now=now,
        created_by=created_by(),
        view=View(settings.locations.log.with_name("view")).read(),
        demo=settings.demo,
        dashboard_url=settings.dashboard_url,
        log=settings.locations.log,
        settings=None if settings.demo else lambda: editor_for(settings, opener),
    )
