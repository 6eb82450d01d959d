"""What ``m3cred doctor`` finds: on this machine, and whether Stripe can be reached."""

import asyncio
import locale
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from m3cred_tui.browser.clipboard import send_to_clipboard
from m3cred_tui.browser.opening import BrowserDidNotOpen, browser_commands
from m3cred_tui.browser.surroundings import attached_environ
from m3cred_tui.callback.server import CannotListen, NoFreePort, listen_on_loopback
from m3cred_tui.cli.selecting import Opened, title_of
from m3cred_tui.config.problems import prefix_of
from m3cred_tui.config.settings import NotSetUp, Settings
from m3cred_tui.config.setup import Setup
from m3cred_tui.config.table import API_AT, CONNECT_AT, OAUTH, PORTS
from m3cred_tui.listing.columns import waits_until
from m3cred_tui.model.authorization import CALLBACK_PORTS
from m3cred_tui.model.credential import DESTINATIONS, Credential, OAuthModel
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean
from m3cred_tui.store.files import check_way, private_folder
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.port import Damaged
from m3cred_tui.store.problems import (
    IdentityLocked,
    IdentityMissing,
    StoreUnusable,
    plain_reason,
)
from m3cred_tui.stripe.gateway import API_BASE, CONNECT_BASE, LostError, NotSentError, Request
from m3cred_tui.stripe.transport import send


class State(StrEnum):
    """What a finding means for the user."""

    OK = "ok"
    NOTE = "note"
    """Good to know; nothing has to be done."""
    MEND = "mend"
    """Something to be fixed."""


class Finding(NamedTuple):
    """What was found, in a sentence that says what to do if something must be done."""

    area: str
    state: State
    told: str


def ok(area: str, told: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(area, State.OK, told)


def note(area: str, told: str) -> Finding:
    """Return a finding that is good to know."""
    return Finding(area, State.NOTE, told)


def mend(area: str, told: str | Problem) -> Finding:
    """Return a finding of something to be fixed."""
    return Finding(area, State.MEND, str(told))


def findings_of(here: Opened, *, demo: bool, offline: bool) -> Iterator[Finding]:
    """Yield the findings, area by area."""
    settings = Settings(here.places, demo=demo, environ=os.environ)
    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "settings": lambda: _configuration(settings, here.identity),
        "directories": lambda: _directories(here),
        "identity": lambda: _identity(here),
        "credentials": lambda: _credentials(here),
        "ports": lambda: _ports(settings),
        "browser": _browser,
        "clipboard": _clipboard,
        "terminal": _terminal,
        "Stripe": lambda: _reach(settings, offline=offline),
        "left over": lambda: _leftovers(here),
    }
    for area, look in looks.items():
        try:
            yield from look()
        except Problem as problem:  # the other areas can still be checked
            yield mend(area, problem)


_SETTINGS_AREA = "settings"


def _configuration(settings: Settings, identity: IdentityFile) -> Iterator[Finding]:
    """Check the settings, and get each secret key, if need be from a command."""
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
    yield ok(_SETTINGS_AREA, f"{_shown(path)} {there}.")
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
        # One destination may well be enough.
        return (mend if setup.is_touched or is_needed else note)(_SETTINGS_AREA, str(problem))
    except Problem as problem:
        return mend(_SETTINGS_AREA, f"{label}: {problem}")
    model, key = platform.oauth.value, prefix_of(platform.secret_key)
    return ok(_SETTINGS_AREA, f"{label} is set up, by {model}, with a key {key}")


_LEAST_FREE = 16 * 1024 * 1024
"""Bytes of disk; a credential takes a few thousand."""
_MOST_TOLD = 5


def _directories(here: Opened) -> Iterator[Finding]:
    """Check each directory: its owner, its permissions, its free space."""
    places = here.places
    folders = {
        "data directory": places.data,
        "configuration directory": places.identity.parent,
        "state directory": places.log.parent,
    }
    for area, path in folders.items():
        yield _directory(area, path)


