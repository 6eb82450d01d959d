"""What each process of a crowd does to their shared store; run as a program."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from select import select

from m3cred_tui.model.credential import Credential, Status, TokenResponse, credential_id
from m3cred_tui.store.directory.store import DirectoryStore
from tests.store.swept_operations import ID, credential, store_in, tokens

_PERIOD = 0.005


def kept(rounds: int) -> int:
    """Return how many credentials each changing process leaves."""
    return len(range(0, rounds, 4))


def change(root: Path, me: str, rounds: int) -> None:
    """Count in the shared credential, and create others, of which half are deleted again."""
    store = store_in(root)
    for number in range(rounds):
        store.update(ID, lambda shared, before: _counted(shared, before, me))
        if number % 2:
            continue
        new = credential(credential_id(datetime.now(UTC), os.urandom(10)), f"{me} {number}")
        if number % 8 < 4:
            store.keep_pending(new._replace(status=Status.PENDING), tokens(me))
        store.create(new, tokens(me))
        if number % 4:
            store.delete(new.id)


def _counted(
    shared: Credential, before: TokenResponse, me: str
) -> tuple[Credential, TokenResponse]:
    counted = str(int(shared.name) + 1)
    access_token = before.access_token
    assert access_token is not None
    # Both halves of the record show the count and the process.
    return shared._replace(name=counted), tokens(f"{access_token.reveal()}{me}")


def begin(root: Path, me: str, rounds: int) -> None:
    """Create in directories that do not exist yet, without an identity."""
    store = store_in(root)
    for number in range(rounds):
        new = credential(credential_id(datetime.now(UTC), os.urandom(10)), f"{me} {number}")
        store.create(new, tokens(me))


def watch(root: Path) -> None:
    """Keep a list up to date by stamps alone until the input ends; then print it."""
    store = store_in(root)
    known: dict[str, str] = {}
    stamp = store.stamp()
    _read(store, store.ids(), known)
    ended = False
    while not ended:
        ended = _is_at_end()  # checked first, so that earlier changes are still noticed
        now = store.stamp()
        if now != stamp:
            ids = store.ids()
            gone = set(known).difference(ids)
            changed = set(store.changed_since(stamp)) | set(ids).difference(known)
            stamp = now
            for one in gone:
                del known[one]
            _read(store, sorted(changed), known)
    sys.stdout.write("".join(f"{one} {name}\n" for one, name in sorted(known.items())))


def _read(store: DirectoryStore, ids: list[str], known: dict[str, str]) -> None:
    for one, row in zip(ids, store.read_many(ids), strict=True):
        assert row is None or isinstance(row, Credential), row
        known.pop(one, None)
        if row:
            known[one] = f"{row.name} {row.status.value}"


def verify(root: Path) -> None:
    """Open each credential again and again until the input ends; none is ever torn."""
    store = store_in(root)
    opened = 0
    while not _is_at_end():
        for one in store.ids():
            row = store.verified(one)
            assert row is None or isinstance(row, Credential), row
            opened += 1
    sys.stdout.write(f"{opened}\n")


def _is_at_end() -> bool:
    """Wait for the end of the input as long as a list waits before it reads again."""
    return bool(select([sys.stdin], [], [], _PERIOD)[0])


def main() -> None:
    root, what, me, rounds = Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
    import pyrage  # type: ignore[import-untyped]  # noqa: F401, PLC0415 - all begin at once

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if what in _CHANGES:
        sys.stdin.readline()
        _CHANGES[what](root, me, rounds)
    else:
        _LOOKS[what](root)


_CHANGES = {"change": change, "begin": begin}
_LOOKS = {"watch": watch, "verify": verify}
