"""``m3cred doctor``: check everything that m3cred needs, and say what to fix."""

import asyncio
import locale
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from m3cred_tui.authorize.problems import CodeSent
from m3cred_tui.browser.clipboard import send_to_clipboard
from m3cred_tui.browser.opening import BrowserDidNotOpen, browser_commands
from m3cred_tui.browser.surroundings import attached_environ, login_name
from m3cred_tui.callback.listeners import listeners
from m3cred_tui.callback.server import NoFreePort, listen_on_loopback, redirect_port
from m3cred_tui.cli.ending import DONE, FAILED
from m3cred_tui.cli.output.json import put_json
from m3cred_tui.cli.output.streams import coloured, put, width_of
from m3cred_tui.cli.selecting import Opened, opened, title_of
from m3cred_tui.cli.wiring import created_by, now
from m3cred_tui.config.problems import prefix_of
from m3cred_tui.config.settings import NotSetUp, Settings
from m3cred_tui.config.table import API_AT, CONNECT_AT, OAUTH, PORTS
from m3cred_tui.listing.columns import clock_time, expiry_sentence, sealed_here, waits_until
from m3cred_tui.model.authorization import CALLBACK_PORTS
from m3cred_tui.model.credential import DESTINATIONS, Credential, OAuthModel, Status
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean, clean_path
from m3cred_tui.store.files import check_way, lacking, private_folder
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.port import Damaged
from m3cred_tui.store.problems import (
    IdentityLocked,
    IdentityMissing,
    StoreUnusable,
    plain_reason,
)
from m3cred_tui.stripe.gateway import (
    API_BASE,
    CONNECT_BASE,
    LostError,
    MisconfiguredError,
    NotSentError,
    Request,
)
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


_Found = tuple[State, str | Problem]
_OK, _NOTE, _FIX = State.OK, State.NOTE, State.MEND
_USUAL, _LEAST_ROOM = 80, 40  # columns
_MARKS = {_OK: ("ok", 32), _NOTE: ("note", 33), _FIX: ("fix", 31)}


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    here = opened(demo=chosen.demo)
    if chosen.passphrase_fd is not None:
        here.unlock(chosen.passphrase_fd)
    findings = [*_findings(here, demo=chosen.demo, offline=chosen.offline)]
    all_well = all(one.state is not State.MEND for one in findings)
    if chosen.json:
        put_json({"ok": all_well, "findings": [one._asdict() for one in findings]})
    else:
        _write(findings)
    return DONE if all_well else FAILED


def _write(findings: Sequence[Finding]) -> None:
    wide = max(len(one.area) for one in findings)
    taken = len(f"note  {'':{wide}}  ")
    is_narrow = (width_of(sys.stdout) or _USUAL) < taken + _LEAST_ROOM
    hanging = len("note  ") if is_narrow else taken
    for area, state, told in findings:
        mark, colour = _MARKS[state]
        shown = coloured(f"{mark:4}", colour, sys.stdout)
        sys.stdout.write(f"{shown}  {area:{wide}}  ")
        put(told, sys.stdout, hanging=hanging, taken=taken)


def _findings(here: Opened, *, demo: bool, offline: bool) -> Iterator[Finding]:
    """Yield the findings, area by area."""
    settings = Settings(here.places, demo=demo, environ=os.environ)
    checks: dict[str, Callable[[], Iterator[_Found]]] = {
        "settings": lambda: _configuration(settings, here.identity),
        "data directory": lambda: _directory(here.places.data, is_kept_in=True),
        "configuration directory": lambda: _directory(
            here.places.identity.parent, is_kept_in=True
        ),
        "state directory": lambda: _directory(here.places.log.parent),
        "account": _account,
        "identity": lambda: _identity(here),
        "credentials": lambda: _credentials(here),
        "team's store": lambda: _team(here, offline=offline),
        "ports": lambda: _ports(settings),
        "browser": _browser,
        "clipboard": _clipboard,
        "terminal": _terminal,
        "Stripe": lambda: _reach(settings, offline=offline),
        "left over": lambda: _leftovers(here),
    }
    for area, check in checks.items():
        try:
            for state, told in check():
                yield Finding(area, state, str(told))
        except Problem as problem:  # the other areas can still be checked
            yield Finding(area, _FIX, str(problem))


def _configuration(settings: Settings, identity: IdentityFile) -> Iterator[_Found]:
    """Check the settings, and get each secret key, if need be from a command."""
    if settings.demo:
        yield _OK, "The demo Stripe needs none."
        return
    path = settings.locations.settings
    setups = [settings.setup(one) for one in DESTINATIONS]
    there = "can be read" if path.exists() else "is not there yet"
    yield _OK, f"{clean_path(path)} {there}."
    is_any_touched = any(one.is_touched for one in setups)
    for setup in setups:
        is_needed = setup.is_touched or not is_any_touched  # one destination may be enough
        label = setup.destination.label
        try:
            platform = settings.platform(setup.destination, identity)
        except IdentityLocked:
            yield _NOTE, f"{label}: the sealed key was not tried, as no passphrase was given."
        except NotSetUp as problem:
            yield _FIX if is_needed else _NOTE, problem
        except Problem as problem:
            yield _FIX, f"{label}: {problem}"
        else:
            model, key = platform.oauth.value, prefix_of(platform.secret_key)
            yield _OK, f"{label} is set up, by {model}, with a key {key}"


