"""Checking the addresses that are entered: where Stripe redirects to, and where Stripe is."""

from urllib.parse import SplitResult, parse_qsl, urlsplit

from m3cred_tui.config.entered import LONGEST, tidy
from m3cred_tui.config.problems import (
    NotABase,
    NotARedirectUri,
    NothingEntered,
    RedirectNeedsHttps,
)
from m3cred_tui.model.credential import Destination

# What Stripe adds; a second one of the same name would make the answer void.
_OF_THE_ANSWER = frozenset({"code", "state", "scope", "error", "error_description"})

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_EXAMPLE = "http://127.0.0.1:27182"


def redirect_uri(text: str, destination: Destination) -> str:
    """Return an address that Stripe redirects to in the destination's mode.

    As OAuth has it (RFC 6749, section 3.1.2), and Stripe: HTTPS in live mode, loopback or
    HTTPS in test mode. Raises ``NothingEntered``, ``RedirectNeedsHttps``, ``NotARedirectUri``.
    """
    entered = tidy(text)
    if not entered:
        raise NothingEntered("redirect URI")
    if destination.livemode and entered.lower().startswith("http:"):
        raise RedirectNeedsHttps
    parts = _taken_apart(entered, NotARedirectUri)
    taken = _OF_THE_ANSWER.intersection(name for name, _ in parse_qsl(parts.query))
    if taken:
        raise NotARedirectUri(f"has a parameter that Stripe itself adds ({min(taken)})")
    return entered


def base(text: str, _destination: Destination) -> str:
    """Return the address of a Stripe: ``https://``, or ``http://`` on this computer.

    Raises ``NothingEntered`` and ``NotABase``.
    """
    entered = tidy(text).rstrip("/")
    if not entered:
        raise NothingEntered("address")
    parts = _taken_apart(entered, NotABase)
    if parts.path or parts.query:
        raise NotABase("ends with the host and port; this one has a path or a query")
    return entered


def _taken_apart(entered: str, problem: type[NotABase | NotARedirectUri]) -> SplitResult:
    """Return the parts of a plain web address; raises this problem for any other."""
    if len(entered) > LONGEST:
        raise problem(f"has {len(entered):,} characters; {LONGEST:,} is the most")
    # Before it is split, which silently drops line ends and tabs.
    if not (entered.isascii() and entered.isprintable()) or " " in entered:
        raise problem("has a character that must be percent-encoded, or be written as punycode")
    try:
        parts = urlsplit(entered)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise problem("has a host or a port that cannot be read") from None
    flaws = {
        "begins with neither https:// nor http://": parts.scheme not in {"http", "https"},
        "names no host": not host,
        "has port 0": port == 0,
        "has a user name in it": "@" in parts.netloc,
        "has a fragment (#)": "#" in entered,
        f"with http:// must be on this computer, as {_EXAMPLE}": (
            parts.scheme == "http" and host not in _LOOPBACK
        ),
    }
    for flaw, applies in flaws.items():
        if applies:
            raise problem(flaw)
    return parts
