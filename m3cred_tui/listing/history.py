"""What happened to a credential, when, and by whom: what the app and ``m3cred show`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.listing.columns import local
from m3cred_tui.model.credential import Credential, Happened, Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from m3cred_tui.model.check import CheckResult

CREATED, CHECKED = "created", "checked"


class Happening(NamedTuple):
    """Something that happened: a :class:`Happened`, or one of the two words above."""

    what: str
    at: datetime
    by: str
    note: str = ""
    """The former name or account ID, or the outcome of a check."""

    @property
    def line(self) -> str:
        """It in words, with its time."""
        did = _WORDS.get(self.what, self.what)
        by = f" by {self.by}" if self.by else ""
        note = _NOTES.get(self.what, "{0}").format(self.note) if self.note else ""
        return f"{local(self.at)}  {did}{by}{note}"


_WORDS = {Happened.AUTHORIZED: "authorized again", CREATED: "created, authorized"}
_NOTES = {
    Happened.RENAMED: ", from “{0}”",
    Happened.AUTHORIZED: ", in place of {0}",
    CHECKED: ": {0}",
}


def history_of(credential: Credential, check: CheckResult | None) -> Sequence[Happening]:
    """Return what is known to have happened to a created credential, the oldest first."""
    if credential.status is not Status.AUTHENTICATED:
        return ()
    known = [Happening(CREATED, credential.created_at, credential.created_by)]
    after = credential.account and credential.account.id
    for event in reversed([Happening(*event) for event in credential.history]):
        if event.what == Happened.AUTHORIZED:
            is_same, after = event.note == after, event.note
            known.append(event._replace(note="") if is_same else event)
        else:
            known.append(event)
    if check is not None:
        known.append(Happening(CHECKED, check.at, check.by, check.label))
    return sorted(known, key=lambda one: one.at)
