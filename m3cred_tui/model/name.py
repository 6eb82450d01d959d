"""The rules for a credential's name."""

import unicodedata
from collections.abc import Callable

from m3cred_tui.model.text import clean, is_mark, is_steady, is_visible

LONGEST_NAME = 64
"""Characters that fit into a row of the list and a line of the details."""

_AMPLE = 1024
_BIDIRECTIONAL = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_BIDIRECTIONAL_MARKS = frozenset("\u200e\u200f\u061c")


def tidy_name(text: str) -> str:
    """Return the name as it is stored: composed (NFC), one space between words, none around."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def name_key(name: str) -> str:
    """Return a key that is equal for two names that a person would call the same.

    Letter case, spacing, composed or decomposed accents and compatibility forms (full-width
    letters, ligatures) make no difference.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def name_problem(text: str, is_taken: Callable[[str], bool] | None = None) -> str | None:
    """Return why ``text`` cannot be a credential's name, in one sentence, or ``None``.

    ``is_taken`` returns whether a name with this :func:`name_key` is in use.
    """
    if len(text) > _AMPLE:  # composing a megabyte at each key press would be noticeable
        return f"The name has more than {_AMPLE:,} characters; {LONGEST_NAME} is the most."
    name = tidy_name(text)
    if not name:
        return "Enter a name for the credential."
    if len(name) > LONGEST_NAME:
        return f"The name is {len(name)} characters long; {LONGEST_NAME} is the most."
    problems = filter(None, map(_character_problem, text))
    if problem := next(problems, None) or _marks_problem(name):
        return problem
    if is_taken and is_taken(name_key(name)):
        return "Another credential already has this name."
    return None


def _character_problem(character: str) -> str | None:
    code = f"U+{ord(character):04X}"
    directional = unicodedata.bidirectional(character) in _BIDIRECTIONAL
    if directional or character in _BIDIRECTIONAL_MARKS:
        return f"The name has a character that changes the direction of text ({code})."
    if unicodedata.category(character) == "Cc":
        return f"The name has a control character ({code})."
    if not is_visible(character):
        return f"The name has a character that cannot be seen ({code})."
    if not is_steady(character):
        return f"The name has a character that is not drawn alike everywhere ({code})."
    return None


def _marks_problem(name: str) -> str | None:
    if is_mark(name[0]):
        return "The name begins with an accent that has no letter."
    if clean(name) != name:
        return "The name has more accents on one letter than can be shown."
    return None
