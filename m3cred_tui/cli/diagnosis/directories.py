"""The directories, what is in them, and the identity that opens it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from m3cred_tui.cli.diagnosis.finding import Finding, mend, ok
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store.directory.record import Damaged
from m3cred_tui.store.files import check_way, private_folder
from m3cred_tui.store.problems import IdentityMissing, StoreUnusable, plain_reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from m3cred_tui.cli.opening import Opened

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
