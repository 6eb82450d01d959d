"""What Stripe's secret keys look like (https://docs.stripe.com/keys)."""

import re

from m3cred_tui.model.credential import Destination
from m3cred_tui.model.secret import Secret

PREFIX = re.compile(r"(?:sk|rk)_(?:live|test)_")
_LIKE_A_KEY = re.compile(r"((?:sk|rk|whsec|rt|ac)_|AGE-SECRET-KEY-)\w+", re.IGNORECASE)


def prefixes_of(destination: Destination) -> tuple[str, str]:
    """Return what the secret keys of a destination begin with."""
    mode = "live" if destination.livemode else "test"
    return f"sk_{mode}_", f"rk_{mode}_"


def prefix_of(key: Secret) -> str:
    """Return the part of a key that is no secret, to tell keys apart by: ``sk_test_…``."""
    found = PREFIX.match(key.reveal())
    return f"{found[0]}…" if found else "…"


def masked(text: str) -> str:
    """Return ``text`` without what looks like a key."""
    return _LIKE_A_KEY.sub(r"\1***", text)
