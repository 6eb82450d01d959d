"""Why a paste is not used, or not yet."""

from m3cred_tui.model.problem import Problem

LONGEST_PASTE = 16_384
"""Characters; percent-encoded twice, the longest redirect has fewer."""

WHOLE = "Copy the whole address that the browser ends on."
UNPROVEN = "A code without its state is not used, as anybody may have made it."


class PasteIncomplete(Problem):
    """More may come: a long address arrives in pieces where it was wrapped."""


class PasteNotUsed(Problem):
    """What was pasted is known to be something else than one redirect."""
