"""The columns of a list of credentials, in the app and in ``m3cred list``."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from m3cred_tui.model.check import Outcome
from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.model.text import CUT
from m3cred_tui.store.port import Damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.store.port import CredentialStore

Row = Credential | Damaged


class Level(StrEnum):
    """What a status means to the user, as a sign for those who see no colours."""

    OK = "✓"
    PENDING = "…"
    WARNING = "!"
    REVOKED = "✗"
    """It is of no use any more: only a new authorization helps, or to delete it."""


class Column(NamedTuple):
    """One column: its heading, a short one for narrow columns, its minimum width, its text.

    ``checked``, if there is one, is the text where the credential's last check is known;
    ``word`` is searched and sorted by instead of the text.
    """

    heading: str
    short: str
    least: int
    text: Callable[[Credential, int], str]
    damaged: Callable[[Damaged], str] = lambda _row: ""
    word: Callable[[Credential, CheckResult | None], str] | None = None
    checked: Callable[[Credential, int, CheckResult], str] | None = None

    def of(self, row: Row, width: int = 200, check: CheckResult | None = None) -> str:
        """Return what this column shows of ``row`` in ``width`` cells."""
        if not isinstance(row, Credential):
            return self.damaged(row)
        if check is not None and self.checked is not None:
            return self.checked(row, width, check)
        return self.text(row, width)

    def sought(self, row: Row, check: CheckResult | None = None) -> str:
        """Return what this column is searched and sorted by."""
        if self.word is not None and isinstance(row, Credential):
            return self.word(row, check)
        return self.of(row, check=check)


def is_pending(row: Row | None) -> TypeGuard[Credential]:
    """Return whether a row is a pending credential."""
    return isinstance(row, Credential) and row.status is Status.PENDING


def is_authenticated(row: Row | None) -> TypeGuard[Credential]:
    """Return whether a row is a credential that was created."""
    return isinstance(row, Credential) and row.status is Status.AUTHENTICATED


def waits_until(credential: Credential) -> datetime | None:
    """Return when the wait for Stripe ends, in local time; ``None`` if there is no wait."""
    if credential.status is not Status.PENDING or credential.account is not None:
        return None
    from m3cred_tui.model.authorization import TIME_LIMIT  # noqa: PLC0415 - few rows need it

    return in_zone(credential.created_at + TIME_LIMIT)


def status_text(credential: Credential, now: datetime, check: CheckResult | None) -> str:
    """Return :func:`status_word` in words, with the end of the wait for Stripe, if any."""
    if credential.status is Status.UNKNOWN:
        return "code sent, outcome unknown"
    if (over := waits_until(credential)) is None:
        word = status_word(credential, check).replace("_", " ")
        warning = expiry_warning(credential, now)
        text = f"{word}, {warning}" if warning else word
    elif over <= now:
        text = "pending, time is over"
    else:
        text = f"pending until {clock_time(over, now)}"
    return f"{text}, to authorize {credential.renews} again" if credential.renews else text


def expiry_text(credential: Credential, now: datetime) -> str:
    """Return until when a credential lasts; empty if it does not end by itself."""
    if (at := credential.expires_at) is None:
        return ""
    if credential.is_expired(now):
        return f"{local(at)}, as it was not used for a year: authorize it again"
    use = ": a check renews it" if credential.expires_soon(now) else ""
    return f"{local(at)}, unless it is used before{use}"


def expiry_warning(credential: Credential, now: datetime) -> str:
    """Return a phrase for the credential that ends soon or has ended; empty for any other."""
    if (at := credential.expires_at) is None or not credential.expires_soon(now):
        return ""
    return f"{'expired' if credential.is_expired(now) else 'expires'} {in_zone(at):%Y-%m-%d}"


def expiry_sentence(title: str, credential: Credential, now: datetime) -> str:
    """Return a sentence that warns of the end of a credential; empty if that is far."""
    if not (warning := expiry_warning(credential, now)):
        return ""
    why = ", unused for a year" if credential.is_expired(now) else " unless it is used before"
    return f"{title} {warning}{why}."


def has_ended(row: Row | None, check: CheckResult | None, now: datetime) -> bool:
    """Return whether only another authorization makes a credential usable again."""
    if not is_authenticated(row):
        return False
    is_revoked = check is not None and check.outcome is Outcome.REVOKED
    return is_revoked or row.is_expired(now)


EXPIRING, EXPIRED = "expiring", "expired"
OF_A_CHECK = tuple(one for one in Outcome if one not in {Outcome.OK, Outcome.PENDING})
STATUSES = (*Status, EXPIRING, EXPIRED, *OF_A_CHECK)
"""Every word that :func:`status_word` returns."""


def status_word(row: Row, check: CheckResult | None, now: datetime | None = None) -> str:
    """Return how far a credential has come, or why it cannot be used by the last check.

    The one status of a credential, wherever one is shown, searched, sorted by or written. With
    the time, it may also be near its end, or past it.
    """
    if not isinstance(row, Credential):
        return Outcome.DAMAGED.value
    if row.status is not Status.AUTHENTICATED:
        return row.status.value
    if check is not None and check.outcome is not Outcome.OK:
        return check.outcome.value
    return (now and expiry_word(row, now)) or row.status.value


def expiry_word(row: Row, now: datetime) -> str:
    """Return the status of a credential near its end, or past it; empty for any other."""
    if not isinstance(row, Credential) or not row.expires_soon(now):
        return ""
    return EXPIRED if row.is_expired(now) else EXPIRING


def account_text(credential: Credential) -> str:
    """Return the name of the account, or its ID if it has none."""
    account = credential.account
    return "not yet" if account is None else account.name or account.id


def short_id(credential_id: str, width: int) -> str:
    """Return as much of an ID's end as fits: IDs of one time begin alike."""
    if len(credential_id) <= width:
        return credential_id
    return CUT + credential_id[len(credential_id) - width + 1 :]