def _directory(area: str, path: Path) -> Finding:
    try:
        check_way(path)
        with private_folder(path):
            pass
        if not os.access(path, os.W_OK):
            raise StoreUnusable(path, "nothing can be written to it")
        space = os.statvfs(path)
    except FileNotFoundError:
        return ok(area, f"{_shown(path)} is created when it is needed.")
    except Problem as problem:
        return mend(area, problem)
    except OSError as error:
        return mend(area, StoreUnusable(path, plain_reason(error)))
    free = space.f_bavail * space.f_frsize
    if free < _LEAST_FREE:
        return mend(
            area, f"{_shown(path)} has {free // 1024:,} KiB of disk left; free some space."
        )
    return ok(area, f"{_shown(path)} is yours alone.")


def _identity(here: Opened) -> Iterator[Finding]:
    """Check the identity."""
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
            yield ok(area, f"{path} is created with the first credential.")
    except Problem as problem:
        yield mend(area, problem)
    else:
        yield ok(area, f"{path} opens; it is under no passphrase.")


def _credentials(here: Opened) -> Iterator[Finding]:
    """Check each record, without opening its sealed part."""
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


_PORTS_AREA = "ports"
_LISTENS = "0A"  # of the kernel's table of sockets
_PROC = Path("/proc")


def _ports(settings: Settings) -> Iterator[Finding]:
    """Listen on each port that Stripe may redirect to, and close it again."""
    numbers = _numbers(settings)
    held = {}
    for number in numbers:
        try:
            _, listeners = listen_on_loopback([number])
        except NoFreePort:
            held[number] = holder_of(number)
        except CannotListen as problem:
            yield mend(_PORTS_AREA, problem)
            return
        else:
            for one in listeners:
                one.close()
    for number, holder in held.items():
        yield note(_PORTS_AREA, f"Port {number} is held by {holder}.")
    if free := [str(number) for number in numbers if number not in held]:
        yield ok(_PORTS_AREA, f"Free: {', '.join(free)}.")
    else:
        yield mend(
            _PORTS_AREA,
            "No port that Stripe can redirect to is free: end a program that holds one, or "
            "paste the address that the browser ends on.",
        )


def holder_of(port: int, proc: Path = _PROC) -> str:
    """Return who listens on a port, as far as this user may see (``proc(5)``)."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port, proc)}
    for process in proc.glob("[0-9]*") if sockets else ():
        try:
            if not sockets.isdisjoint(map(os.readlink, (process / "fd").iterdir())):
                name = clean((process / "comm").read_text(errors="replace"), most=40)
                return f"{name} (process {process.name})"
        except OSError:  # it has ended, or belongs to another user
            continue
    return "another program"


def _inodes(port: int, proc: Path) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:  # not Linux
            continue
        for line in lines:
            fields = line.split()
            if fields[1].endswith(f":{port:04X}") and fields[3] == _LISTENS:
                yield fields[9]


def _numbers(settings: Settings) -> list[int]:
    if settings.demo:
        return [*CALLBACK_PORTS]
    numbers: list[int] = []
    for destination in DESTINATIONS:
        try:
            numbers += settings.setup(destination)[PORTS].value or ()
        except Problem:  # reported with the settings
            numbers += CALLBACK_PORTS
    return sorted(set(numbers))


def _browser() -> Iterator[Finding]:
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


def _clipboard() -> Iterator[Finding]:
    """Say how text would reach the clipboard; no terminal reports whether it arrives."""
    area = "clipboard"
    if os.environ.get("TMUX"):
        yield ok(area, "Through tmux, whose own buffer has it in any case.")
        return
    clipping = asyncio.run(send_to_clipboard("", os.environ, what="Text"))
    if clipping.sequence:
        yield ok(area, "Through your terminal (OSC 52), if it allows that.")
    else:
        yield note(area, f"{clipping.said} The key f writes the URL to a file instead.")


_LEAST_COLUMNS, _LEAST_LINES = 60, 20


def _terminal() -> Iterator[Finding]:
    """Check the terminal that the app would draw on."""
    area, term = "terminal", os.environ.get("TERM", "")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        yield note(area, "There is none; the app needs one, the commands do not.")
        return
    if term in {"", "dumb"}:
        shown = term or "not set"
        yield mend(area, f"TERM is {shown}, so the app cannot draw; use m3cred create.")
        return
    columns, lines = os.get_terminal_size(sys.stderr.fileno())
    if columns < _LEAST_COLUMNS or lines < _LEAST_LINES:
        yield mend(
            area,
            f"The window has {columns} by {lines} characters; the app needs "
            f"{_LEAST_COLUMNS} by {_LEAST_LINES}.",
        )
    if locale.nl_langinfo(locale.CODESET).upper() != "UTF-8":
        yield note(area, "The locale is not UTF-8, so the app draws with plain characters.")
    yield ok(area, f"TERM is {clean(term, most=40)}, {columns} by {lines} characters.")


_TIME_LIMIT = 5.0
_STRIPE_AREA = "Stripe"


def _reach(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Try each address that m3cred itself talks to; the browser opens the others."""
    if settings.demo:
        yield ok(_STRIPE_AREA, "The demo Stripe is a part of m3cred.")
    elif offline:
        yield note(_STRIPE_AREA, "It was not asked (--offline).")
    else:
        yield from asyncio.run(_all_reached(_bases(settings)))


