"""What every full page has in common."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.screen import Screen

Result = TypeVar("Result")


class Page(Screen[Result], Generic[Result]):
    """A screen of the app; it can say what would be lost by leaving it."""

    AUTO_FOCUS = ""

    @property
    def would_lose(self) -> str | None:
        """One sentence saying what is lost when the user leaves now; ``None`` is nothing."""
        return None
