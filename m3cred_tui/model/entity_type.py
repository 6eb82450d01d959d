"""What a credential is for sending."""

from typing import NamedTuple


class EntityType(NamedTuple):
    """A kind of m3ter entity; ``code`` is m3ter's, ``label`` is what the user reads."""

    code: str
    label: str


BILL = EntityType(code="Bill", label="Bill")

ENTITY_TYPES = (BILL,)
"""Every entity type that can be selected; a new one is one line here."""
