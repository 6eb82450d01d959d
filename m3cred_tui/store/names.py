"""The names of credentials: whether one is in use, and giving a credential another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.model.credential import Credential, Event, Happened, Status, TokenResponse
from m3cred_tui.model.name import name_key, tidy_name
from m3cred_tui.store.problems import NamedLater, NameTaken

if TYPE_CHECKING:
    from datetime import datetime

    from m3cred_tui.store.port import CredentialStore


def check_name(store: CredentialStore, name: str, own_id: str | None) -> None:
    """Raise ``NameTaken`` if another credential has this name, pending ones apart."""
    rows = store.read_many(store.ids())
    others = (row for row in rows if isinstance(row, Credential) and row.id != own_id)
    taken = {name_key(row.name) for row in others if row.status is Status.AUTHENTICATED}
    if name_key(name) in taken:
        raise NameTaken(name)


def rename(
    store: CredentialStore, credential: Credential, name: str, *, at: datetime, by: str
) -> Credential:
    """Give a created credential another name, and return it; it remembers when and by whom.

    Raises ``NamedLater`` for a pending one, ``NameTaken``, and what ``CredentialStore.update``
    does; then nothing was changed.
    """
    if credential.status is not Status.AUTHENTICATED:
        raise NamedLater(credential)

    def change(now: Credential, tokens: TokenResponse) -> tuple[Credential, TokenResponse]:
        event = Event(Happened.RENAMED, at, by, now.name)
        return now._replace(name=tidy_name(name)).remembering(event), tokens

    seen = store.stamp()
    check_name(store, name, credential.id)
    return store.update(credential.id, change, seen)
