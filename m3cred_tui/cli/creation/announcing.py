"""What is said of an authorization request: the URL, and every way back from it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from m3cred_tui.cli.creation.incoming import is_typed
from m3cred_tui.cli.creation.objects import begin_json
from m3cred_tui.model.authorization import CODE_LIFETIME

if TYPE_CHECKING:
    from m3cred_tui.authorize.events import UrlReady
    from m3cred_tui.browser.surroundings import Surroundings
    from m3cred_tui.browser.ways import Ways
    from m3cred_tui.cli.creation.console import Console
    from m3cred_tui.model.credential import Credential

_MINUTES = CODE_LIFETIME // timedelta(minutes=1)


class Begun(NamedTuple):
    """A request that is on the disk, and where we are with it."""

    pending: Credential
    ready: UrlReady
    here: Surroundings
    ways: Ways

    @property
    def tunnel(self) -> str | None:
        """The command that lets a browser elsewhere reach us, where we listen."""
        port = urlsplit(self.ready.short_url or "").port
        return self.ways.tunnel(port, self.here).command if port else None


def announce(one: Begun, console: Console) -> None:
    """Show the URL of a request that is listened for, and say how to come back from it."""
    if console.json:
        console.put(begin_json(one.pending, one.ready, one.tunnel))
    else:
        console.say(_where(one.here))
        console.put(one.ready.url)
    console.say(_how_to_paste(one))
    if (tunnel := one.tunnel) and one.here.browser_is_elsewhere:
        console.say(
            "Or run this on your computer, and open the short address there:\n"
            f"  {tunnel}\n  {one.ready.short_url}"
        )
    console.say(f"“{one.pending.name}” waits for your approval until {_until(one)}.")


def announce_for_later(one: Begun, console: Console) -> None:
    """Show the URL of a request that nobody listens for."""
    go_on = console.command("create", "--complete", one.pending.id)
    if console.json:
        console.put(begin_json(one.pending, one.ready, None))
    else:
        console.say(_where(one.here))
        console.put(one.ready.url)
    console.say(
        f"“{one.pending.name}” waits for your approval until {_until(one)}. When you have "
        f"approved, give the address that the browser ends on to: {go_on}"
    )


def _where(here: Surroundings) -> str:
    if here.browser_is_elsewhere:
        reason = next(iter(here.reasons), "")
        why = f" ({reason})" if reason else ""
        return f"Open this URL in your own browser{why}, and approve access for m3ter there:"
    return "Open this URL in a browser on this computer, and approve access for m3ter there:"


def _how_to_paste(one: Begun) -> str:
    own_page = one.ready.redirect_uri.startswith("https:")
    address = "the address of your page" if own_page else "the address"
    if is_typed():
        paste = f"paste here {address} that it ends on (it is not shown), and press Enter"
    else:
        paste = f"write to standard input, as a line, {address} that it ends on"
    by_itself = (
        "If the browser comes back to this computer, m3cred goes on by itself. Otherwise "
    )
    if own_page:
        by_itself = "If you follow the link on your page, m3cred goes on by itself. Otherwise "
    first = by_itself if one.ready.short_url else "After that, "
    return f"{first}{paste}. It is good for {_MINUTES} minutes; give it to nobody else."


def _until(one: Begun) -> str:
    return f"{one.ready.expires_at.astimezone():%H:%M}"
