"""The account that Stripe approved, and the question whether it is the one that was meant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from m3cred_tui.authorize.renewal import other_account
from m3cred_tui.listing.columns import local
from m3cred_tui.ui.stages.stage import note
from m3cred_tui.ui.widgets.controls import Press, fields, mode_mark
from m3cred_tui.ui.widgets.forms import Notice

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import ComposeResult

    from m3cred_tui.authorize.events import Approved
    from m3cred_tui.model.credential import Credential

CREATE, REFUSE = "create-credential", "refuse"

_LAST_KEY_SECONDS = 1.0
_KEPT = "{0} in the list of credentials until you select Create Credential or delete it there."
_KEPT_TO_RENEW = (
    "“{1}” keeps its Credential ID, and its old tokens until you select {2}. {0} in the list "
    "of credentials until then."
)
_QUESTION = "Is this the account you meant?"
NOT_KEPT_YET = "The approval is in memory only; m3cred keeps trying to write it."


class AccountPanel(Vertical):
    """Back from Stripe: which account it is, before the credential is created or renewed."""

    def __init__(
        self,
        approved: Approved,
        since: datetime | None = None,
        *,
        renewed: Credential | None = None,
        may_end: bool = False,
        kept: str = "",
    ) -> None:
        """Take the approval, since when there is one that was left before, and what it renews.

        ``kept`` says how it is kept. An address that was pasted, or typed as a terminal without
        bracketed paste does it, ``may_end`` in an Enter that is not meant for what is shown.
        """
        super().__init__()
        self._may_end, self._kept = may_end, kept
        self._approved = approved
        self._since = since
        self._renewed = renewed
        self.other = renewed and other_account(renewed, approved.account)
        """Set where the account is not the one before, which the user must agree to."""

    @property
    def _label(self) -> str:
        if self._renewed is None:
            return "Create Credential"
        return "Replace the account" if self.other else "Use the new approval"

    @property
    def _kept_note(self) -> str:
        if self._approved.unkept:
            return NOT_KEPT_YET
        if self._renewed is None:
            return _KEPT.format(self._kept)
        return _KEPT_TO_RENEW.format(self._kept, self._renewed.name, self._label)

    def compose(self) -> ComposeResult:
        account = self._approved.account
        before = self._since and local(self._since)
        same = self._renewed and not self.other
        question = "It is the same account as before." if same else _QUESTION
        yield Static(f"✓ Approved. {question}", classes="ok")
        yield Static(
            fields(
                [
                    *([("Approved", before)] if before else []),
                    ("Stripe account", account.name or "not told by Stripe"),
                    ("Account ID", account.id),
                    ("Country", account.country or "not told by Stripe"),
                    ("Mode", mode_mark(livemode=account.livemode)),
                ]
            ),
            id="account",
        )
        if self.other:
            yield Notice(f"! {self.other}", classes="problem other")
        if already := self._approved.already:
            yield note(f"! {already}")
        told = filter(None, (self._approved.unread, self._approved.unkept))
        yield Notice("\n".join(map(str, told)), classes="problem told")
        with Horizontal(classes="answers"):
            yield Press(self._label, id=CREATE, variant="primary")
            if not (self._approved.unkept or same):
                yield Press("Not this account", id=REFUSE, compact=True)
        yield Static(Content(self._kept_note), classes="note kept")

    def on_mount(self) -> None:
        """Hear nothing until the last key after an address has come."""
        if self._may_end:
            for button in self.query(Button):
                button.disabled = True
            self.set_timer(_LAST_KEY_SECONDS, self._hear)

    def notice(self, text: str) -> None:
        """Show, in plain text, why nothing was created; it can be tried again."""
        self.query_one(".told", Notice).say(text)
        self._hear()

    def say_kept(self) -> None:
        """Take back that the approval could not be kept."""
        self._approved = replace(self._approved, unkept=None)
        self.query_one(".told", Notice).say("")
        self.query_one(".kept", Static).update(Content(self._kept_note))

    def _hear(self) -> None:
        for button in self.query(Button):
            button.disabled = False
        self.query_one(f"#{CREATE}").focus()
