"""Data directories filled with credentials, and the environment that leads to them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from m3cred_tui.model.credential import (
    BILL,
    DESTINATIONS,
    Credential,
    Status,
    StripeAccount,
    TokenResponse,
    credential_id,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.record import SCHEMA, Record, parse_record, record_bytes
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.fields import credential_fields
from m3cred_tui.store.identity import IdentityFile

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = "There are no credentials yet"
_BEGINNING = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_BETWEEN = timedelta(minutes=3)
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR")


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a child whose directories all lie below ``home``.

    It has no PYTHONDONTWRITEBYTECODE: an installed package has its bytecode.
    """
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        "LANG": "C.UTF-8",
        **passed_on,
        "HOME": str(home),
        "TERM": "xterm-256color",
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
    }


def name_of(number: int) -> str:
    """Return the name of the ``number``-th credential; the last one is the newest."""
    return f"Acme {number:06}"


def first_row(count: int) -> str:
    """Return the text that shows that Credentials with ``count`` of them is painted."""
    return name_of(count) if count else EMPTY


def filled(root: Path, count: int) -> Path:
    """Return the home of ``count`` credentials below ``root``; it is filled if it is new.

    The first is the store's own work; the others are the same record without its waits for
    the disk, and with its sealed part, which a list does not open.
    """
    home = root / f"home-{count}"
    complete = home / "complete"
    if complete.exists():
        return home
    credentials = home / "data" / "m3cred" / "credentials"
    home.mkdir(parents=True, exist_ok=True)
    if count:
        path = home / "config" / "m3cred" / "identity.txt"
        store = DirectoryStore(credentials.parent, IdentityFile(path, credentials.parent))
        first = credential(1)
        store.create(first, TOKENS)
        data = (credentials / f"{first.id}.json").read_bytes()
        sealed = parse_record(first.id, data).sealed
        for number in range(2, count + 1):
            _write(credentials, credential(number), sealed)
        _check(store, count)
    complete.touch()
    return home


TOKENS = TokenResponse(
    account_id="acct_1Acme",
    livemode=True,
    scope="read_write",
    access_token=Secret("sk_live_benchmark"),
    refresh_token=Secret("rt_benchmark"),
    publishable_key="pk_live_benchmark",
)


def credential(number: int) -> Credential:
    created_at = _BEGINNING + number * _BETWEEN
    destination = DESTINATIONS[number % len(DESTINATIONS)]
    account_id = f"acct_1Acme{number:06}"
    return Credential(
        id=credential_id(created_at, number.to_bytes(10)),
        name=name_of(number),
        entity_type=BILL,
        destination=destination,
        account=StripeAccount(account_id, destination.livemode, f"Acme {number} Ltd", "GB"),
        created_at=created_at,
        created_by="ann@bastion",
        status=Status.AUTHENTICATED,
    )


def _write(credentials: Path, credential: Credential, sealed: str) -> None:
    data = record_bytes(Record({"schema": SCHEMA, **credential_fields(credential)}, sealed))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    file = os.open(credentials / f"{credential.id}.json", flags, 0o600)
    with open(file, "wb") as opened:  # noqa: PTH123  a descriptor is not a Path
        opened.write(data)


def _check(store: DirectoryStore, count: int) -> None:
    """Raise ``ValueError`` unless the store reads back what was written."""
    ids = store.ids()
    wrong = [one for one in {ids[0], ids[-1]} if not isinstance(store.read(one), Credential)]
    if len(ids) != count or wrong:
        raise ValueError(f"{len(ids)} of {count} credentials were written; not read: {wrong}")
