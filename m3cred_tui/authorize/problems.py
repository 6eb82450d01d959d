"""What can go wrong during an authorization, besides Stripe itself."""

from datetime import timedelta

from m3cred_tui.model.authorization import CODE_LIFETIME, TurnedAway
from m3cred_tui.model.credential import Credential, Destination, StripeAccount
from m3cred_tui.model.problem import Problem


class ListenerUnreachable(Problem, code="ListenerUnreachable"):
    text = """m3cred's own listener at {address} does not answer, so a browser may not reach it
        either. m3cred keeps trying."""
    address: str


class ListenerUnknown(Problem):
    """m3cred cannot listen, and whose program gets Stripe's answer is not known."""

    text = """{trouble} Whose program is there is not known: compare the account's ID before you
        create the credential."""
    trouble: Problem


class AccountUnseen(Problem, code="AccountUnseen"):
    """m3cred cannot listen, another user's program may, and `--yes` accepts its account."""

    text = """m3cred cannot listen on port {port}, to which Stripe redirects. A program of
        another user may, and return the approval of its own account, so --yes is not enough:
        name the account with --expect-account, or leave --yes out and look at it."""
    port: int


class ForeignRedirect(Problem, code="ForeignRedirect"):
    text = """A redirect that does not belong to this authorization was turned away ({count} so
        far). If it was yours, open the URL shown now, not an older one."""
    count: int


_TURNED_AWAY = {
    TurnedAway.NOT_OPENED: "A browser requested m3cred's address in the background or in a "
    "frame, not as a page that you open.",
    TurnedAway.OTHER_HOST: "A browser came by another name or port than m3cred's, perhaps "
    "through a tunnel whose ports differ.",
    TurnedAway.TOO_LARGE: "A browser sent too much with m3cred's address, most likely cookies "
    "of other programs; a private window has none.",
}


class BrowserTurnedAway(Problem, code="BrowserTurnedAway"):
    """A browser that requested the callback server's address was turned away."""

    text = "{_why} It was turned away. If it was yours, paste the address that it shows."
    why: TurnedAway
    _why = property(lambda self: _TURNED_AWAY[self.why])


class Expired(Problem, code="Expired"):
    """The time limit passed before Stripe's redirect came."""

    text = "No answer came from Stripe within {_minutes} minutes. Begin a new authorization."
    time_limit: timedelta
    _minutes = property(lambda self: round(self.time_limit.total_seconds() / 60))


class CodeWaits(Problem, code="CodeWaits"):
    """The code is not sent yet, as what it brings could not be kept."""

    text = """Stripe's code waits, for the {_minutes} minutes that it is good, until an approval
        can be kept: {reason}"""
    reason: str
    _minutes = CODE_LIFETIME // timedelta(minutes=1)


class CodeUnused(Problem, code="CodeUnused"):
    """The code's time passed, as what it would have given could not be kept."""

    text = """Stripe's code was not sent within its {_minutes} minutes, as an approval could not
        be kept: {reason} No account was connected. Begin a new authorization."""
    reason: str
    _minutes = CODE_LIFETIME // timedelta(minutes=1)


class ApprovalNotKept(Problem, code="ApprovalNotKept"):
    """An approval is nowhere but in what was written out (status 3)."""

    text = """Stripe has approved {account_id}, and the approval could not be kept: {reason} It
        was written to standard output, sealed. Save those lines as a file; then run:
        m3cred resume --sealed FILE"""
    account_id: str
    reason: str
    sealed: bytes


class ApprovalLost(Problem, code="ApprovalLost"):
    """An approval could neither be kept nor sealed (status 4)."""

    text = """Stripe has approved {account_id}, and the approval is lost: {reason} Disconnect
        that account in Stripe's Dashboard, or create the credential again."""
    account_id: str
    reason: str


class CodeSent(Problem, code="CodeSent"):
    """A request cannot be resumed: its code was sent, and Stripe's answer is unknown."""

    text = """The code for “{pending.name}” was sent to Stripe, and the answer is not here.
        Unless another m3cred still waits for it, Stripe may have connected an account to m3ter:
        look for it among the connected accounts in Stripe's Dashboard, then delete this entry:
        m3cred delete {pending.id}"""
    pending: Credential


class OtherAccount(Problem, code="OtherAccount"):
    """A credential was authorized again with another Stripe account; nothing was changed."""

    text = """This is another Stripe account than before: {_after} in place of {_before}.
        Everything that uses “{name}” would then act on {after.id}.{_instead}"""
    name: str
    before: StripeAccount
    after: StripeAccount
    go_on: str = ""
    _before = property(lambda self: _named(self.before))
    _after = property(lambda self: _named(self.after))

    @property
    def _instead(self) -> str:
        kept = " Nothing was changed, and the approval is kept; to replace the account: "
        return f"{kept}{self.go_on}" if self.go_on else ""

    @property
    def question(self) -> str:
        """What has to be agreed to."""
        return f"Replace {self._before} by {self._after}?"


def _named(account: StripeAccount) -> str:
    return f"{account.id} ({account.name})" if account.name else account.id


class RenewedGone(Problem, code="RenewedGone"):
    """The credential to be authorized again was deleted meanwhile; the approval is kept."""

    text = """“{pending.name}” was deleted while it was authorized again. The approval is kept,
        and can only become a new credential, with another ID.{_instead}"""
    pending: Credential
    go_on: str = ""
    _instead = property(lambda self: self.go_on and f" To create that: {self.go_on}")


class KeepsItsName(Problem, code="KeepsItsName"):
    text = """“{name}” keeps its name when it is authorized again; m3cred rename changes it."""
    name: str


class Refused(Problem, code="Refused"):
    """Access was refused on Stripe's page, or Stripe ended the authorization."""

    text = "{_happened} Begin a new authorization."
    error: str
    description: str

    @property
    def _happened(self) -> str:
        if self.error == "access_denied":
            return "Access was refused on Stripe's page."
        said = f": {self.description.rstrip('.')}" if self.description else ""
        return f"Stripe ended the authorization ({self.error}){said}."


class WrongMode(Problem, code="WrongMode"):
    """Stripe approved the account in the other mode than the destination's."""

    text = """Stripe approved {account_id} in {destination.other_mode} mode, but the destination
        {destination.label} is for {destination.mode} mode. Check the keys that are set for it,
        then begin a new authorization."""
    account_id: str
    destination: Destination
