"""An approval that is in memory only: the store is tried again until it takes it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from m3cred_tui.authorize.problems import ApprovalLost, ApprovalNotKept
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.problems import AlreadyThere

if TYPE_CHECKING:
    from collections.abc import Callable

    from m3cred_tui.authorize.events import Approved

PATIENCE = 60.0
"""Seconds that a script waits for a store that takes no approval."""

_PAUSE = 0.5  # seconds
_all: list[Keeping] = []


class Keeping(threading.Thread):
    """Tries to keep an approval, until it is kept or created, or somebody gives it up.

    Where there can be no more threads, it is never started, and only the end of the process
    tries.
    """

    def __init__(
        self,
        approved: Approved,
        problem: Problem,
        keep: Callable[[], None],
        seal: Callable[[], bytes],
    ) -> None:
        """Take how to keep the approval and how to seal it; both raise ``Problem``."""
        super().__init__(name="m3cred-keeping", daemon=True)
        self.approved = approved
        self.problem = problem
        """Why it could not be kept the last time."""
        self.until = time.monotonic() + PATIENCE
        """When a script gives it up, by the monotonic clock."""
        self._keep = keep
        self._seal = seal
        self.is_kept = False
        self._is_over = threading.Event()
        _all.append(self)

    def run(self) -> None:
        """Try again and again."""
        while not (self.is_kept or self._is_over.wait(_PAUSE)):
            self.attempt()

    def attempt(self) -> None:
        """Try once."""
        try:
            self._keep()
            self.is_kept = True
        except AlreadyThere:
            self.is_kept = True  # the user has created it
        except Problem as problem:
            self.problem = problem

    @property
    def is_in_memory_only(self) -> bool:
        """Whether it would be lost now."""
        return not (self.is_kept or self._is_over.is_set())

    def stop(self) -> None:
        """Stop trying, as the credential is created."""
        self._is_over.set()
        if self.is_alive():
            self.join()

    def give_up(self) -> ApprovalNotKept | ApprovalLost | None:
        """Stop trying, and return what became of it; ``None`` if it is kept after all."""
        self.stop()
        if self.is_kept:
            return None
        account_id = self.approved.account.id
        try:
            sealed = self._seal()
        except Problem as problem:
            return ApprovalLost(account_id, str(problem))
        return ApprovalNotKept(account_id, str(self.problem), sealed)


def in_memory_only() -> list[Keeping]:
    """Return the approvals that would be lost now."""
    return [one for one in _all if one.is_in_memory_only]
