"""What to do while Stripe is waited for, in the words of the app and of the command line."""

from datetime import timedelta
from typing import NamedTuple, Self

from m3cred_tui.authorize.events import UrlReady
from m3cred_tui.browser.ways import Whereabouts
from m3cred_tui.model.authorization import CODE_LIFETIME

MINUTES = CODE_LIFETIME // timedelta(minutes=1)
"""How long an address can be pasted after the approval."""

TUNNEL_CLOSED, TUNNEL_WORKS = "tunnel not open yet", "✓ tunnel works"

_NO_PAGE = "even if no page is shown."


class Steps(NamedTuple):
    """Three headings, and how to paste."""

    open: str
    approve: str
    come_back: str
    paste: str
    tunnel_first: bool
    """Whether the first step needs the tunnel, as the demo's does from elsewhere."""

    @classmethod
    def of(cls, ready: UrlReady, whereabouts: Whereabouts, *, elsewhere: bool) -> Self:
        """Return the steps for a browser here, or ``elsewhere`` on another computer."""
        tunnel_first = elsewhere and whereabouts.stripe_is_here and bool(whereabouts.tunnel)
        if tunnel_first:
            where = "through a tunnel: Stripe is on this server"
        elif elsewhere:
            reason = f" ({whereabouts.reason})" if whereabouts.reason else ""
            where = f"in your own browser{reason}"
        else:
            where = "in a browser on this computer"
        back, paste = _ways_back(ready, elsewhere=elsewhere, tunnelled=tunnel_first)
        return cls(
            f"1 Open this URL {where}",
            "2 Approve access for m3ter there",
            f"3 Come back: {back}",
            paste,
            tunnel_first,
        )


def _ways_back(ready: UrlReady, *, elsewhere: bool, tunnelled: bool) -> tuple[str, str]:
    """Return how the browser comes back, in a few words, and how to paste instead."""
    own_page = ready.redirect_uri.startswith("https:")
    if ready.short_url is None:
        of_page = " of your page" if own_page else ""
        return "paste", f"Paste the address{of_page} that it ends on, {_NO_PAGE}"
    if own_page:
        follow = "Follow the link on m3cred's relay page"
        return (
            "by the link on your page, or paste",
            f"{follow}. Or paste the address of your page that it ends on.",
        )
    if tunnelled:
        paste = "If not by itself, paste the address."
    elif elsewhere:
        paste = f"Or paste the address that it ends on, {_NO_PAGE}"
    else:
        paste = "If it does not come back by itself, paste the address that it ends on."
    return "by itself, or paste", paste
