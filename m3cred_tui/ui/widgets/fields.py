"""Names and values, one below the other."""

from collections.abc import Sequence

from textual.content import Content

_GAP = 2


def fields(facts: Sequence[tuple[str, str | Content]]) -> Content:
    """Return one line for each (name, value), the values aligned; ``str`` is plain text."""
    width = max(len(name) for name, _ in facts) + _GAP
    return Content("\n").join(
        Content.assemble(
            (name.ljust(width), "$text-muted"),
            value if isinstance(value, Content) else Content.styled(value, "bold"),
        )
        for name, value in facts
    )


def mode_mark(*, livemode: bool) -> Content:
    """Return the word for Stripe's mode, so that live is not taken for test."""
    return (
        Content.styled(" LIVE ", "bold reverse") if livemode else Content.styled("TEST", "bold")
    )
