"""Credential IDs: UUIDs whose text sorts by the time they were made."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM_BYTES = 10


def credential_id(created_at: datetime, randomness: bytes) -> str:
    """Return a UUID version 7 (RFC 9562, section 5.7) for this time.

    ``randomness`` is 10 bytes from a secure source; its surplus bits are dropped.
    """
    if len(randomness) != _RANDOM_BYTES:
        raise ValueError(f"a UUID version 7 takes {_RANDOM_BYTES} random bytes")
    milliseconds = (created_at - _EPOCH) // timedelta(milliseconds=1)
    value = int.from_bytes(milliseconds.to_bytes(6) + randomness)
    value = value & ~(0xF << 76) | (0x7 << 76)  # version
    value = value & ~(0x3 << 62) | (0x2 << 62)  # variant
    return str(UUID(int=value))


def is_credential_id(text: str) -> bool:
    """Tell whether ``text`` is a UUID in its one canonical spelling."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