async def _all_reached(bases: list[str]) -> list[Finding]:
    return await asyncio.gather(*map(_reached, bases))


async def _reached(base: str) -> Finding:
    host = clean(urlsplit(base).netloc)
    # Basic without a user: any reply will do.
    request = Request("GET", f"{base}/", Secret(""), basic=True)
    try:
        await send(request, time_limit=_TIME_LIMIT)
    except (NotSentError, LostError) as error:
        return mend(
            _STRIPE_AREA,
            f"{host} cannot be reached: {error}. Check the firewall and the proxy "
            "(HTTPS_PROXY).",
        )
    return ok(_STRIPE_AREA, f"{host} answers.")


def _bases(settings: Settings) -> list[str]:
    bases: set[str] = set()
    for destination in DESTINATIONS:
        try:
            setup = settings.setup(destination)
        except Problem:  # reported with the settings
            continue
        bases.add(setup[API_AT].value or API_BASE)
        if setup[OAUTH].value is not OAuthModel.APPS:
            bases.add(setup[CONNECT_AT].value or CONNECT_BASE)
    return sorted(bases) or [API_BASE, CONNECT_BASE]


_LEFT_AREA = "left over"


def _leftovers(here: Opened) -> Iterator[Finding]:
    """Look for pending credentials, and for incomplete disconnections."""
    found = [*_unfinished(here), *_pending(here)]
    yield from found or [ok(_LEFT_AREA, "Nothing.")]


def _unfinished(here: Opened) -> Iterator[Finding]:
    for credential_id in here.store.disconnecting.ids():
        row = here.store.read(credential_id)
        if row is not None:
            yield mend(
                _LEFT_AREA,
                f"{title_of(row)} was being disconnected at Stripe, but this did not finish. "
                f"Run: m3cred delete --disconnect {credential_id}",
            )


def _pending(here: Opened) -> Iterator[Finding]:
    now = datetime.now(UTC)
    for row in here.store.read_many(here.store.pending_ids()):
        if not isinstance(row, Credential):
            continue  # reported as damaged
        until = waits_until(row)
        if until is None:
            yield mend(
                _LEFT_AREA,
                f"Stripe has approved {title_of(row)}, which was not created yet. "
                f"Run: m3cred resume {row.id}",
            )
        elif until <= now:
            yield note(
                _LEFT_AREA, f"{title_of(row)} no longer waits for Stripe: its time is over."
            )
        else:
            wait = f"waits for Stripe until {until.astimezone():%H:%M}"
            yield note(_LEFT_AREA, f"{title_of(row)} {wait}; m3cred resume continues it.")


def _shown(path: Path) -> str:
    return clean(str(path), most=4096)
