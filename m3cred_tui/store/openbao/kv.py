"""Records under one path of a KV version 2 mount, each change a check-and-set."""

from __future__ import annotations

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from m3cred_tui.model.text import clean
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.openbao.client import Client, NoAnswerError, fields_of
from m3cred_tui.store.openbao.problems import (
    MountMissing,
    MountUnfit,
    StoreContended,
    StoreNonsense,
    StoreNotAllowed,
    Unconfirmed,
)
from m3cred_tui.store.openbao.records import CHANGE, CHANGED_AS, DELETED, Record
from m3cred_tui.store.problems import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from m3cred_tui.store.fields import Json
    from m3cred_tui.store.openbao.client import Reply
    from m3cred_tui.store.openbao.connection import Place

    Page = dict[str, dict[str, object] | None]

_PAGE = 4000
"""Keys of a list that are asked for together."""
_MOST_PAGES = 250  # of a million credentials
_LOOKS, _CATCHES_UP = 8, 0.15
"""How often a record is read that is older than it was, and the seconds in between."""
_CONTENTION = 20.0
"""Seconds that a change is tried again after conflicts."""
_BAD_REQUEST, _NOT_FOUND, _FAILED = 400, 404, 500


class ConflictError(Exception):
    """The record has another version than the change was made from."""


