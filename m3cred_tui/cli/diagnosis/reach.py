"""Whether Stripe can be reached from here; no key is sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from m3cred_tui.cli.diagnosis.finding import Finding, mend, note, ok
from m3cred_tui.model.credential import DESTINATIONS, OAuthModel
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean
from m3cred_tui.stripe.gateway import API_BASE, CONNECT_BASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from m3cred_tui.config.settings import Settings

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
        bases.add(setup.api_base.value or API_BASE)
        if setup.oauth.value is not OAuthModel.APPS:
            bases.add(setup.connect_base.value or CONNECT_BASE)
    return sorted(bases) or [API_BASE, CONNECT_BASE]
