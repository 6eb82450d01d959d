"""What can go wrong during an authorization, beside Stripe itself."""

from datetime import timedelta

from m3cred_tui.model.credential import Destination
from m3cred_tui.model.problem import Problem

_ACCESS_DENIED = "access_denied"


class ListenerUnreachable(Problem):
    """Our own listener does not answer us, so a browser would not reach it either."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"m3cred's own listener at {address} does not answer, so a browser may not be "
            "able to come back to it. m3cred keeps trying."
        )
        self.address = address


class ForeignRedirect(Problem):
    """Redirects came that were not this authorization's; ``count`` is how many so far."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"A redirect that does not belong to this authorization was turned away "
            f"({count} so far). If it was yours, open the URL shown now, not an older one."
        )
        self.count = count


class Expired(Problem):
    """Nobody came back from Stripe in time."""

    def __init__(self, time_limit: timedelta) -> None:
        minutes = round(time_limit.total_seconds() / 60)
        super().__init__(
            f"No answer came from Stripe within {minutes} minutes. Begin a new authorization."
        )
        self.time_limit = time_limit


class Refused(Problem):
    """Stripe redirected with an error; ``error`` and ``description`` have been cleaned."""

    def __init__(self, error: str, description: str) -> None:
        if error == _ACCESS_DENIED:
            happened = "Access was refused on Stripe's page."
        else:
            said = f": {description.rstrip('.')}" if description else ""
            happened = f"Stripe ended the authorization ({error}){said}."
        super().__init__(f"{happened} Begin a new authorization.")
        self.error = error
        self.description = description


class WrongMode(Problem):
    """The account was approved in the other mode than the destination's."""

    def __init__(self, account_id: str, destination: Destination) -> None:
        needed, given = ("live", "test") if destination.livemode else ("test", "live")
        super().__init__(
            f"Stripe approved {account_id} in {given} mode, but the destination "
            f"{destination.label} is for {needed} mode. Check the keys that are set for it, "
            "then begin a new authorization."
        )
        self.account_id = account_id
        self.destination = destination


class NameTaken(Problem):
    """Another credential has this name."""

    def __init__(self, name: str, go_on: str = "") -> None:
        instead = f" To take another one: {go_on}" if go_on else ""
        super().__init__(f"Another credential already has the name “{name}”.{instead}")
        self.name = name
