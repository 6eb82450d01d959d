"""Kept next to the credentials: the last checks, and unfinished disconnections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING

from m3cred_tui.model.check import LONGEST_TOLD, CheckResult, Outcome
from m3cred_tui.model.credential import is_credential_id
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store.fields import iso, known, line, text, time
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.openbao.kv import ConflictError
from m3cred_tui.store.problems import CannotBeKept, StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Mapping, Sequence

    from m3cred_tui.store.fields import Json
    from m3cred_tui.store.openbao.kv import KeyValue
    from m3cred_tui.store.openbao.records import Record
    from m3cred_tui.store.port import Stamp

_SCHEMA = 1
_SHARDS = 16
"""The last digit of an ID tells which record has its result: one for all may be too large."""
_OUTCOMES = {one.value: one for one in Outcome}


class TeamChecks:
    """Sixteen records hold the results, which are no secrets."""

    def __init__(
        self, kv: KeyValue, there: Callable[[], Collection[str]], tick: Callable[[], float]
    ) -> None:
        """Take what returns the IDs of the store's credentials."""
        self._kv = kv
        self._there = there
        self._tick = tick
        self._written = 0

    def read(self) -> Mapping[str, CheckResult]:
        with suppress(StoreUnusable):
            return self.whole()
        return {}

    def whole(self) -> Mapping[str, CheckResult]:
        there = self._there()
        shards = {one[-1] for one in [*there]}  # another thread may add to it
        with ThreadPoolExecutor(_SHARDS) as several:
            records = list(several.map(self._kv.read, map(_key, shards)))
        results = {one: result for record in records for one, result in _results(record)}
        return {one: result for one, result in results.items() if one in there}

    def keep(self, results: Mapping[str, CheckResult]) -> None:
        there = self._there()
        for shard in sorted({one[-1] for one in results}):
            added = {one: result for one, result in results.items() if one[-1] == shard}
            self._keep(shard, added, there)
        self._written += 1

    def _keep(
        self, shard: str, added: Mapping[str, CheckResult], there: Container[str]
    ) -> None:
        for _ in self._kv.attempts("the results of checks"):
            record = self._kv.read(_key(shard))
            kept = dict(_results(record))
            for one, result in added.items():
                before = kept.get(one)
                if before is None or before.at <= result.at:
                    kept[one] = result
            checks = {one: _fields(result) for one, result in kept.items() if one in there}
            try:
                fields: Json = {"schema": _SCHEMA, "checks": checks}
                self._kv.write(_key(shard), fields, record.version)
            except ConflictError:
                continue
            except FlawError as flaw:
                raise CannotBeKept("results of checks", flaw.reason) from None
            return

    def stamp(self) -> Stamp:
        return self._tick(), self._written


def _key(shard: str) -> str:
    return f"checks/{shard}"


def _fields(result: CheckResult) -> Json:
    told = clean(result.told, most=LONGEST_TOLD)
    return {
        "outcome": result.outcome.value,
        "at": iso(result.at),
        "told": told,
        "by": result.by,
    }


def _results(record: Record) -> list[tuple[str, CheckResult]]:
    fields = record.fields or {}
    checks = fields.get("checks")
    if fields.get("schema") != _SCHEMA or not isinstance(checks, dict):
        return []
    results = []
    for one, entry in checks.items():
        if is_credential_id(one) and isinstance(entry, dict):
            with suppress(FlawError):
                outcome, at = known(_OUTCOMES, entry, "outcome"), time(entry, "at")
                told = clean(text(entry, "told"), most=LONGEST_TOLD)
                by = line(entry, "by") if "by" in entry else ""
                results.append((one, CheckResult(outcome, at.astimezone(UTC), told, by)))
    return results


_BEGUN = "disconnecting"


class TeamDisconnections:
    """One record names the disconnections that were begun: there are few at a time."""

    def __init__(self, kv: KeyValue, store_ids: Callable[[], Sequence[str]]) -> None:
        self._kv = kv
        self._store_ids = store_ids

    def ids(self) -> list[str]:
        begun = _begun(self._kv.read(_BEGUN))
        return sorted(begun.intersection(self._store_ids())) if begun else []

    def begin(self, credential_id: str) -> bool:
        for _ in self._kv.attempts("the disconnections"):
            record = self._kv.read(_BEGUN)
            begun = _begun(record)
            if credential_id in begun:
                return True
            there = set(self._store_ids())
            with suppress(ConflictError):
                self._write((begun & there) | {credential_id}, record)
                return False
        return False

    def end(self, credential_id: str) -> None:
        with suppress(Problem):
            for _ in self._kv.attempts("the disconnections"):
                record = self._kv.read(_BEGUN)
                begun = _begun(record)
                if credential_id not in begun:
                    return
                with suppress(ConflictError):
                    self._write(begun - {credential_id}, record)
                    return

    def _write(self, begun: set[str], record: Record) -> None:
        self._kv.write(_BEGUN, {"schema": _SCHEMA, "begun": sorted(begun)}, record.version)


def _begun(record: Record) -> set[str]:
    begun = (record.fields or {}).get("begun")
    if not isinstance(begun, list):
        return set()
    return {one for one in begun if isinstance(one, str) and is_credential_id(one)}
