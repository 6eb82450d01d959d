"""Whatever two processes do, and wherever one dies, the store equals a dict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.store.commanded import DIED, Command, Other, other_process, perform, seen
from tests.store.port.engines import DirectoryEngine
from tests.store.port.machine import DAMAGED, StoreMachine, after, ids, names, run

if TYPE_CHECKING:
    from collections.abc import Iterator

folders = st.sampled_from(["credentials", "pending"])
strange_names = st.sampled_from(["notes.txt", ".0123456789abcdef.tmp", "a.json", ".lock"])


class TwoProcesses(StoreMachine):
    """A directory, and another process that uses it and may die."""

    make = DirectoryEngine
    other: Other

    @rule(
        do=st.sampled_from(["create", "keep", "update", "delete", "prepare"]),
        one=ids,
        name=names,
        dies_at=st.integers(1, 40),
    )
    def change_and_die(self, do: str, one: str, name: str, dies_at: int) -> None:
        command = Command(do, one, name, "sk_died", dies_at)
        before = self.created.get(one) or self.pending.get(one)
        _, row = after(self.created.get(one), self.pending.get(one), command)
        told = self.other.told(self.root, command)
        found = {credential_id: found for credential_id, *found in seen(self.store)}.get(one)
        assert found in ((before, row) if told == DIED else (row,))
        self.now(one, found)

    @rule(elsewhere=st.booleans())
    def prepare_and_sweep(self, *, elsewhere: bool) -> None:
        self.perform(Command("prepare"), elsewhere=elsewhere)
        assert not list((self.root / "data").rglob("*.tmp"))
        assert all((self.root / "data" / one).is_dir() for one in ("credentials", "pending"))

    @rule(folder=folders, name=strange_names)
    def drop_a_foreign_file(self, folder: str, name: str) -> None:
        if (self.root / "data" / folder).is_dir():
            (self.root / "data" / folder / name).write_bytes(b"{}")

    @rule(one=ids, folder=folders, content=st.sampled_from([b"", b"{}", b'{"schema": 4}']))
    def damage_one_file(self, one: str, folder: str, content: bytes) -> None:
        rows = self.created if folder == "credentials" else self.pending
        if one in rows:
            file = self.root / "data" / folder / f"{one}.json"
            file.write_bytes(content)
            rows[one] = DAMAGED

    def perform(self, command: Command, *, elsewhere: bool) -> object:
        if elsewhere:
            return self.other.told(self.root, command)
        return perform(self.store, command)


@pytest.fixture(scope="module")
def other() -> Iterator[Other]:
    with other_process() as process:
        yield process


@pytest.mark.long
def test_two_processes_and_their_crashes_leave_what_a_dict_would_hold(other: Other) -> None:
    class Machine(TwoProcesses):
        pass

    Machine.other = other
    run(Machine, percent=40)