def in_zone(moment: datetime) -> datetime:
    """Return a time in the user's time zone, or as it is in a zone that Python cannot tell."""
    try:
        return moment.astimezone()
    except (ValueError, OverflowError):  # TZ may be a day away from UTC, and more
        return moment


def local(moment: datetime) -> str:
    """Return a time in the user's time zone, which it names."""
    return f"{in_zone(moment):%Y-%m-%d %H:%M %Z}"


def opened_part(*, is_sealed: bool) -> tuple[str, str]:
    """Return what the part of a record with its tokens is called, and what was done to it."""
    return ("Sealed part", "opened") if is_sealed else ("Record", "read")


def kept_how(store: CredentialStore, approval: Credential | None) -> str:
    """Return the beginning of a sentence on where an approval is kept."""
    if not store.team:
        return "The approval is kept, sealed,"
    if approval is None or approval.id not in store.aside:
        return "The approval is kept"
    return "The approval is sealed on this machine until the team's store can be reached, and"


def sealed_here(store: CredentialStore) -> Iterator[tuple[str, str]]:
    """Yield the ID of each approval that is only on this machine, and what to say of it."""
    for one in store.aside:
        row = store.read(one)
        if isinstance(row, Credential):
            yield (
                one,
                f"“{row.name}” is approved, and sealed on this machine until the team's store "
                "can be reached; it is brought there then.",
            )


def clock_time(moment: datetime, now: datetime) -> str:
    """Return a time in the user's time zone, with its date if that is not today's."""
    there = in_zone(moment)
    return f"{there:%H:%M %Z}" if there.date() == in_zone(now).date() else local(there)


_LEVELS: dict[str, Level] = {
    **dict.fromkeys([Status.AUTHENTICATED, Outcome.OK], Level.OK),
    Status.PENDING: Level.PENDING,
    **dict.fromkeys([Outcome.REVOKED, Outcome.DAMAGED, EXPIRED], Level.REVOKED),
}


def level_of(row: Row, check: CheckResult | None, now: datetime | None = None) -> Level:
    """Return what :func:`status_word` means; what is not known to be harmless is a warning."""
    return _LEVELS.get(status_word(row, check, now), Level.WARNING)


