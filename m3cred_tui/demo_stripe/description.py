"""What a platform has to know of a running demo Stripe."""

import json
from typing import NamedTuple

from m3cred_tui.model.secret import Secret


class ClientKeys(NamedTuple):
    """A platform's client id and secret key for one mode."""

    client_id: str
    secret_key: Secret


class Description(NamedTuple):
    """Where the demo Stripe listens, and the keys and redirect URIs m3ter has there."""

    connect_base: str
    api_base: str
    test: ClientKeys
    live: ClientKeys
    redirect_uris: tuple[str, ...]

    def to_json(self) -> str:
        """Return all of it, the secret keys too, as one line of JSON."""
        return json.dumps(
            {
                "connect_base": self.connect_base,
                "api_base": self.api_base,
                "test": _revealed(self.test),
                "live": _revealed(self.live),
                "redirect_uris": list(self.redirect_uris),
            }
        )


def _revealed(keys: ClientKeys) -> dict[str, str]:
    return {"client_id": keys.client_id, "secret_key": keys.secret_key.reveal()}
