"""What ``m3cred doctor`` looks at on the network: our ports, and Stripe."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from m3cred_tui.callback.server import CannotListen, NoFreePort, listen_on_loopback
from m3cred_tui.cli.diagnosis.finding import Finding, mend, note, ok
from m3cred_tui.config.table import API_AT, CONNECT_AT, OAUTH, PORTS
from m3cred_tui.model.authorization import CALLBACK_PORTS
from m3cred_tui.model.credential import DESTINATIONS, OAuthModel
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean
from m3cred_tui.stripe.gateway import API_BASE, CONNECT_BASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from m3cred_tui.config.settings import Settings


_PORTS_AREA = "ports"
_LISTENS = "0A"  # of the kernel's table of sockets
_PROC = Path("/proc")


def ports(settings: Settings) -> Iterator[Finding]:
    """Take each port that may be redirected to, and let it go again."""
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
            "No port is free that Stripe can redirect to: end what holds one, or paste the "
            "address that the browser ends on.",
        )


def holder_of(port: int, proc: Path = _PROC) -> str:
    """Return who listens on a port, as far as this user may know (``proc(5)``)."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port, proc)}
    for process in proc.glob("[0-9]*") if sockets else ():
        try:
            if not sockets.isdisjoint(map(os.readlink, (process / "fd").iterdir())):
                name = clean((process / "comm").read_text(errors="replace"), most=40)
                return f"{name} (process {process.name})"
        except OSError:  # it has ended, or is another user's
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
        except Problem:  # told of as one of the settings
            numbers += CALLBACK_PORTS
    return sorted(set(numbers))


_TIME_LIMIT = 5.0
_AREA = "Stripe"


def reach(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Ask each address that m3cred itself talks to; the user's browser opens the other one."""
    if settings.demo:
        yield ok(_AREA, "The demo Stripe is a part of m3cred.")
    elif offline:
        yield note(_AREA, "It was not asked (--offline).")
    else:
        yield from asyncio.run(_all_reached(_bases(settings)))


async def _all_reached(bases: list[str]) -> list[Finding]:
    return await asyncio.gather(*map(_reached, bases))


async def _reached(base: str) -> Finding:
    from m3cred_tui.stripe.gateway import LostError, NotSentError, Request
    from m3cred_tui.stripe.transport import send

    host = clean(urlsplit(base).netloc)
    # Basic without a user: whatever the reply is, it is one.
    request = Request("GET", f"{base}/", Secret(""), basic=True)
    try:
        await send(request, time_limit=_TIME_LIMIT)
    except (NotSentError, LostError) as error:
        return mend(
            _AREA,
            f"{host} cannot be reached: {error}. See whether a firewall or a proxy "
            "(HTTPS_PROXY) is in the way.",
        )
    return ok(_AREA, f"{host} answers.")


def _bases(settings: Settings) -> list[str]:
    bases: set[str] = set()
    for destination in DESTINATIONS:
        try:
            setup = settings.setup(destination)
        except Problem:  # told of as one of the settings
            continue
        bases.add(setup[API_AT].value or API_BASE)
        if setup[OAUTH].value is not OAuthModel.APPS:
            bases.add(setup[CONNECT_AT].value or CONNECT_BASE)
    return sorted(bases) or [API_BASE, CONNECT_BASE]
