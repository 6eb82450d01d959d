"""The settings of a destination in words: labels, states, and what to enter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.config.setup import NOT_SET, Entry, Origin, Setup, value_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from m3cred_tui.model.credential import Destination

LABELS = {
    "client_id": "Client id",
    "secret_key": "Secret key",
    "redirect_uri": "Redirect URI",
    "ports": "Ports",
    "oauth": "OAuth model",
    "channel": "Channel",
    "connect_base": "Connect at",
    "marketplace_base": "Marketplace at",
    "api_base": "API at",
}
OAUTH_MODELS = [("Connect", "connect"), ("Stripe Apps", "apps")]

_HINTS = {
    "client_id": "ca_…, from the Connect or Stripe Apps settings of Stripe's dashboard. Live "
    "mode and test mode each have one of their own.",
    "secret_key_source": "Where m3cred gets the secret key from, each time it is needed.",
    "secret_key": "Paste it here: it is sealed when you save, and never shown. Try it checks "
    "it before.",
    "secret_key_command": "Run by /bin/sh, prints the key alone within 30 seconds. It has no "
    "terminal to ask on, so unlock before what it needs.",
    "secret_key_file": "Holds the key alone. It must be yours, with no access for others "
    "(0600), as ssh's keys.",
    "ports": "1 to 10 ports from 1024 up; the first that is free is listened on.",
    "oauth": "How accounts give access: by Connect, or by an app of Stripe Apps.",
    "channel": "chnlink_…, from the install link of an app that is not published yet; "
    "otherwise empty.",
}
_REDIRECT_LIVE = (
    "In live mode Stripe takes https:// only: a page on a web server of yours, which m3cred "
    "relay-page writes. Register the same address at Stripe."
)
_REDIRECT_TEST = (
    "Empty: one for each port, http://127.0.0.1:PORT/callback. Register the same at Stripe, "
    "character by character."
)


def hint(name: str, destination: Destination) -> str:
    """Return what is to be entered in a line, or nothing."""
    if name == "redirect_uri":
        return _REDIRECT_LIVE if destination.livemode else _REDIRECT_TEST
    return _HINTS.get(name, "")


def state(setup: Setup) -> str:
    """Return how a destination stands."""
    if setup.problem:
        return "not usable"
    return "not set up" if setup.missing else "set up"


def facts(setup: Setup) -> list[tuple[str, str]]:
    """Return each value of interest, and where it is from."""
    return [(LABELS[name], text) for name, text in _values(setup)]


def named(name: str) -> str:
    """Return what a setting is called in a sentence."""
    label = LABELS["secret_key" if name.startswith("secret_key") else name]
    return label if label[:2].isupper() else label[0].lower() + label[1:]


def _values(setup: Setup) -> Iterator[tuple[str, str]]:
    for name, entry in setup.entries():
        is_seldom = name.endswith("_base") or name == "channel"
        if not is_seldom or entry.origin is not Origin.DEFAULT:
            text = value_text(setup, name)
            where = "" if text == NOT_SET else f"  ({_where(entry)})"
            yield name, f"{text}{where}"


def _where(entry: Entry[object]) -> str:
    return entry.place if entry.origin is Origin.ENVIRONMENT else str(entry.origin)