class KeyValue:
    """Reads and changes records; the first request makes sure that the mount is fit for it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._lock = threading.Lock()
        self._is_fit = False
        self._name: str | None = None
        self._seen: dict[str, int] = {}
        """The version of each record that was read or written last."""

    @property
    def place(self) -> Place:
        """Where the records are."""
        return self.client.place

    def check_mount(self) -> None:
        """Raise ``StoreUnusable`` unless the mount exists and is of KV version 2."""
        with self._lock:
            if self._is_fit:
                return
            place = self.place
            try:
                reply = self.client.ask("GET", f"sys/internal/ui/mounts/{place.mount}")
            except StoreNotAllowed:
                raise MountMissing(str(place)) from None
            mount = fields_of(reply)
            if not reply.is_there or "type" not in mount:
                raise MountMissing(str(place))
            version = fields_of(reply, "options").get("version")
            if mount["type"] != "kv":
                raise MountUnfit(str(place), f"of type {mount['type']}")
            if version != "2":
                raise MountUnfit(str(place), f"KV version {version or 1}")
            self._is_fit = True

    def who(self) -> str:
        """Return the engine's name for the owner of the token."""
        if self._name is None:
            reply = self.client.ask("GET", "auth/token/lookup-self")
            self._name = clean(str(fields_of(reply).get("display_name") or ""))
        return self._name

    def read(self, key: str) -> Record:
        """Return a record; raises ``StoreUnusable``."""
        self.check_mount()
        for _ in range(_LOOKS):
            record = self._read(key)
            if not 0 < record.version < self._seen.get(key, 0):
                break
            time.sleep(_CATCHES_UP)  # just after a failover
        self._seen[key] = record.version
        return record

    def _read(self, key: str, query: str = "") -> Record:
        reply = self.client.ask("GET", self._path("data", key), query=query)
        found = fields_of(reply, "metadata").get("version")
        number = found if type(found) is int else 0
        if reply.status == _NOT_FOUND:
            return Record(number, None)
        if not reply.is_there or not number:
            raise self._nonsense(reply)
        fields = dict(fields_of(reply, "data"))
        is_deleted = fields.items() >= DELETED.items()
        return Record(number, None if is_deleted else fields, is_deleted=is_deleted)

    def write(self, key: str, fields: Json, version: int) -> int:
        """Put fields in the place of this version of a record, and return the new version.

        Raises :class:`ConflictError`, ``FlawError`` if the engine does not take them,
        ``StoreUnusable`` when nothing was changed, and ``OutcomeUnknown``.
        """
        self.check_mount()
        self._seen[key] = number = self._write(key, fields, version)
        return number

    def _write(self, key: str, fields: Json, version: int) -> int:
        change = os.urandom(8).hex()
        data = {**fields, CHANGED_AS: self.who(), CHANGE: change}
        body: Json = {"options": {"cas": version}, "data": data}
        try:
            reply = self.client.answer("POST", self._path("data", key), body)
        except NoAnswerError as none:
            if not none.was_sent:
                raise none.problem from None
            return self._found_out(key, version + 1, change, none.problem)
        if reply.is_there:
            if fields_of(reply).get("version") == version + 1:
                return version + 1
            told = StoreNonsense(str(self.place), "it takes a change and does not say so")
            return self._found_out(key, version + 1, change, told)
        if reply.status == _BAD_REQUEST and "check-and-set" in reply.errors:
            if reply.is_lost and self._is_in_place(key, version + 1, change):
                return version + 1  # an attempt that was not answered was carried out
            raise ConflictError
        if "too large" in reply.errors:
            raise FlawError("it is larger than the team's store takes")
        raise self._nonsense(reply)

    def _found_out(self, key: str, version: int, change: str, problem: StoreUnusable) -> int:
        """Return the version if the change is there; otherwise, it may still be carried out."""
        try:
            if self._is_in_place(key, version, change):
                return version
            found = "Read again, it is not there."
        except StoreUnusable:
            found = "It cannot be read again, either."
        reason = getattr(problem, "reason", "") or "no answer came"
        raise Unconfirmed(str(self.place), reason, found, change=change)

    def _is_in_place(self, key: str, version: int, change: str) -> bool:
        for look in range(_LOOKS):
            if look:
                time.sleep(_CATCHES_UP)
            fields = self._read(key, f"?version={version}").fields
            if fields is not None:
                return fields.get(CHANGE) == change
        return False

    def describe(self, key: str, shown: Mapping[str, str]) -> bool:
        """Replace the custom metadata of a record; return whether the engine took it."""
        body: Json = {"custom_metadata": dict(shown)}
        return self.client.ask("POST", self._path("metadata", key), body).is_there

    def described(self, key: str) -> Mapping[str, object]:
        """Return the metadata of a record; empty if it does not exist."""
        self.check_mount()
        return fields_of(self.client.ask("GET", self._path("metadata", key)))

    def remove(self, key: str, version: int) -> None:
        """Remove this version of a record, and with it all others.

        The engine's own delete has no check-and-set, so a change in between would be lost;
        after this mark, there is none. Raises what :meth:`write` does.
        """
        self.write(key, DELETED, version)
        with suppress(StoreUnusable):  # it is deleted; what is left is removed by the next look
            self.purge(key)

    def purge(self, key: str) -> None:
        """Remove what is left of a record that is marked as deleted."""
        self.client.ask("DELETE", self._path("metadata", key))
        self._seen.pop(key, None)

    def pages(self, key: str) -> Iterator[Page]:
        """Yield the metadata of the records under a key, or ``None`` where it is not listed."""
        self.check_mount()
        with ThreadPoolExecutor(1) as ahead:  # the engine works while a page is being used
            asked = ahead.submit(self._page, key, "")
            after, pages = "", 0
            while (page := asked.result()) is not None:
                is_last, pages = len(page) != _PAGE, pages + 1
                if not is_last:
                    before, after = after, next(reversed(page))
                    if after <= before or pages == _MOST_PAGES:
                        told = "its list of the credentials does not come to an end"
                        raise StoreNonsense(str(self.place), told)
                    asked = ahead.submit(self._page, key, after)
                yield page
                if is_last:
                    return
        path = f"{self._path('metadata', key)}/"
        yield _page_of(self.client.ask("GET", path, query="?list=true"))

    def _page(self, key: str, after: str) -> Page | None:
        """Return the detailed list after a key; ``None`` if there is no such list."""
        path = f"{self._path('detailed-metadata', key)}/"
        query = f"?list=true&limit={_PAGE}&after={quote(after)}"
        try:
            reply = self.client.ask("GET", path, query=query)
        except (MountMissing, StoreNotAllowed):
            return None
        return _page_of(reply) if reply.is_there or after else None

    def check_allowed(self, key: str, *verbs: str) -> None:
        """Raise ``StoreNotAllowed`` unless the token's policies allow this for a record."""
        path = self._path("data", key)
        allowed = self.allowed([path])[path]
        if "root" not in allowed and not allowed.issuperset(verbs):
            told = f"write {path.rpartition('/')[0]}/*"
            raise StoreNotAllowed(str(self.place), told)

    def allowed(self, paths: Sequence[str]) -> dict[str, set[str]]:
        """Return what the token's policies allow for each path, in the engine's words."""
        reply = self.client.ask("POST", "sys/capabilities-self", {"paths": list(paths)})
        told = fields_of(reply)
        return {
            one: {str(word) for word in words}
            if isinstance(words := told.get(one), list)
            else set()
            for one in paths
        }

    def attempts(self, what: str) -> Iterator[None]:
        """Yield for each attempt at a change that a conflict may end."""
        until = time.monotonic() + _CONTENTION
        pause = 0.02
        while time.monotonic() < until:
            yield
            time.sleep(pause * random.uniform(1, 2))  # noqa: S311 - only keeps askers apart
            pause = min(pause * 2, 0.5)
        raise StoreContended(str(self.place), what)

    def _path(self, kind: str, key: str) -> str:
        return f"{self.place.mount}/{kind}/{self.place.path}/{key}"

    def _nonsense(self, reply: Reply) -> StoreNonsense:
        return StoreNonsense(str(self.place), f"it says “{reply.errors or reply.status}”")


def _page_of(reply: Reply) -> Page:
    keys, info = fields_of(reply).get("keys"), fields_of(reply, "key_info")
    return {
        one: told if isinstance(told := info.get(one), dict) else None
        for one in (keys if isinstance(keys, list) else [])
        if isinstance(one, str)
    }