def _team(here: Opened, *, offline: bool) -> Iterator[_Found]:
    """Check a team's store, from its address to what the token may do."""
    if not here.store.team:
        return
    if offline:
        yield _NOTE, f"{here.store.team} was not asked."
        return
    from m3cred_tui.cli.team import findings  # noqa: PLC0415 - for teams only

    for verdict, told in findings(here.store, here.places, os.environ, now()):
        yield {"well": _OK, "wrong": _FIX, "note": _NOTE}[verdict.value], told


_LEAST_FREE = 16 * 1024 * 1024
"""Bytes of disk; a credential takes a few thousand."""


def _account() -> Iterator[_Found]:
    """Say where a uid serves as the user's name."""
    if not login_name(os.environ):
        yield _NOTE, f"It has no name here; credentials are created by {created_by()}."


def _directory(path: Path, *, is_kept_in: bool = False) -> Iterator[_Found]:
    """Check a directory: its owner, permissions, free space, and what its file system can."""
    shown = clean_path(path)
    lacks: list[str] = []
    try:
        with suppress(FileNotFoundError):  # a link to nothing is reported below
            check_way(path)
        with private_folder(path) as folder:
            if not os.access(path, os.W_OK):
                raise StoreUnusable(path, "nothing can be written to it")
            space = os.fstatvfs(folder)
            free = space.f_bavail * space.f_frsize
            if is_kept_in and free >= _LEAST_FREE:
                lacks = lacking(folder)
    except FileNotFoundError:
        yield _OK, f"{shown} is created when it is needed."
        return
    except OSError as error:
        raise StoreUnusable(path, plain_reason(error)) from None
    if lacks:
        yield (
            _FIX,
            f"{shown} is on a file system without {' and '.join(lacks)}, so nothing can be "
            "kept there; move it to another.",
        )
    elif free < _LEAST_FREE:
        yield _FIX, f"{shown} has {free // 1024:,} KiB of disk left; free some space."
    else:
        yield _OK, f"{shown} is yours alone."


def _identity(here: Opened) -> Iterator[_Found]:
    path = clean_path(here.identity.path)
    if here.identity.is_locked():
        yield _OK, f"{path} is under a passphrase."
        return
    try:
        here.identity.to_open()
    except IdentityMissing:
        if here.store.ids():
            raise
        yield _OK, f"{path} is created with the first credential."
    else:
        yield _OK, f"{path} opens; it is under no passphrase."


_MOST_TOLD = 5


def _credentials(here: Opened) -> Iterator[_Found]:
    """Check each record, without opening its sealed part."""
    ids = here.store.ids()
    rows = here.store.read_many(ids)
    damaged = [row for row in rows if isinstance(row, Damaged)]
    for row in damaged[:_MOST_TOLD]:
        yield (
            _FIX,
            f"The credential {row.id} is damaged: {row.reason}. Bring it back from a backup, "
            f"or run: m3cred delete {row.id}",
        )
    if (more := len(damaged) - _MOST_TOLD) > 0:
        yield _FIX, f"{more:,} more are damaged; see m3cred list."
    if not damaged:
        yield _OK, f"{len(ids):,} can be read."
    yield from _expiring([row for row in rows if isinstance(row, Credential)])


def _expiring(credentials: Sequence[Credential]) -> Iterator[_Found]:
    """Warn of those that nobody has used for almost a year, or longer."""
    now = datetime.now(UTC)
    found = [one for one in credentials if one.expires_soon(now)]
    for one in sorted(found, key=lambda one: one.expires_at or now)[:_MOST_TOLD]:
        sentence = expiry_sentence(title_of(one), one, now)
        is_over = one.is_expired(now)
        command = "reauthorize" if is_over else "check"
        yield _FIX if is_over else _NOTE, f"{sentence} Run: m3cred {command} {one.id}"
    if (more := len(found) - _MOST_TOLD) > 0:
        yield _NOTE, f"{more:,} more expire; see m3cred list --status expiring,expired."


def _ports(settings: Settings) -> Iterator[_Found]:
    """Listen on each port that Stripe may redirect to, and close it again."""
    numbers, free = _numbers(settings), list[str]()
    for number in numbers:
        try:
            _, sockets = listen_on_loopback([number])
        except NoFreePort:
            yield _NOTE, f"Port {number} is held by {holder_of(number)}."
        else:
            free.append(str(number))
            for one in sockets:
                one.close()
    if free:
        yield _OK, f"Free: {', '.join(free)}."
    else:
        redirect_port(numbers)  # raises the problem with another user's programs
        yield (
            _FIX,
            "No port that Stripe can redirect to is free: end a program that holds one, or "
            "paste the address that the browser ends on.",
        )


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


def holder_of(port: int) -> str:
    """Return who listens on a port, as far as this user may see."""
    for one in listeners(port):
        program = one.program or "a program"
        return program if one.is_ours else f"{program} of the user {one.user}"
    return "another program"


