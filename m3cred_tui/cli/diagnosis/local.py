"""What ``m3cred doctor`` looks at on this machine."""

from __future__ import annotations

import asyncio
import locale
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from m3cred_tui.browser.clipboard import send_to_clipboard
from m3cred_tui.browser.opening import BrowserDidNotOpen, browser_commands
from m3cred_tui.browser.surroundings import attached_environ
from m3cred_tui.cli.diagnosis.finding import Finding, mend, note, ok
from m3cred_tui.cli.output.json import waits_until
from m3cred_tui.cli.selecting import title_of
from m3cred_tui.config.problems import prefix_of
from m3cred_tui.config.settings import NotSetUp
from m3cred_tui.model.credential import DESTINATIONS, Credential
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store.files import check_way, private_folder
from m3cred_tui.store.port import Damaged
from m3cred_tui.store.problems import (
    IdentityLocked,
    IdentityMissing,
    StoreUnusable,
    plain_reason,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from m3cred_tui.cli.opening import Opened
    from m3cred_tui.config.settings import Settings
    from m3cred_tui.config.setup import Setup
    from m3cred_tui.store.identity import IdentityFile


_LEAST_FREE = 16 * 1024 * 1024
"""Bytes of disk; a credential takes a few thousand."""
_MOST_TOLD = 5


def directories(here: Opened) -> Iterator[Finding]:
    """Look at each directory: whose it is, who else gets at it, and whether it has room."""
    places = here.places
    folders = {
        "data directory": places.data,
        "configuration directory": places.identity.parent,
        "state directory": places.log.parent,
    }
    for area, path in folders.items():
        yield _directory(area, path)


def identity(here: Opened) -> Iterator[Finding]:
    """Look at the identity."""
    area, path = "identity", _shown(here.identity.path)
    if here.identity.is_locked():
        yield ok(area, f"{path} is under a passphrase.")
        return
    try:
        here.identity.to_open()
    except IdentityMissing as missing:
        if here.store.ids():
            yield mend(area, missing)
        else:
            yield ok(area, f"{path} is made with the first credential.")
    except Problem as problem:
        yield mend(area, problem)
    else:
        yield ok(area, f"{path} opens; it is under no passphrase.")


def credentials(here: Opened) -> Iterator[Finding]:
    """Look at each record, without opening its sealed part."""
    area = "credentials"
    ids = here.store.ids()
    damaged = [row for row in here.store.read_many(ids) if isinstance(row, Damaged)]
    for row in damaged[:_MOST_TOLD]:
        yield mend(
            area,
            f"The credential {row.id} is damaged: {row.reason}. Bring it back from a backup, "
            f"or run: m3cred delete {row.id}",
        )
    if len(damaged) > _MOST_TOLD:
        more = len(damaged) - _MOST_TOLD
        yield mend(area, f"{more:,} more are damaged; see m3cred list.")
    if not damaged:
        yield ok(area, f"{len(ids):,} can be read.")


def _directory(area: str, path: Path) -> Finding:
    try:
        check_way(path)
        with private_folder(path):
            pass
        if not os.access(path, os.W_OK):
            raise StoreUnusable(path, "nothing can be written to it")
        space = os.statvfs(path)
    except FileNotFoundError:
        return ok(area, f"{_shown(path)} is made when it is needed.")
    except Problem as problem:
        return mend(area, problem)
    except OSError as error:
        return mend(area, StoreUnusable(path, plain_reason(error)))
    free = space.f_bavail * space.f_frsize
    if free < _LEAST_FREE:
        return mend(area, f"{_shown(path)} has {free // 1024:,} KiB of disk left; make room.")
    return ok(area, f"{_shown(path)} is yours alone.")


def _shown(path: Path) -> str:
    return clean(str(path), most=4096)


_SETTINGS_AREA = "settings"


def configuration(settings: Settings, identity: IdentityFile) -> Iterator[Finding]:
    """Look at the settings file, and try what is set; a command may have to give a key."""
    if settings.demo:
        yield ok(_SETTINGS_AREA, "The demo Stripe needs none.")
        return
    path = settings.locations.settings
    try:
        setups = [settings.setup(one) for one in DESTINATIONS]
    except Problem as problem:
        yield mend(_SETTINGS_AREA, problem)
        return
    there = "can be read" if path.exists() else "is not there yet"
    yield ok(_SETTINGS_AREA, f"{clean(str(path), most=4096)} {there}.")
    is_any_touched = any(one.is_touched for one in setups)
    for setup in setups:
        yield _destination(setup, settings, identity, is_needed=not is_any_touched)


def _destination(
    setup: Setup, settings: Settings, identity: IdentityFile, *, is_needed: bool
) -> Finding:
    label = setup.destination.label
    try:
        platform = settings.platform(setup.destination, identity)
    except IdentityLocked:
        return note(
            _SETTINGS_AREA,
            f"{label}: the sealed key was not tried, as no passphrase was given.",
        )
    except NotSetUp as problem:
        # Who has one destination may well do without the other.
        return (mend if setup.is_touched or is_needed else note)(_SETTINGS_AREA, str(problem))
    except Problem as problem:
        return mend(_SETTINGS_AREA, f"{label}: {problem}")
    model, key = platform.oauth.value, prefix_of(platform.secret_key)
    return ok(_SETTINGS_AREA, f"{label} is set up, by {model}, with a key {key}")


_AREA = "left over"


def leftovers(here: Opened) -> Iterator[Finding]:
    """Look for pending credentials, and for disconnections that were not finished."""
    found = [*_unfinished(here), *_pending(here)]
    yield from found or [ok(_AREA, "Nothing.")]


def _unfinished(here: Opened) -> Iterator[Finding]:
    for credential_id in here.store.disconnecting.ids():
        row = here.store.read(credential_id)
        if row is not None:
            yield mend(
                _AREA,
                f"{title_of(row)} was being disconnected at Stripe, which was not finished. "
                f"Run: m3cred delete --disconnect {credential_id}",
            )


def _pending(here: Opened) -> Iterator[Finding]:
    now = datetime.now(UTC)
    for row in here.store.read_many(here.store.pending_ids()):
        if not isinstance(row, Credential):
            continue  # told of as damaged
        until = waits_until(row)
        if until is None:
            yield mend(
                _AREA,
                f"Stripe has approved {title_of(row)}, which was not created yet. "
                f"Run: m3cred resume {row.id}",
            )
        elif until <= now:
            yield note(_AREA, f"{title_of(row)} waits for Stripe no longer; its time is over.")
        else:
            wait = f"waits for Stripe until {until.astimezone():%H:%M}"
            yield note(_AREA, f"{title_of(row)} {wait}; m3cred resume goes on with it.")


_LEAST_COLUMNS, _LEAST_LINES = 60, 20


def terminal() -> Iterator[Finding]:
    """Look at the terminal that the app would draw on."""
    area, term = "terminal", os.environ.get("TERM", "")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        yield note(area, "There is none here; the commands need none, the app does.")
        return
    if term in {"", "dumb"}:
        shown = term or "not set"
        yield mend(
            area, f"TERM is {shown}, so the app cannot draw; m3cred create does without."
        )
        return
    columns, lines = os.get_terminal_size(sys.stderr.fileno())
    if columns < _LEAST_COLUMNS or lines < _LEAST_LINES:
        yield mend(
            area,
            f"The window has {columns} by {lines} characters; the app needs "
            f"{_LEAST_COLUMNS} by {_LEAST_LINES}.",
        )
    if locale.nl_langinfo(locale.CODESET).upper() != "UTF-8":
        yield note(area, "The locale is not of UTF-8, so the app draws with plain characters.")
    yield ok(area, f"TERM is {clean(term, most=40)}, {columns} by {lines} characters.")


def clipboard() -> Iterator[Finding]:
    """Say how text would go to the clipboard; no terminal tells whether it takes it."""
    area = "clipboard"
    if os.environ.get("TMUX"):
        yield ok(area, "By tmux, which has it in its own buffer in any case.")
        return
    clipping = asyncio.run(send_to_clipboard("", os.environ, what="Text"))
    if clipping.sequence:
        yield ok(area, "By your terminal (OSC 52), if it allows that.")
    else:
        yield note(area, f"{clipping.said} m3cred writes the URL to a file, too, with f.")


def browser() -> Iterator[Finding]:
    """Say which browser would open, without opening it."""
    area = "browser"
    try:
        environ = asyncio.run(attached_environ(os.environ))
        command = browser_commands("", environ, sys.platform)[0]
    except BrowserDidNotOpen as problem:
        yield note(
            area, f"None opens here, as {problem.reason}; open the URL on your computer."
        )
    else:
        yield ok(area, f"{clean(command[0], most=200)} opens.")
