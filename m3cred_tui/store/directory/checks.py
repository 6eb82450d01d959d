"""Stored next to the credentials: the last checks, and unfinished disconnections."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.check import LONGEST_TOLD, CheckResult, Outcome
from m3cred_tui.model.credential import is_credential_id
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store import files
from m3cred_tui.store.directory.folder import RecordFolder, Stamp, ids_in
from m3cred_tui.store.directory.record import with_checksum
from m3cred_tui.store.fields import Json, iso, json_object, known, line, text, time
from m3cred_tui.store.files import FlawError, private_folder, read_private
from m3cred_tui.store.lock import locked
from m3cred_tui.store.problems import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

_NAME = "checks.json"
_SCHEMA = 1
_LARGEST = 64 * 1024 * 1024
"""Bytes; 100,000 results take a third of that."""
_OUTCOMES = {one.value: one for one in Outcome}


class DirectoryChecks(NamedTuple):
    """One file holds all results."""

    data: Path
    store_ids: Callable[[], Iterable[str]]
    """Returns the IDs of the store's credentials."""

    def read(self) -> Mapping[str, CheckResult]:
        with suppress(StoreUnusable):
            return self.whole()
        return {}

    def whole(self) -> Mapping[str, CheckResult]:
        path = self.data / _NAME
        try:
            with private_folder(self.data) as folder:
                fields = json_object(read_private(folder, _NAME, path, most=_LARGEST))
        except (FileNotFoundError, FlawError):
            return {}
        return _results(fields)

    def keep(self, results: Mapping[str, CheckResult]) -> None:
        with locked(self.data):
            kept = dict(self.read())
            for credential_id, result in results.items():
                before = kept.get(credential_id)
                if before is None or before.at <= result.at:
                    kept[credential_id] = result
            there = set(self.store_ids())
            data = _bytes({one: result for one, result in kept.items() if one in there})
            with private_folder(self.data) as folder:
                with suppress(files.UnconfirmedError):  # older results are back after a crash
                    files.replace(folder, _NAME, data)
                files.sweep(folder)

    def stamp(self) -> Stamp:
        with suppress(OSError):
            status = (self.data / _NAME).lstat()
            return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
        return ()


def _bytes(results: Mapping[str, CheckResult]) -> bytes:
    checks = {
        one: {
            "outcome": result.outcome.value,
            "at": iso(result.at),
            "told": clean(result.told, most=LONGEST_TOLD),
            "by": result.by,
        }
        for one, result in results.items()
    }
    return json.dumps({"schema": _SCHEMA, "checks": checks}, indent=0).encode("ascii")


def _results(fields: Json) -> dict[str, CheckResult]:
    checks = fields.get("checks")
    if fields.get("schema") != _SCHEMA or not isinstance(checks, dict):
        return {}
    results = {}
    for credential_id, entry in checks.items():
        if is_credential_id(credential_id) and isinstance(entry, dict):
            with suppress(FlawError):
                outcome, at = known(_OUTCOMES, entry, "outcome"), time(entry, "at")
                told = clean(text(entry, "told"), most=LONGEST_TOLD)
                by = line(entry, "by") if "by" in entry else ""
                results[credential_id] = CheckResult(outcome, at.astimezone(UTC), told, by)
    return results


_MARK = with_checksum({"schema": 1})  # its name says the rest


class DirectoryDisconnections(NamedTuple):
    """``disconnecting/`` has a file for each disconnection that was begun."""

    data: Path
    begun: RecordFolder
    store_ids: Callable[[], Iterable[str]]

    def ids(self) -> list[str]:
        begun = ids_in(self.begun.names())
        return sorted(set(begun).intersection(self.store_ids())) if begun else []

    def begin(self, credential_id: str) -> bool:
        with locked(self.data):
            for gone in set(ids_in(self.begun.names())).difference(self.store_ids()):
                self.begun.remove_leftover(gone)
            was_begun = self.begun.has(credential_id)
            if not was_begun:
                self.begun.create(credential_id, _MARK)
        return was_begun

    def end(self, credential_id: str) -> None:
        with suppress(Problem), locked(self.data):
            self.begun.remove(credential_id)
