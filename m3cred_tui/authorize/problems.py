"""What can go wrong during an authorization, besides Stripe itself."""

from datetime import timedelta

from m3cred_tui.callback.pages import TurnedAway
from m3cred_tui.model.credential import Destination
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


class NameTaken(Problem, code="NameTaken"):
    """Another credential has this name."""

    text = "Another credential already has the name “{name}”.{_instead}"
    name: str
    go_on: str = ""
    _instead = property(lambda self: self.go_on and f" To use another name: {self.go_on}")
