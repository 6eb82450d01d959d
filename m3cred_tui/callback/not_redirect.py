"""What a paste is that is no redirect of this authorization request."""

import re
from urllib.parse import urlsplit

from m3cred_tui.callback.paste_problems import (
    UNPROVEN,
    WHOLE,
    PasteIncomplete,
    PasteNotUsed,
)
from m3cred_tui.callback.paste_text import Pasted
from m3cred_tui.model.authorization import CALLBACK_PATH
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean

_LONGEST_HOST = 60
_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}

_AUTHORITY = re.compile(r"https?://([^\s/?#\\\"'<>`)]*)([/?#]?[^\s?#]*)", re.IGNORECASE)
_BARE_HOST = re.compile(r"[\s\"'<(\[`]*((?:[\w-]+\.)+[\w-]+|localhost)(:\d+)?[/?]")
FIRST_NAME = re.compile(r"(?<![\w.%-])(?:code|state|scope|error|error_description)=")
_CODE_ALONE = re.compile(r"(?<!\w)ac_\w+")

_BEGINNING = "This is the beginning of the address: paste the rest, too."
_NO_ADDRESS = f"There is no address in it. {WHOLE}"
_BARE_CODE = f"This is a code alone. {UNPROVEN} {WHOLE}"
_STRIPES_PAGE = (
    "This is Stripe's own page. Approve there, select Return to m3ter, and copy the address of "
    "the page after it."
)
_OWN_PAGE = (
    "This is an address of m3cred itself, not the one that Stripe returned to. Open it in the "
    "browser, approve, and copy the address that the browser then ends on."
)


def without_answer(pasted: Pasted, redirect_uri: str, stripe: str, *, final: bool) -> Problem:
    """Say what this is, which has neither a code nor an error."""
    shown, dense = pasted
    if bare := _BARE_HOST.match(shown[:300]):
        start = bare.start(1)
        shown = f"http://{shown[start:]}"
        dense = f"http://{''.join(shown[7:].split())}"
    texts = [one for one in (shown, dense) if "://" in one]
    places = [found for found in map(_AUTHORITY.search, texts) if found]
    if any(_is_stripe(_authority(place), stripe) for place in places):
        return PasteNotUsed(_STRIPES_PAGE)
    for place in reversed(places):
        if _authority(place) == urlsplit(redirect_uri).netloc or _is_loopback(
            _authority(place)
        ):
            return _at_ours(place, redirect_uri, dense)
    if places and (final or places[-1][2]):
        return _elsewhere(_authority(places[0]))
    if not dense:
        return PasteIncomplete(f"Nothing is pasted yet. {WHOLE}")
    if redirect_uri.startswith((dense, f"http://{dense}")):
        return PasteIncomplete(_BEGINNING)
    return _without_host(pasted, final=final)


def _at_ours(place: re.Match[str], redirect_uri: str, dense: str) -> Problem:
    if "client_id=" in dense:
        return PasteNotUsed(_STRIPES_PAGE)
    host, path = _authority(place), place[2]
    if (
        not _is_loopback(host)
        or path.startswith(CALLBACK_PATH)
        or CALLBACK_PATH.startswith(path)
    ):
        return PasteIncomplete(_BEGINNING)
    if host.rpartition(":")[2] == str(urlsplit(redirect_uri).port):
        return PasteNotUsed(_OWN_PAGE)
    return _elsewhere(host)


def _without_host(pasted: Pasted, *, final: bool) -> Problem:
    if "client_id=" in pasted.dense:
        return PasteNotUsed(_STRIPES_PAGE)
    if FIRST_NAME.search(pasted.dense):
        return PasteIncomplete(_BEGINNING)
    if _CODE_ALONE.search(pasted.shown):
        return PasteNotUsed(_BARE_CODE)
    return PasteNotUsed(_NO_ADDRESS) if final else PasteIncomplete(_NO_ADDRESS)


def foreign_to(address: str, redirect_uri: str, stripe: str) -> Problem | None:
    """Say whose address this is, where it is not our redirect URI's."""
    place = _AUTHORITY.match(address)
    if place is None:
        return None
    host = _authority(place)
    if _is_stripe(host, stripe):
        return PasteNotUsed(_STRIPES_PAGE)
    own = urlsplit(redirect_uri)
    ours = (own.netloc, own.path) == (host, place[2])
    # An HTTPS page of the user's may have led on to our listener.
    ours = ours or (_is_loopback(host) and place[2] == CALLBACK_PATH)
    return None if ours else _elsewhere(host)


def _elsewhere(host: str) -> Problem:
    whose = clean(host, most=_LONGEST_HOST) or "another program"
    return PasteNotUsed(
        f"This is an address of {whose}, not the one that Stripe returned to. {WHOLE}"
    )


def _authority(place: re.Match[str]) -> str:
    """Return the host and port; what stands before an @ only looks like one."""
    return place[1].rpartition("@")[2].lower()


def _is_stripe(host: str, stripe: str) -> bool:
    name = host.partition(":")[0]
    at_loopback = host.replace("localhost", "127.0.0.1")
    return (
        urlsplit(stripe).netloc in (host, at_loopback)
        or name == "stripe.com"
        or name.endswith(".stripe.com")
    )


def _is_loopback(host: str) -> bool:
    return re.sub(r":\d*$", "", host) in _LOOPBACK
