"""The addresses and keys of a running demo Stripe, for the platform."""

import json
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlsplit

from m3cred_tui.model.secret import Secret


class ClientKeys(NamedTuple):
    """A platform's client id and secret key for one mode."""

    client_id: str
    secret_key: Secret


class Description(NamedTuple):
    """The demo Stripe's addresses, and m3ter's keys and redirect URIs."""

    connect_base: str
    api_base: str
    test: ClientKeys
    live: ClientKeys
    redirect_uris: tuple[str, ...]
    marketplace_base: str
    require_https: bool = False
    """Live mode redirects to HTTPS only, as at Stripe."""

    def keys(self, *, livemode: bool) -> ClientKeys:
        """Return the keys of a mode."""
        return self.live if livemode else self.test

    def to_json(self) -> str:
        """Return everything, including the secret keys, as one line of JSON."""
        facts = self._asdict()
        del facts["require_https"]
        for name, keys in (("test", self.test), ("live", self.live)):
            facts[name] = keys._asdict() | {"secret_key": keys.secret_key.reveal()}
        return json.dumps(facts)


def register(
    base: str, redirect_uris: Sequence[str], *, require_https: bool = False
) -> Description:
    """Create m3ter's keys for a demo Stripe that listens at ``base``.

    Unless ``require_https``, live mode also redirects to plain ``http``, unlike Stripe, so
    that both destinations can be tried with m3cred's loopback addresses.

    Raises :class:`ValueError` if a redirect URI is invalid, or none is given.
    """
    if not redirect_uris:
        raise ValueError("a platform registers at least one redirect URI")
    for uri in redirect_uris:
        check_redirect_uri(uri)
    test, live = _new_keys("test"), _new_keys("live")
    return Description(base, base, test, live, tuple(redirect_uris), base, require_https)


def check_redirect_uri(uri: str) -> None:
    """Raise :class:`ValueError` if ``uri`` cannot be registered as a redirect URI."""
    parts = urlsplit(uri)
    absolute = parts.scheme in {"http", "https"} and parts.hostname and not parts.fragment
    # The origin becomes part of a Content-Security-Policy.
    plain = uri.isascii() and not any(character in uri for character in " \t\r\n;,\"'")
    if not (absolute and plain):
        raise ValueError(f"not a redirect URI: {uri!r}")


def _new_keys(mode: str) -> ClientKeys:
    # The same at every start, because a browser may still show a page of the previous one.
    client_id = f"ca_{sha256(f'm3ter {mode}'.encode()).hexdigest()[:32]}"
    return ClientKeys(client_id, Secret(f"sk_{mode}_demo{secrets.token_hex(16)}"))
