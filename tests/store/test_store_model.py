"""Whatever two processes do to a store, in whatever order, it is what a dict would be."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from m3cred_tui.store.directory.record import Damaged
from tests.store.commanded import DIED, Command, Other, other_process, perform, seen
from tests.store.swept_operations import store_in

if TYPE_CHECKING:
    from collections.abc import Iterator

IDS = tuple(f"0196d5c8-0000-7000-8000-00000000000{digit}" for digit in "01234")
ids = st.sampled_from(IDS)
texts = st.sampled_from(["Acme", "Bravo", "Grüße", "x" * 64])
folders = st.sampled_from(["credentials", "pending"])
strange_names = st.sampled_from(["notes.txt", ".0123456789abcdef.tmp", "a.json", ".lock"])
by_other = st.booleans()

Row = list[str]
DAMAGED: Row = ["damaged"]


def after(created: Row | None, pending: Row | None, command: Command) -> tuple[str, Row | None]:
    """Return what a command has to tell, and the row that is there afterwards."""
    row, told = created or pending, "done"
    match command.do:
        case "create" | "keep" if created:
            told = "AlreadyThere"
        case "update" if not created:
            told = "NotThere"
        case "update" if created == DAMAGED:
            told = "CredentialDamaged"
        case "create" | "update":
            row = [command.name, "authenticated", command.secret]
        case "keep":
            row = [command.name, "pending", command.secret]
        case "delete":
            row = None
    return told, row


class TwoProcesses(RuleBasedStateMachine):
    """The store, another process that works on it, and the dict that it has to be."""

    other: Other

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="m3cred-model-"))
        self.root = self.place / "root"
        self.root.mkdir(mode=0o700)
        self.store = store_in(self.root)
        self.created: dict[str, Row] = {}
        self.pending: dict[str, Row] = {}
        self.stale: set[Path] = set()
        self.stamp = self.store.stamp()
        self.written: set[str] = set()

    def teardown(self) -> None:
        shutil.rmtree(self.place)

    @rule(
        do=st.sampled_from(["create", "keep", "update", "delete"]),
        one=ids,
        name=texts,
        secret=texts,
        elsewhere=by_other,
    )
    def change(self, do: str, one: str, name: str, secret: str, *, elsewhere: bool) -> None:
        command = Command(do, one, name, secret)
        expected, row = after(self.created.get(one), self.pending.get(one), command)
        assert self._perform(command, elsewhere=elsewhere) == expected
        self._now(one, row)

    @rule(
        do=st.sampled_from(["create", "keep", "update", "delete", "prepare"]),
        one=ids,
        name=texts,
        dies_at=st.integers(1, 40),
    )
    def change_and_die(self, do: str, one: str, name: str, dies_at: int) -> None:
        command = Command(do, one, name, "sk_died", dies_at)
        before = self.created.get(one) or self.pending.get(one)
        _, row = after(self.created.get(one), self.pending.get(one), command)
        told = self.other.told(self.root, command)
        found = {credential_id: found for credential_id, *found in seen(self.store)}.get(one)
        assert found in ((before, row) if told == DIED else (row,))
        self._now(one, found)

    @rule(elsewhere=by_other)
    def prepare(self, *, elsewhere: bool) -> None:
        assert self._perform(Command("prepare"), elsewhere=elsewhere) == "done"
        assert not list((self.root / "data").rglob("*.tmp"))
        assert all((self.root / "data" / one).is_dir() for one in ("credentials", "pending"))

    @rule(folder=folders, name=strange_names)
    def drop_a_foreign_file(self, folder: str, name: str) -> None:
        if (self.root / "data" / folder).is_dir():
            (self.root / "data" / folder / name).write_bytes(b"{}")

    @rule(one=ids, folder=folders, content=st.sampled_from([b"", b"{}", b'{"schema": 3}']))
    def damage(self, one: str, folder: str, content: bytes) -> None:
        rows = self.created if folder == "credentials" else self.pending
        if one in rows:
            file = self.root / "data" / folder / f"{one}.json"
            file.write_bytes(content)
            rows[one] = DAMAGED

    @rule()
    def look_from_elsewhere(self) -> None:
        listed = self.other.told(self.root, Command("list"))
        assert listed == (seen(self.store) or "done")

    @rule()
    def look_what_has_changed(self) -> None:
        there = {*self.created, *self.pending}
        if self.written:
            assert self.store.stamp() != self.stamp
        assert self.written & there <= set(self.store.changed_since(self.stamp))
        self.stamp, self.written = self.store.stamp(), set()

    @rule(most=st.integers(0, 6))
    def look_at_the_newest(self, most: int) -> None:
        listed = self._listed()
        assert self.store.ids() == listed
        assert self.store.newest(most) == (listed[:most], len(listed))

    @invariant()
    def it_is_what_the_dict_is(self) -> None:
        rows = {**self.pending, **self.created}
        assert seen(self.store) == [[one, *rows[one]] for one in self._listed()]
        read = self.store.read_many(IDS)
        assert [row is None for row in read] == [one not in rows for one in IDS]
        assert [isinstance(row, Damaged) for row in read] == [
            rows.get(one) == DAMAGED for one in IDS
        ]

    def _listed(self) -> list[str]:
        return sorted(self.pending, reverse=True) + sorted(self.created, reverse=True)

    def _perform(self, command: Command, *, elsewhere: bool) -> object:
        if elsewhere:
            return self.other.told(self.root, command)
        return perform(self.store, command)

    def _now(self, one: str, row: Row | None) -> None:
        if row == (self.created.get(one) or self.pending.get(one)):
            return
        self.written.add(one)
        self.created.pop(one, None)
        self.pending.pop(one, None)
        if row:
            (self.pending if row[1] == "pending" else self.created)[one] = row


@pytest.fixture(scope="module")
def other() -> Iterator[Other]:
    with other_process() as process:
        yield process


def test_two_processes_and_their_crashes_leave_what_a_dict_would_hold(other: Other) -> None:
    class Machine(TwoProcesses):
        pass

    Machine.other = other
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=settings().max_examples * 2 // 5,
            stateful_step_count=40,
            phases=[Phase.reuse, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