def _browser() -> Iterator[_Found]:
    """Say which browser would open, without opening it."""
    try:
        environ = asyncio.run(attached_environ(os.environ))
        command = browser_commands("", environ, sys.platform)[0]
    except BrowserDidNotOpen as problem:
        yield (_NOTE, f"None opens here, as {problem.reason}; open the URL on your computer.")
    else:
        yield _OK, f"{clean(command[0], most=200)} opens."


def _clipboard() -> Iterator[_Found]:
    """Say how text would reach the clipboard; no terminal reports whether it arrives."""
    if os.environ.get("TMUX"):
        yield _OK, "Through tmux, whose own buffer has it in any case."
        return
    clipping = asyncio.run(send_to_clipboard("", os.environ, what="Text"))
    if clipping.sequence:
        yield _OK, "Through your terminal (OSC 52), if it allows that."
    else:
        yield _NOTE, f"{clipping.said} The key f writes the URL to a file instead."


_LEAST_COLUMNS, _LEAST_LINES = 60, 20


def _terminal() -> Iterator[_Found]:
    """Check the terminal that the app would draw on."""
    term = os.environ.get("TERM", "")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        yield _NOTE, "There is none; the app needs one, the commands do not."
        return
    if term in {"", "dumb"}:
        yield _FIX, f"TERM is {term or 'not set'}, so the app cannot draw; use m3cred create."
        return
    columns, lines = os.get_terminal_size(sys.stderr.fileno())
    if columns < _LEAST_COLUMNS or lines < _LEAST_LINES:
        size, least = f"{columns} by {lines}", f"{_LEAST_COLUMNS} by {_LEAST_LINES}"
        yield _FIX, f"The window has {size} characters; the app needs {least}."
    if locale.nl_langinfo(locale.CODESET).upper() != "UTF-8":
        yield _NOTE, "The locale is not UTF-8, so the app draws with plain characters."
    yield _OK, f"TERM is {clean(term, most=40)}, {columns} by {lines} characters."


_TIME_LIMIT = 5.0


def _reach(settings: Settings, *, offline: bool) -> Iterator[_Found]:
    """Try each address that m3cred itself talks to; the browser opens the others."""
    if settings.demo:
        yield _OK, "The demo Stripe is a part of m3cred."
    elif offline:
        yield _NOTE, "It was not asked (--offline)."
    else:
        yield from asyncio.run(_all_reached(_bases(settings)))


async def _all_reached(bases: list[str]) -> list[_Found]:
    return await asyncio.gather(*map(_reached, bases))


async def _reached(base: str) -> _Found:
    host = clean(urlsplit(base).netloc)
    # Basic without a user: any reply will do.
    request = Request("GET", f"{base}/", Secret(""), basic=True)
    try:
        await send(request, time_limit=_TIME_LIMIT)
    except (NotSentError, LostError) as error:
        told = f"{host} cannot be reached: {error}."
        if not isinstance(error, MisconfiguredError):
            told += " Check the firewall and, if there is a proxy, HTTPS_PROXY."
        return _FIX, told
    return _OK, f"{host} answers."


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


def _leftovers(here: Opened) -> Iterator[_Found]:
    """Look for approvals and pending credentials, and for incomplete disconnections."""
    is_any = False
    for found in chain(_sealed_here(here), _unfinished(here), _pending(here)):
        is_any = True
        yield found
    if not is_any:
        yield _OK, "Nothing."


def _sealed_here(here: Opened) -> Iterator[_Found]:
    for one, text in sealed_here(here.store):
        yield _FIX, f"{text} To continue: m3cred resume {one}"
    if not here.store.team:
        for row in here.for_team():
            if isinstance(row, Credential):
                yield (
                    _FIX,
                    f"{title_of(row)} is approved, and sealed here for the team's store. To "
                    "bring it there: m3cred config set store.engine openbao",
                )


def _unfinished(here: Opened) -> Iterator[_Found]:
    for credential_id in here.store.disconnecting.ids():
        if row := here.store.read(credential_id):
            yield (
                _FIX,
                f"{title_of(row)} was being disconnected at Stripe, but this did not finish. "
                f"Run: m3cred delete --disconnect {credential_id}",
            )


def _pending(here: Opened) -> Iterator[_Found]:
    now = datetime.now(UTC)
    for row in here.store.read_many(here.store.pending_ids()):
        if not isinstance(row, Credential):
            continue  # reported as damaged
        if row.status is Status.UNKNOWN:
            yield _FIX, str(CodeSent(row))
            continue
        title, until = title_of(row), waits_until(row)
        if until is None:
            resume = f"Run: m3cred resume {row.id}"
            approved = f"Stripe has approved {title[0].lower()}{title[1:]}"
            so_far = "confirmed" if row.renews else "created"
            yield _FIX, f"{approved}, which was not {so_far} yet. {resume}"
        elif until <= now:
            yield _NOTE, f"{title} no longer waits for Stripe: its time is over."
        else:
            wait = f"waits for Stripe until {clock_time(until, now)}"
            yield _NOTE, f"{title} {wait}; m3cred resume continues it."
