"""What the list shows of the last check of each credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from m3cred_tui.model.check import CheckResult

_OK, _PENDING = "ok", "pending"
"""Their values; the outcomes themselves are imported only where there are any."""


class Checks:
    """The results, by the ID of the credential."""

    def __init__(self) -> None:
        self._results: dict[str, CheckResult] = {}
        self.stamp: object = None
        """That of the file which these are from."""

    def take(self, results: Mapping[str, CheckResult]) -> None:
        """Take results, the later of two for one credential; what was pending has none."""
        for credential_id, result in results.items():
            if result.outcome == _PENDING:
                continue
            before = self._results.get(credential_id)
            if before is None or before.at <= result.at:
                self._results[credential_id] = result

    def result(self, credential_id: str) -> CheckResult | None:
        """Return what the last check said, if there was one."""
        return self._results.get(credential_id)

    def label(self, credential_id: str, width: int) -> str | None:
        """Return what the last check said, with as much of its time as fits into ``width``."""
        result = self._results.get(credential_id)
        if result is None:
            return None
        at = result.at.astimezone()
        text = f"{'✓' if result.outcome == _OK else '!'} {result.label}"
        fuller = (f"{text} {at:%d %b %H:%M}", f"{text} {at:%d %b}")
        return next((one for one in fuller if len(one) <= width), text)

    def is_bad(self, credential_id: str) -> bool:
        """Tell whether the last check found that the credential cannot be used."""
        result = self._results.get(credential_id)
        return result is not None and result.outcome != _OK
