"""HTML in which only what is written here is markup."""

from html import escape


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def html(template: str, **values: str) -> Html:
    """Fill ``{name}`` in the template; a value that is not :class:`Html` is escaped."""
    return Html(
        template.format_map(
            {
                name: value if isinstance(value, Html) else escape(value)
                for name, value in values.items()
            }
        )
    )


def join(parts: list[Html]) -> Html:
    """Return the parts, one after the other, as markup."""
    return Html("\n".join(parts))
