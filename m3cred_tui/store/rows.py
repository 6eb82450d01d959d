"""Records as the rows of a list: what is damaged is a row, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.store.folder import ID_LENGTH
from m3cred_tui.store.private import FlawError
from m3cred_tui.store.problems import StoreUnusable
from m3cred_tui.store.record import Damaged, Record, credential_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from m3cred_tui.model.credential import Credential

    Row = Credential | Damaged


def ids_in(names: list[str]) -> list[str]:
    """Return the IDs in the names of records' files."""
    return [name[:ID_LENGTH] for name in names]


def row_of(read: Callable[[str], Record], credential_id: str) -> Row:
    """Return a credential; raises ``FileNotFoundError`` where there is none."""
    try:
        return credential_of(read(credential_id))
    except FlawError as flaw:
        return Damaged(credential_id, str(flaw))


def row_or_none(read: Callable[[str], Record], credential_id: str) -> Row | None:
    """Return a credential, or nothing where there is none."""
    try:
        return row_of(read, credential_id)
    except FileNotFoundError:
        return None


def found_again(read: Callable[[str], Row | None], credential_id: str) -> str:
    """Return as a sentence what is there when it is read again."""
    try:
        found = read(credential_id)
    except StoreUnusable as unusable:
        return f"It cannot be read again, either: {unusable.reason}."
    match found:
        case None:
            return "Read again, the credential is not there."
        case Damaged(_, reason):
            return f"Read again, the credential is damaged: {reason}."
        case _:
            return "Read again, the credential is there."