def is_bad(row: Row | None, check: CheckResult | None) -> bool:
    """Return whether a row cannot be used: it is damaged, or its last check has failed."""
    if not isinstance(row, Credential):
        return True
    return status_word(row, check) != row.status


_AGAIN = "pending again"
"""To be authorized again; that word alone would not fit."""


def _status(credential: Credential, width: int) -> str:
    sign, words = level_of(credential, None), [credential.status.value]
    if over := waits_until(credential):
        # The wait takes minutes, so only midnight can make it end on another day.
        is_today = over.date() == in_zone(credential.created_at).date()
        short = f"until {over:%H:%M}" if is_today else f"{over:%d %b %H:%M}"
        words = [f"until {clock_time(over, credential.created_at)}", short]
    if credential.renews:
        words = [*(f"{_AGAIN} {one}" for one in words if over), _AGAIN]
    return f"{sign} {next((one for one in words if len(one) + 2 <= width), words[-1])}"


def status_cell(
    credential: Credential, width: int, check: CheckResult | None, now: datetime
) -> str:
    """Return what :data:`STATUS` shows, or a warning where the credential is near its end."""
    warning = expiry_warning(credential, now)
    if not warning or is_bad(credential, check):
        return STATUS.of(credential, width, check)
    if len(warning) + 2 > width and (at := credential.expires_at):
        warning = EXPIRED if credential.is_expired(now) else f"until {in_zone(at):%d %b}"
    return f"{level_of(credential, check, now)} {warning}"


def _checked_status(credential: Credential, width: int, check: CheckResult) -> str:
    if credential.status is not Status.AUTHENTICATED:
        return _status(credential, width)
    word = Status.AUTHENTICATED if check.outcome is Outcome.OK else check.label
    return _dated(f"{level_of(credential, check)} {word}", check.at, width)


def _status_sought(credential: Credential, check: CheckResult | None) -> str:
    now = datetime.now(UTC) if credential.expires_at else None
    return status_word(credential, check, now).replace("_", " ")


def _check(credential: Credential, width: int, check: CheckResult) -> str:
    if credential.status is not Status.AUTHENTICATED:
        return ""
    return _dated(check.label, check.at, width)


def _dated(text: str, moment: datetime, width: int) -> str:
    """Return a text with as much of its time as fits."""
    at = in_zone(moment)
    fuller = (f"{text} {at:%d %b %H:%M}", f"{text} {at:%d %b}")
    return next((one for one in fuller if len(one) <= width), text)


def _created(credential: Credential, width: int) -> str:
    at = in_zone(credential.created_at)
    if width < len("2026-01-31"):
        return f"{at:%d %b}"
    fuller = (local(at), f"{at:%Y-%m-%d %H:%M}", f"{at:%Y-%m-%d}")
    return next(one for one in fuller if len(one) <= width)


NAME = Column("Name", "Name", 16, lambda one, _: one.name, lambda row: row.id)
ENTITY_TYPE = Column("Entity type", "Type", 4, lambda one, _: one.entity_type.label)
DESTINATION = Column("Destination", "Destination", 18, lambda one, _: one.destination.label)
ACCOUNT = Column("Stripe account", "Account", 13, lambda one, _: account_text(one))
STATUS = Column(
    "Status",
    "Status",
    15,
    _status,
    lambda row: f"{Level.REVOKED} damaged: {row.reason}",
    # Its sign would double the memory of the entire text.
    _status_sought,
    _checked_status,
)
CREATED = Column("Created", "Date", 6, _created)
CHECK = Column("Last check", "Check", 15, lambda _one, _width: "", checked=_check)
ACCOUNT_ID = Column(
    "Account ID", "Account ID", 21, lambda one, _: one.account.id if one.account else ""
)
MODE = Column("Mode", "Mode", 4, lambda one, _: one.destination.mode.upper())
EXPIRES = Column(
    "Expires", "Expires", 10, lambda one, _: local(one.expires_at) if one.expires_at else ""
)
CREATED_BY = Column("Created by", "By", 12, lambda one, _: one.created_by)
ID = Column(
    "Credential ID",
    "ID",
    9,
    lambda one, width: short_id(one.id, width),
    lambda row: row.id,
)

