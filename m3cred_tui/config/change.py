"""Changing the settings file: one value, with the user's comments and order kept.

Each function checks before it changes anything, holds the store's lock, and leaves the old or
the new file, whole. Each raises ``Problem``: what is wrong with the value, ``StoreUnusable``,
``StoreBusy``, what ``tables_in`` does for a file that would not be understood afterwards, and
``OutcomeUnknown`` when the disk did not confirm the change.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from m3cred_tui.config.entered import secret_key, without_key
from m3cred_tui.config.file import (
    IN_CLEAR,
    KEY_SOURCES,
    SEALED,
    VERSION,
    FileProblem,
    document_in,
    read_file,
    table_of,
    tables_in,
)
from m3cred_tui.config.problems import WrongType
from m3cred_tui.config.setup import CHECKS
from m3cred_tui.store import files
from m3cred_tui.store.files import check_way
from m3cred_tui.store.lock import locked
from m3cred_tui.store.platform_keys import forget_key, keep_key
from m3cred_tui.store.problems import OutcomeUnknown, StoreUnusable, plain_reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from m3cred_tui.config.locations import Locations
    from m3cred_tui.model.credential import Destination
    from m3cred_tui.model.secret import Secret
    from m3cred_tui.store.identity import IdentityFile

SECRET_KEY = "secret_key"  # noqa: S105 - its name
_ANY_SOURCE = (IN_CLEAR, *KEY_SOURCES)


def set_value(
    places: Locations, destination: Destination, name: str, text: str
) -> tuple[str, ...]:
    """Set one of ``CHECKS`` to what was entered.

    A new source of the secret key takes the place of the other; a sealed key is removed then.
    Returns the names of the sources that were removed.
    """
    value = CHECKS[name](text, destination)
    is_source = name in KEY_SOURCES
    # A path stays as it was entered, with its ~.
    plain = without_key(text, name) if is_source else _plain(value)
    others = [one for one in _ANY_SOURCE if one != name] if is_source else []
    with locked(places.data):
        replaced = _lines_of(places.settings, destination, others)
        _write(places.settings, _changed(places.settings, destination, {name: plain}, others))
        was_sealed = is_source and forget_key(places.keys, destination)
    return (*replaced, SEALED) if was_sealed else replaced


def unset_value(places: Locations, destination: Destination, name: str) -> bool:
    """Remove one of ``CHECKS``, or the secret key wherever it is from; tell if it was there."""
    names = _ANY_SOURCE if name == SECRET_KEY else (name,)
    with locked(places.data):
        was_there = _write(places.settings, _changed(places.settings, destination, {}, names))
        if name == SECRET_KEY:
            was_there |= forget_key(places.keys, destination)
    return was_there


def seal_key(
    places: Locations, destination: Destination, key: Secret, identity: IdentityFile
) -> tuple[str, ...]:
    """Seal a secret key; it takes the place of any other source of it.

    Returns the names of the sources that were removed. Raises what
    :func:`entered.secret_key` and ``IdentityFile.to_seal`` do, too.
    """
    key = secret_key(key.reveal(), destination)
    others = [one for one in _ANY_SOURCE if one != SEALED]
    with locked(places.data):
        replaced = _lines_of(places.settings, destination, others)
        content = _changed(places.settings, destination, {SEALED: True}, others)
        # First, so that the file never speaks of a key that is not there.
        keep_key(places.keys, destination, key, identity)
        _write(places.settings, content)
    return replaced


def _lines_of(path: Path, destination: Destination, sources: Iterable[str]) -> tuple[str, ...]:
    """Return those of the sources that the file has a line of; no line is a sealed key."""
    table = document_in(read_file(path), path).get(table_of(destination), {})
    there = table if isinstance(table, dict) else {}
    return tuple(one for one in sources if one in there and one != SEALED)


def _plain(value: object) -> object:
    return [*value] if isinstance(value, tuple) else str(value)


def _changed(
    path: Path, destination: Destination, new: Mapping[str, object], gone: Iterable[str]
) -> bytes:
    """Return the content of the file with these values and without those names, checked."""
    import tomlkit  # noqa: PLC0415 - takes 50 ms, and is for writing only

    before = read_file(path)
    name = table_of(destination)
    table = document_in(before, path).get(name, {})
    if not isinstance(table, dict):
        raise FileProblem(path, name, WrongType("a table"))
    going = [one for one in gone if one in table]
    if all(table.get(one) == value for one, value in new.items()) and not going:
        tables_in(before, path)
        return before
    document = tomlkit.parse(before.decode())
    if not before:
        document["version"] = VERSION
    if name not in document:
        document[name] = tomlkit.table()
    edited = document[name]
    for one in going:
        del edited[one]
    for one, value in new.items():
        edited[one] = value
    after = tomlkit.dumps(document).encode()
    tables_in(after, path)
    return after


def _write(path: Path, content: bytes) -> bool:
    """Have this content in the file, or where it links to; tell whether it was another."""
    if content == read_file(path):
        return False
    try:
        real = path.resolve()
        files.make_folder(real.parent)
        check_way(real)
        folder = os.open(real.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            files.sweep(folder)
            files.replace(folder, real.name, content)
        finally:
            files.close_read(folder)
    except files.UnconfirmedError as unconfirmed:
        found = "Run m3cred config to see what is there."
        raise OutcomeUnknown(path, plain_reason(unconfirmed.cause), found) from unconfirmed
    except OSError as error:
        raise StoreUnusable(path, plain_reason(error)) from error
    return True
