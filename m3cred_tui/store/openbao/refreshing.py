"""Replacing the tokens of a credential on one machine at a time.

Who does it, until when and with which request is part of the record itself, so that a claim
holds for exactly the tokens next to it. A claim that has run out is taken over, with the same
idempotency key.
"""

from __future__ import annotations

import logging
import os
import random
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from m3cred_tui.model.problem import Problem
from m3cred_tui.store.fields import Json, boolean, iso, secret_fields, text
from m3cred_tui.store.fields import time as time_in
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.openbao.kv import ConflictError
from m3cred_tui.store.openbao.problems import StoreContended
from m3cred_tui.store.openbao.records import REFRESH, Record, created
from m3cred_tui.store.port import AskedRefresh, asked_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from m3cred_tui.model.credential import Credential, Event, TokenResponse
    from m3cred_tui.store.openbao.shelf import Shelf

CLAIM = 45.0
"""Seconds for which a claim holds; one call to Stripe takes up to 15."""
_PATIENCE = 60.0
_LOOK_AGAIN = 0.15  # seconds; as soon as this, a standby has seen a change

_log = logging.getLogger(__name__)


class TeamRefreshes:
    """Claims a credential for a refresh by check-and-set in its record."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @contextmanager
    def begun(self, credential_id: str) -> Iterator[TeamRefresh]:
        refresh = TeamRefresh(self._shelf, credential_id)
        refresh.claim()
        try:
            yield refresh
        finally:
            refresh.release()


class TeamRefresh:
    """A refresh of one credential, while the claim in its record is ours."""

    def __init__(self, shelf: Shelf, credential_id: str) -> None:
        self._shelf = shelf
        self._id = credential_id
        self._claim = os.urandom(8).hex()
        self._record = Record(0, None)
        self.credential: Credential
        self.tokens: TokenResponse

    def claim(self) -> None:
        """Wait until nobody else has claimed it, then do; raises ``StoreContended``."""
        until = time.monotonic() + _PATIENCE
        while True:
            self._read()
            if not self._is_claimed_elsewhere():
                with suppress(ConflictError):
                    self._write(self.tokens, self.unanswered, is_claimed=True)
                    return
            if time.monotonic() > until:
                raise StoreContended(str(self._shelf.kv.place), f"the tokens of {self._id}")
            time.sleep(_LOOK_AGAIN * random.uniform(1, 2))  # noqa: S311 - keeps askers apart

    @property
    def unanswered(self) -> AskedRefresh | None:
        with suppress(FlawError):
            asked = _asked_from(self._part())
            return asked if asked and asked.is_for(self.tokens) else None
        return None

    def ask(self, now: datetime) -> AskedRefresh:
        """Write down the request, before Stripe gets it."""
        asked = asked_for(self.tokens, self.unanswered, now)
        for _ in self._attempts():
            with suppress(ConflictError):
                self._write(self.tokens, asked, is_claimed=True)
                return asked
            before = secret_fields(self.tokens)
            self._read()
            if self._is_claimed_elsewhere() or secret_fields(self.tokens) != before:
                # Ours has run out, as this machine was asleep.
                raise StoreContended(str(self._shelf.kv.place), f"the tokens of {self._id}")
        raise AssertionError  # attempts end with a problem

    def failed(self, asked: AskedRefresh) -> None:
        with suppress(Problem, ConflictError):
            self._write(self.tokens, asked._replace(has_failed=True), is_claimed=True)

    def keep(self, tokens: TokenResponse, event: Event | None = None) -> None:
        """Put Stripe's answer in place of the tokens that were sent to Stripe."""
        sent = secret_fields(self.tokens)
        for _ in self._attempts():
            if event is not None:
                self.credential = self.credential.remembering(event)
            with suppress(ConflictError):
                self._write(tokens, None, is_claimed=False)
                self.tokens = tokens
                _log.info("refreshed the tokens of %s", self._id)
                return
            self._read()
            if secret_fields(self.tokens) != sent:
                _log.warning("%s already has other tokens; they stay", self._id)
                return  # from another approval, or the same answer, written by another machine

    def forget(self) -> None:
        with suppress(Problem, ConflictError):
            self._write(self.tokens, None, is_claimed=False)

    def release(self) -> None:
        """Let others refresh it; a claim that stays runs out."""
        with suppress(Problem):
            for _ in self._attempts():
                if self._part().get("claim") != self._claim:
                    return
                with suppress(ConflictError):
                    self._write(self.tokens, self.unanswered, is_claimed=False)
                    return
                self._read()

    def _attempts(self) -> Iterator[None]:
        return self._shelf.kv.attempts(f"the credential {self._id}")

    def _read(self) -> None:
        record = self._shelf.record(self._id)
        self.credential, self.tokens = created(self._id, record)
        self._record = record

    def _write(
        self, tokens: TokenResponse, asked: AskedRefresh | None, *, is_claimed: bool
    ) -> None:
        part = {} if asked is None else _asked_fields(asked)
        if is_claimed:
            part |= {"claim": self._claim, "claimedUntil": self._shelf.kv.client.time() + CLAIM}
        more: Json = {REFRESH: part} if part else {}
        self._record = self._shelf.replace(
            self.credential, tokens, self._record, more, describe=not is_claimed
        )

    def _part(self) -> Json:
        part = (self._record.fields or {}).get(REFRESH)
        return part if isinstance(part, dict) else {}

    def _is_claimed_elsewhere(self) -> bool:
        part = self._part()
        until = part.get("claimedUntil")
        if part.get("claim") in (None, self._claim) or not isinstance(until, float | int):
            return False
        now = self._shelf.kv.client.time()
        return now < until < now + 2 * CLAIM  # none that a wrong clock made endless


def _asked_fields(asked: AskedRefresh) -> Json:
    return {
        "idempotencyKey": asked.key,
        "askedAt": iso(asked.at),
        "hasFailed": asked.has_failed,
        **({"since": iso(asked.since)} if asked.since else {}),
    }


def _asked_from(part: Json) -> AskedRefresh | None:
    if "idempotencyKey" not in part:
        return None
    key = text(part, "idempotencyKey")
    if not key.rpartition("-")[2].isdigit():
        raise FlawError("it is not a request of m3cred to Stripe")
    since = time_in(part, "since") if "since" in part else None
    return AskedRefresh(key, time_in(part, "askedAt"), boolean(part, "hasFailed"), since)
