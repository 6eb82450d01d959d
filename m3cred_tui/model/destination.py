"""Where a credential sends to."""

from typing import NamedTuple


class Destination(NamedTuple):
    """An external system; ``code`` is m3ter's, ``label`` is what the user reads."""

    code: str
    label: str
    livemode: bool


STRIPE = Destination(code="STRIPE", label="Stripe", livemode=True)
STRIPE_TEST = Destination(code="STRIPE_TEST", label="Stripe (Test Mode)", livemode=False)

DESTINATIONS = (STRIPE, STRIPE_TEST)
"""Every destination that can be selected; a new one is one line here."""