COLUMNS = (
    *(NAME, ENTITY_TYPE, DESTINATION, MODE, ACCOUNT, ACCOUNT_ID, STATUS, CHECK),
    *(CREATED, CREATED_BY),
)
"""Those that the app shows where there is room for all, in their order."""

GAP = 1

_NEEDED_FIRST = (NAME, STATUS, DESTINATION, ACCOUNT, CREATED, ENTITY_TYPE)
_OF_WIDE_WINDOWS = (ACCOUNT_ID, CHECK, MODE, CREATED_BY)
Longest = tuple[tuple[Column, int], ...]
"""Columns, each with the cells that its longest text needs."""

_WIDENED_THEN = (
    (ENTITY_TYPE, 11),
    (CREATED, 16),
    (CHECK, 22),
    (ACCOUNT, 40),
    (NAME, 64),
    (STATUS, 28),
    (CREATED_BY, 30),
)


class _Sharing:
    """Shares out the cells of a line among columns."""

    def __init__(self, width: int, longest: Longest) -> None:
        self.widths: dict[Column, int] = {}
        self._spare = width + GAP
        self._needs = dict(longest)

    def add(self, columns: Sequence[Column]) -> None:
        """Add columns of the width that they need at least, until one does not fit."""
        for column in columns:
            least = max(column.least, self._needs.get(ACCOUNT_ID, 0) * (column is ACCOUNT_ID))
            if self.widths and least + GAP > self._spare:
                return
            self.widths[column] = min(least, self._spare - GAP)
            self._spare -= self.widths[column] + GAP

    def widen(self, column: Column, wish: int) -> None:
        """Widen a column if it is there."""
        if column in self.widths:
            more = max(0, min(self._spare, wish - self.widths[column]))
            self.widths[column] += more
            self._spare -= more

    def even_out(self, one: Column, other: Column) -> None:
        """Give a column that is cut what the other one does not need."""
        if one in self.widths and other in self.widths:
            least = max(self._needs.get(other, other.least), len(other.short))
            spare = max(0, self.widths[other] - least)
            more = min(spare, max(0, self._needs.get(one, 0) - self.widths[one]))
            self.widths[one] += more
            self.widths[other] -= more

    def widen_as_needed(self, name: int, account: int) -> None:
        """Widen names and accounts to what their texts need, the narrower one first."""
        name = min(name, self._needs.get(NAME, name))
        account = min(account, self._needs.get(ACCOUNT, account))
        for cells in range(max(name, account) + 1):
            self.widen(NAME, min(cells, name))
            self.widen(ACCOUNT, min(cells, account))


@lru_cache(maxsize=8)
def share(
    width: int, same: frozenset[Column], longest: Longest = ()
) -> Sequence[tuple[Column, int]]:
    """Return the columns that fit into ``width`` cells, in order, each with its width.

    Those that are the ``same`` in every row are left out, and names get their room. Before
    that, neither names nor accounts take more than their ``longest`` text needs.
    """
    sharing = _Sharing(width, longest)
    sharing.add([column for column in _NEEDED_FIRST if column not in same])
    name = 24 + sum(column.least + GAP for column in _NEEDED_FIRST if column in same)
    sharing.widen_as_needed(name, 16)
    sharing.widen_as_needed(name, 20)
    sharing.widen(CREATED, 10)
    sharing.widen_as_needed(name, 24)
    sharing.widen(NAME, name)
    sharing.add([column for column in _OF_WIDE_WINDOWS if column not in same])
    sharing.widen_as_needed(64, 40)
    for column, wish in _WIDENED_THEN:
        sharing.widen(column, wish)
    sharing.even_out(NAME, ACCOUNT)
    sharing.even_out(ACCOUNT, NAME)
    return [(column, sharing.widths[column]) for column in COLUMNS if column in sharing.widths]
