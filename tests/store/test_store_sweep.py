"""Killed or failed at any system call, a change is there or not, and what was told is true."""

from __future__ import annotations

import os
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
def test_a_fault_at_any_system_call_leaves_the_old_or_the_new_state_as_told(
    operation: str,
    forking: Forks,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    sweep = Sweep(forking, operation, tmp_path)
    counts = Counter(outcomes(sweep))
    assert counts["SIGKILL", "old"] > 0
    for error in ERRORS:
        assert counts[error, "old"] > 0
        assert counts[error, "new"] > 0, "a descriptor that does not close undoes nothing"
    record_property(SWEPT, [operation, len(sweep.points), cells(counts)])
