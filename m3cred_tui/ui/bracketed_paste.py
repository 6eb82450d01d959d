"""A paste that holds escape characters: they end no paste early and press no keys."""

_BEGIN, _END = "\x1b[200~", "\x1b[201~"
_ESCAPE, _HARMLESS = "\x1b", "\N{REPLACEMENT CHARACTER}"


class BracketedPaste:
    """Passes on what a terminal sends, with no escape between the two marks of a paste."""

    def __init__(self) -> None:
        self._is_inside = False
        self._before = ""  # of what was passed on, as much as may be a part of a mark
        self._held = ""

    def passed_on(self, text: str) -> str:
        """Return as much as is known of what was sent; all of it outside of a paste."""
        parts: list[str] = []
        while text:
            part, text = self._inside(text) if self._is_inside else self._outside(text)
            parts.append(part)
        return "".join(parts)

    def _outside(self, text: str) -> tuple[str, str]:
        # Nothing is held back here: an escape alone is a key.
        seen = self._before + text
        _, mark, after = seen.partition(_BEGIN)
        self._is_inside = bool(mark)
        self._before = "" if mark else seen[1 - len(_BEGIN) :]
        return (text.removesuffix(after), after) if mark else (text, "")

    def _inside(self, text: str) -> tuple[str, str]:
        pasted, mark, after = (self._held + text).partition(_END)
        self._held = ""
        self._is_inside = not mark
        if not mark:
            pasted, self._held = _without_beginning(pasted, _END)
        return pasted.replace(_ESCAPE, _HARMLESS) + mark, after


def _without_beginning(text: str, mark: str) -> tuple[str, str]:
    """Return the text, and apart from it as much of ``mark`` as it may end in."""
    for length in range(min(len(mark) - 1, len(text)), 0, -1):
        if text.endswith(mark[:length]):
            return text[:-length], text[-length:]
    return text, ""
