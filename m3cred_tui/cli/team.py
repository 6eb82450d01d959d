"""Wiring of a team's store, which is imported only where the settings name one."""

from __future__ import annotations

import atexit
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from m3cred_tui.cli.output.streams import complain
from m3cred_tui.config.key_source import text_from
from m3cred_tui.config.settings import Settings
from m3cred_tui.config.setup import Origin
from m3cred_tui.config.table import (
    ADDRESS,
    CA_FILE,
    ENGINE,
    MOUNT,
    NAMESPACE,
    PATH,
    ROLE_ID,
    SECRET_ID,
    STORE,
)
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.openbao.access import (
    Access,
    AppRole,
    Configured,
    Value,
    access,
    end_sessions,
    has_token,
)
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.store import OpenBaoStore
from m3cred_tui.system.signals import exit_on_signals, ignore_signals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from m3cred_tui.config.locations import Locations
    from m3cred_tui.config.setup import Setup
    from m3cred_tui.config.table import Setting
    from m3cred_tui.store.identity import IdentityFile
    from m3cred_tui.store.openbao.examining import Found
    from m3cred_tui.store.port import CredentialStore


def team_store(
    places: Locations, identity: IdentityFile, environ: Mapping[str, str]
) -> OpenBaoStore | None:
    """Return the team's store, or ``None`` where the engine is the directory.

    Raises ``Problem`` for what is wrong with the settings.
    """
    setup = store_setup(places, environ)
    if setup.problem:
        raise setup.problem
    if setup[ENGINE].value != "openbao":
        return None
    reached = team_access(setup, environ)
    if reached.warning:
        complain(reached.warning)
    return store_at(reached, places, identity)


def store_setup(places: Locations, environ: Mapping[str, str]) -> Setup:
    """Return the settings of the store."""
    return Settings(places, environ=environ).setup_of(STORE)


def team_access(setup: Setup, environ: Mapping[str, str]) -> Access:
    """Return how to reach the team's store; raises ``StoreNotSetUp``."""

    def value(setting: Setting[str]) -> Value:
        entry = setup[setting]
        place = entry.place if entry.origin is not Origin.DEFAULT else "default"
        return Value(entry.value or "", place)

    configured = Configured(*map(value, (ADDRESS, MOUNT, PATH, NAMESPACE, CA_FILE)))
    reached = access(environ, configured)
    role_id, source = setup[ROLE_ID], setup[SECRET_ID].value
    if not role_id.value or source is None or has_token(environ):
        return reached
    exit_on_signals()  # or they would leave the token behind
    token = AppRole(reached.place, role_id.value, lambda: text_from(source, environ))
    origins = {**reached.origins, "role_id": value(ROLE_ID)}
    return reached._replace(token=token, origins=origins)


def findings(
    store: CredentialStore, places: Locations, environ: Mapping[str, str], now: datetime
) -> Iterator[Found]:
    """Yield what doctor says of the team's store; raises ``Problem`` for wrong settings."""
    from m3cred_tui.store.openbao.examining import examined  # noqa: PLC0415 - only doctor's

    assert isinstance(store, OpenBaoStore)  # noqa: S101 - only it has a team
    reached = team_access(store_setup(places, environ), environ)
    return examined(reached, store.kv, environ, now)


def before_another_program() -> None:
    """End what this process has open at the team's store, as another program replaces it."""
    for problem in end_sessions():
        told = f"the token of the AppRole is not revoked, and ends by itself: {problem}"
        complain(told)


@atexit.register
def _at_the_end() -> None:
    with suppress(ValueError):  # not in the main thread
        ignore_signals()  # an impatient second Ctrl+C would leave the token behind
    with suppress(OSError):  # of standard error
        before_another_program()


def directory_store(places: Locations, identity: IdentityFile) -> DirectoryStore:
    """Return the store on this machine, whichever is in use."""
    return DirectoryStore(places.data, identity)


def store_at(reached: Access, places: Locations, identity: IdentityFile) -> OpenBaoStore:
    """Return the team's store; approvals that it cannot take are kept on this machine."""
    spare = DirectoryStore(places.team, identity)
    # What is known of one team's store must not be taken for another's.
    named = sha256("\n".join(map(str, reached.place[:4])).encode()).hexdigest()[:16]
    known = Known(places.team / f"known-{named}")
    return OpenBaoStore(Client(reached.place, reached.token), known, spare)
