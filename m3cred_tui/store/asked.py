"""What Stripe is asked for when tokens are replaced, as it lies on disk before it is asked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.store.fields import boolean, json_object, text, time
from m3cred_tui.store.private import FlawError
from m3cred_tui.store.record import with_checksum

if TYPE_CHECKING:
    from m3cred_tui.model.credential import TokenResponse
    from m3cred_tui.model.secret import Secret

LARGEST_ASKED = 4096

_SCHEMA = 1
_STUBBORN = timedelta(minutes=10)
"""How long the same key is used after Stripe has failed. Stripe may give the same failure to it
for a day; but the failure may also be of a proxy, and the answer be there, so that the key is
not given up for good."""

_key_parts = re.compile(r"(m3cred-[0-9a-f]{64})-([0-9]{1,6})", re.ASCII).fullmatch


class Asked(NamedTuple):
    """One question: whoever asks it again within a day gets the same answer."""

    key: str
    """The idempotency key."""
    at: datetime
    """When it was asked first: the answer is not younger than that."""
    has_failed: bool = False
    """Whether Stripe has failed to answer it, by a 5xx status."""
    since: datetime | None = None
    """When another key was used first for the same tokens, if one was."""

    @property
    def begun_at(self) -> datetime:
        """When these tokens were to be replaced first, under whichever key."""
        return self.since or self.at

    @property
    def earlier(self) -> Asked | None:
        """The question under the key before this one; it is put down as old as it can be."""
        stem, _, number = self.key.rpartition("-")
        return Asked(f"{stem}-{int(number) - 1}", self.begun_at) if int(number) else None

    def is_for(self, tokens: TokenResponse) -> bool:
        """Tell whether it asks for what replaces these tokens."""
        return self.key.startswith(f"{_key_of(tokens)}-")


def question(tokens: TokenResponse, before: Asked | None, now: datetime) -> Asked:
    """Return what to ask for these tokens, where ``before`` was asked for them before."""
    if before is None:
        return Asked(f"{_key_of(tokens)}-0", now)
    if before.has_failed and not before.at <= now < before.at + _STUBBORN:
        stem, _, number = before.key.rpartition("-")
        return Asked(f"{stem}-{int(number) + 1}", now, since=before.begun_at)
    return before


def asked_bytes(asked: Asked) -> bytes:
    """Return the content of its file."""
    fields = {
        "schema": _SCHEMA,
        "idempotencyKey": asked.key,
        "askedAt": asked.at.astimezone(UTC).isoformat(),
        "hasFailed": asked.has_failed,
        **({"since": asked.since.astimezone(UTC).isoformat()} if asked.since else {}),
    }
    return with_checksum(fields)


def asked_from(data: bytes) -> Asked:
    """Read the content of its file; raises :class:`FlawError`."""
    fields = json_object(data)
    key = text(fields, "idempotencyKey")
    if fields.get("schema") != _SCHEMA or not _key_parts(key):
        raise FlawError("it is not a question of m3cred's to Stripe")
    since = time(fields, "since") if "since" in fields else None
    return Asked(key, time(fields, "askedAt"), boolean(fields, "hasFailed"), since)


def _key_of(tokens: TokenResponse) -> str:
    """Return the same key for the same tokens, so that it cannot be lost while they are there.

    Both are in it: should Stripe leave a refresh token as it is, another refresh is yet another
    question. Nobody can find the tokens by it.
    """
    both = f"{_revealed(tokens.refresh_token)}\n{_revealed(tokens.access_token)}"
    return f"m3cred-{sha256(both.encode()).hexdigest()}"


def _revealed(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""
