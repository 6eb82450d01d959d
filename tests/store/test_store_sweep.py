"""After a kill or fault at any system call, a change is made or not, as reported.

M3CRED_SWEEP=all also tries those that leave what another has left.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.store.sweep import ERRORS, Sweep, outcomes
from tests.store.swept_operations import OPERATIONS
from tests.store.swept_process import Forks, forks
from tests.store.swept_table import SWEPT, cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.store.swept_table import Outcome

pytestmark = [
    pytest.mark.skipif(
        not shutil.which("strace") and os.environ.get("CI") != "true",
        reason="strace is not installed",
    ),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def forking() -> Iterator[Forks]:
    with forks() as started:
        yield started


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.long
def test_a_fault_at_any_system_call_leaves_the_old_or_the_new_state_as_reported(
    operation: str,
    forking: Forks,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    sweep = Sweep(forking, operation, tmp_path)
    counts = Counter(outcomes(sweep))
    assert counts["SIGKILL", "old"] > 0
    failed = Counter(outcome for error in ERRORS for outcome in _outcomes(counts, error))
    assert failed["old"] > 0
    assert failed["new"] > 0, "a descriptor that does not close undoes nothing"
    if "prepare" not in operation:
        assert failed["unknown"] > 0, "the disk did not confirm it"
    record_property(SWEPT, [operation, len(sweep.points), cells(counts)])


def _outcomes(counts: Counter[tuple[str, Outcome]], error: str) -> Iterator[Outcome]:
    return (outcome for (fault, outcome), count in counts.items() if fault == error and count)


_wrote = re.compile(r"write\(\d+<(/[^>]+)>").match
_named = re.compile(r"(?:linkat|renameat2?)\(\d+<([^>]+)>, \"([^\"]*)\", ").match
_removed = re.compile(r"unlinkat\(\d+<([^>]+)>, \"([^\"]*)\", 0\) = 0").match
_synced = re.compile(r"fsync\(\d+<([^>]+)>\) += 0").match


# These later remove a pending credential that is already created, or has renewed another.
_CREATING = "create", "prepare", "renew"


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.quick(2)
def test_a_change_is_on_the_disk_before_it_is_reported_as_done(
    operation: str, forking: Forks, tmp_path: Path
) -> None:
    """A kill cannot show what a power cut would lose, but the order of the calls can."""
    on_its_way: dict[str, str] = {}
    for line in Sweep(forking, operation, tmp_path).traced():
        if found := _wrote(line):
            on_its_way[found[1]] = line
        elif found := _named(line):
            folder, temporary = found.groups()
            assert f"{folder}/{temporary}" not in on_its_way, "its bytes come before its name"
            on_its_way[folder] = line
        elif found := _removed(line):
            folder, name = found.groups()
            half_created = folder.endswith("/pending") and operation.startswith(_CREATING)
            assert not half_created or "/data/credentials" not in on_its_way, "created first"
            if not half_created and not name.endswith(".tmp"):
                on_its_way[folder] = line
        elif found := _synced(line):
            on_its_way.pop(found[1], None)
    assert on_its_way == {}
