"""What stage 4 shows, one panel for each way the authorization can stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Static

from m3cred_tui.config.settings import NotSetUp
from m3cred_tui.ui.stages.stage import note
from m3cred_tui.ui.widgets.controls import Notice, Press, fields, mode_mark

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import ComposeResult

    from m3cred_tui.authorize.authorization import Authorization
    from m3cred_tui.authorize.events import Approved
    from m3cred_tui.config.problems import Misplaced
    from m3cred_tui.model.problem import Problem

_LAST_KEY_SECONDS = 1.0
_KEPT = (
    "The approval is kept, sealed, in the list of credentials until you select Create "
    "Credential or delete it there."
)
_LOST_IF_LEFT = "The approval is in memory only: leave before it is saved, and it is lost."

GO_TO_STRIPE, CREATE = "go-to-stripe", "create-credential"
SET_UP, TRY_DEMO = "set-up", "try-demo"


def _button(label: str, name: str) -> Button:
    return Press(label, id=name, variant="primary")


class InformationPanel(Vertical):
    """Before Stripe: what will be asked for there."""

    def compose(self) -> ComposeResult:
        yield Static(
            Content(
                "You will need to provide authentication details on the Stripe website.\n\n"
                "Under Get started with Stripe, log in to your Stripe account and approve "
                "access for m3ter. Then select Return to m3ter at the left-hand side. "
                "This page continues by itself."
            ),
            classes="information",
        )
        yield _button("Go to Stripe", GO_TO_STRIPE)


class PreparingPanel(Vertical):
    """Between Go to Stripe and the URL."""

    def compose(self) -> ComposeResult:
        yield Static("… Preparing the authorization request")


class AccountPanel(Vertical):
    """Back from Stripe: which account it is, before the credential is created."""

    def __init__(
        self, approved: Approved, since: datetime | None = None, *, was_typed: bool = False
    ) -> None:
        """Take the approval, and since when there is one that was left before.

        An address that ``was_typed``, as a terminal without bracketed paste does it, may end
        in an Enter that was not meant for what is shown now.
        """
        super().__init__()
        self._was_typed = was_typed
        self._approved = approved
        self._since = since

    def compose(self) -> ComposeResult:
        account = self._approved.account
        before = self._since and f"{self._since.astimezone():%Y-%m-%d %H:%M}"
        yield Static("✓ Approved. Is this the account you meant?")
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
        told = filter(None, (self._approved.unread, self._approved.unkept))
        yield Notice("\n".join(map(str, told)))
        yield _button("Create Credential", CREATE)
        yield note(_LOST_IF_LEFT if self._approved.unkept else _KEPT)

    def on_mount(self) -> None:
        """Hear nothing until the last key of a typed address has come."""
        if self._was_typed:
            self.query_one(Button).disabled = True
            self.set_timer(_LAST_KEY_SECONDS, self._hear)

    def notice(self, text: str) -> None:
        """Show, in plain text, why nothing was created; it can be tried again."""
        self.query_one(Notice).say(text)
        self._hear()

    def _hear(self) -> None:
        button = self.query_one(Button)
        button.disabled = False
        button.focus()


class ProblemPanel(Vertical):
    """The authorization has ended; a new one can begin."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self._problem = problem

    def compose(self) -> ComposeResult:
        yield Notice(f"! {self._problem}")
        yield _button("Go to Stripe", GO_TO_STRIPE)
        yield note("Enter tries again, Esc goes back.")


class SettingsPanel(Vertical):
    """The destination is not set up, or not rightly: nothing was asked of Stripe."""

    def __init__(self, problem: NotSetUp | Misplaced, authorization: Authorization) -> None:
        """Take the authorization that is followed once the settings are right."""
        super().__init__()
        self.authorization = authorization
        self._problem = problem

    def compose(self) -> ComposeResult:
        yield Notice(f"! {self._problem}")
        yield _button(f"Set up {self.authorization.destination.label}", SET_UP)
        if isinstance(self._problem, NotSetUp):
            yield _button("Try the demo", TRY_DEMO)
        else:  # it may be fixed elsewhere, as by unlocking what holds the key
            yield _button("Go to Stripe", GO_TO_STRIPE)
        yield note("Enter opens the settings of this destination, and comes back here.")
