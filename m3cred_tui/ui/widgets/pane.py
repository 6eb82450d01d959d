"""The details of the selected credential, beside the list of a wide window."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.widgets import Static

from m3cred_tui.listing.columns import (
    expiry_text,
    expiry_warning,
    in_zone,
    level_of,
    local,
    status_cell,
)
from m3cred_tui.model.credential import Credential, StripeAccount
from m3cred_tui.ui.widgets.controls import coloured, mode_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from textual.timer import Timer

    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.ui.widgets.credential_list import CredentialList

_LABEL = 16
_WIDE = 200


class DetailsPane(Static):
    """Follows the cursor of the list, but only once it rests: a key draws its row alone."""

    RESTS_AFTER: ClassVar[float] = 0.15
    """Seconds without another key."""

    def __init__(self, credentials: CredentialList, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._list = credentials
        self._now = now
        self._rest: Timer | None = None
        self._shown: object = None

    def on_mount(self) -> None:
        for changes in ("cursor", "drawings"):
            self.watch(self._list, changes, self.follow, init=False)
        self.call_after_refresh(self._show)

    def follow(self) -> None:
        """Show the row under the cursor soon."""
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(self.RESTS_AFTER, self._show)

    def _show(self) -> None:
        listing, selected = self._list.listing, self._list.selected
        row = None if selected is None else listing.row(selected)
        check = None if selected is None else listing.checks.of(selected)
        if (row, check) == self._shown or not self.is_attached:
            return
        self._shown = row, check
        facts: list[tuple[str, str | Content]] = []
        if isinstance(row, Credential):
            facts = facts_of(row, check, self._now())
            if check is not None:
                facts.append(("Last check", f"{check.label}, {local(check.at)}"))
        elif row is not None:
            facts = [("Credential ID", row.id), ("Damaged", row.reason)]
        self.update(_lines(facts, self.content_size.width))


def facts_of(
    credential: Credential, check: CheckResult | None, now: datetime
) -> list[tuple[str, str | Content]]:
    """Return what a page or a pane says of a credential, each line with its name."""
    account = credential.account or StripeAccount("", credential.destination.livemode)
    # Below it, the last check has its time.
    wide = 0 if check and not expiry_warning(credential, now) else _WIDE
    unknown = "not told by Stripe" if account.id else "not approved yet"
    return [
        ("Name", credential.name),
        ("Credential ID", credential.id),
        ("Entity type", credential.entity_type.label),
        ("Destination", credential.destination.label),
        ("Stripe account", account.name or unknown),
        ("Account ID", account.id or "not approved yet"),
        ("Country", account.country or unknown),
        ("Mode", mode_mark(livemode=account.livemode)),
        (
            "Status",
            coloured(
                status_cell(credential, wide, check, now), level_of(credential, check, now)
            ),
        ),
        ("Created", f"{in_zone(credential.created_at):%Y-%m-%d %H:%M:%S %Z}"),
        ("Created by", credential.created_by),
        *([("Expires", until)] if (until := expiry_text(credential, now)) else []),
    ]


def _lines(facts: Sequence[tuple[str, str | Content]], width: int) -> Content:
    """Return a line for each fact, or two if its value is too long for one."""
    lines: list[Content] = []
    for name, value in facts:
        shown = value if isinstance(value, Content) else Content.styled(value, "bold")
        is_long = _LABEL + shown.cell_length > width
        between = "\n  " if is_long else ""
        lines.append(Content.assemble((name.ljust(_LABEL), "$text-muted"), between, shown))
    return Content("\n").join(lines)
