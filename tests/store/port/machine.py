"""What two processes do to a store, in any order, next to a dict that it must equal."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from m3cred_tui.store.port import Damaged
from tests.store.commanded import Command, perform, seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.store.port.engines import Engine

IDS = tuple(f"0196d5c8-0000-7000-8000-00000000000{digit}" for digit in "01234")
ids = st.sampled_from(IDS)
names = st.sampled_from(["Acme", "Bravo", "Grüße", "x" * 64])
tokens = st.sampled_from(["one", "two", "x" * 64])
by_other = st.booleans()

Row = list[str]
DAMAGED: Row = ["damaged"]


def after(created: Row | None, pending: Row | None, command: Command) -> tuple[str, Row | None]:
    """Return the expected reply to a command, and the row after it."""
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


class StoreMachine(RuleBasedStateMachine):
    """The stores of two processes, and the dict that both must equal."""

    make: Callable[[Path], Engine]

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="m3cred-model-"))
        self.root = self.place / "root"
        self.root.mkdir(mode=0o700)
        self.engine = type(self).make(self.root)
        self.store, self.theirs = self.engine.open(), self.engine.open()
        self.created: dict[str, Row] = {}
        self.pending: dict[str, Row] = {}
        self.stamp = self.store.stamp()
        self.written: set[str] = set()

    def teardown(self) -> None:
        shutil.rmtree(self.place)

    @rule(
        do=st.sampled_from(["create", "keep", "update", "delete"]),
        one=ids,
        name=names,
        secret=tokens,
        elsewhere=by_other,
    )
    def change(self, do: str, one: str, name: str, secret: str, *, elsewhere: bool) -> None:
        command = Command(do, one, name, secret)
        expected, row = after(self.created.get(one), self.pending.get(one), command)
        assert self.perform(command, elsewhere=elsewhere) == expected
        self.now(one, row)

    @rule(elsewhere=by_other)
    def prepare(self, *, elsewhere: bool) -> None:
        assert self.perform(Command("prepare"), elsewhere=elsewhere) == "done"

    @rule(one=ids)
    def damage(self, one: str) -> None:
        for rows in (self.created, self.pending):
            if one in rows:
                self.engine.damage(one)
                rows[one] = DAMAGED

    @rule()
    def look_from_elsewhere(self) -> None:
        listed = self.perform(Command("list"), elsewhere=True)
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

    def perform(self, command: Command, *, elsewhere: bool) -> object:
        return perform(self.theirs if elsewhere else self.store, command)

    def now(self, one: str, row: Row | None) -> None:
        """Record the current state."""
        if row == (self.created.get(one) or self.pending.get(one)):
            return
        self.written.add(one)
        self.created.pop(one, None)
        self.pending.pop(one, None)
        if row:
            (self.pending if row[1] == "pending" else self.created)[one] = row

    def _listed(self) -> list[str]:
        return sorted(self.pending, reverse=True) + sorted(self.created, reverse=True)


def run(machine: type[StoreMachine], percent: int) -> None:
    """Try orders of operations on a store, with a part of the profile's examples."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=settings().max_examples * percent // 100,
            stateful_step_count=40,
            phases=[Phase.reuse, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
