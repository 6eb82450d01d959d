"""Checking the listed credentials at Stripe."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING

from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.screen import Screen
    from textual.worker import Worker

    from m3cred_tui.listing.listing import Listing
    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.ui.services import Services


class CheckRun:
    """Asks Stripe about credentials until all are checked, or until it is stopped."""

    def __init__(
        self,
        page: Screen[None],
        services: Services,
        listing: Listing,
        *,
        on_progress: Callable[[int, int], None],
        on_end: Callable[[], None],
    ) -> None:
        """``on_progress`` is called with how many of how many credentials are checked."""
        self._page = page
        self._services = services
        self._listing = listing
        self._on_progress = on_progress
        self._on_end = on_end
        self._worker: Worker[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether Stripe is being asked."""
        return self._worker is not None and not self._worker.is_finished

    def start(self, credential_ids: Sequence[str]) -> None:
        """Check these credentials, and no longer others."""
        run = self._run(credential_ids)
        self._worker = self._page.run_worker(run, group="check", exclusive=True)

    def stop(self) -> None:
        """Check no more; the results so far are kept."""
        if self._worker is not None:
            self._worker.cancel()
            self._on_end()

    async def _run(self, credential_ids: Sequence[str]) -> None:
        store, notify = self._services.store, self._page.notify
        results: dict[str, CheckResult] = {}
        self._on_progress(0, len(credential_ids))
        try:
            pending = {*await asyncio.to_thread(store.pending_ids)}
            credential_ids = [one for one in credential_ids if one not in pending]
            if not credential_ids:
                text = "There are no credentials to check: what is listed is pending."
                notify(text, markup=False)
            checks = self._services.upkeep().check(credential_ids)
            async with aclosing(checks):
                async for credential_id, result in checks:
                    results[credential_id] = result
                    self._listing.checks.take({credential_id: result})
                    self._on_progress(len(results), len(credential_ids))
        except Problem as problem:
            notify(str(problem), severity="error", markup=False)
        self._on_end()
        if results:
            notify(_summary(results), markup=False)


def _summary(results: dict[str, CheckResult]) -> str:
    if len(results) == 1:
        [result] = results.values()
        return result.told or "Stripe knows the account, and the key may use it."
    counted = Counter(result.label for result in results.values())
    return f"Checked {len(results):,}: " + ", ".join(
        f"{count:,} {label}" for label, count in counted.most_common()
    )
