"""Names and values, one below the other."""

from collections.abc import Sequence

from textual.content import Content

_GAP = 2


def fields(facts: Sequence[tuple[str, str]]) -> Content:
    """Return one line for each (name, value), the values aligned; all of it plain text."""
    width = max(len(name) for name, _ in facts) + _GAP
    return Content("\n").join(
        Content.assemble((name.ljust(width), "$text-muted"), (value, "bold"))
        for name, value in facts
    )
