"""The settings of each destination, and the secret keys behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.cli.diagnosis.finding import Finding, mend, note, ok
from m3cred_tui.config.problems import prefix_of
from m3cred_tui.config.settings import NotSetUp
from m3cred_tui.model.credential import DESTINATIONS
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store.problems import IdentityLocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from m3cred_tui.config.settings import Settings
    from m3cred_tui.config.setup import Setup
    from m3cred_tui.store.identity import IdentityFile

_AREA = "settings"


def configuration(settings: Settings, identity: IdentityFile) -> Iterator[Finding]:
    """Look at the settings file, and try what is set; a command may have to give a key."""
    if settings.demo:
        yield ok(_AREA, "The demo Stripe needs none.")
        return
    path = settings.locations.settings
    try:
        setups = [settings.setup(one) for one in DESTINATIONS]
    except Problem as problem:
        yield mend(_AREA, problem)
        return
    there = "can be read" if path.exists() else "is not there yet"
    yield ok(_AREA, f"{clean(str(path), most=4096)} {there}.")
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
            _AREA, f"{label}: the sealed key was not tried, as no passphrase was given."
        )
    except NotSetUp as problem:
        # Who has one destination may well do without the other.
        return (mend if setup.is_touched or is_needed else note)(_AREA, str(problem))
    except Problem as problem:
        return mend(_AREA, f"{label}: {problem}")
    model, key = platform.oauth.value, prefix_of(platform.secret_key)
    return ok(_AREA, f"{label} is set up, by {model}, with a key {key}")
