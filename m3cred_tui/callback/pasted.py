"""An address that was pasted: the redirect in it, however it was wrapped on its way."""

import re
from itertools import islice
from typing import NamedTuple

from m3cred_tui.callback.not_redirect import FIRST_NAME, foreign_to, without_answer
from m3cred_tui.callback.paste_problems import (
    LONGEST_PASTE,
    UNPROVEN,
    WHOLE,
    PasteIncomplete,
    PasteNotUsed,
)
from m3cred_tui.callback.paste_text import Pasted, read
from m3cred_tui.callback.redirect import (
    AuthorizationCode,
    Malformation,
    MalformedRedirect,
    MissingState,
    RedirectResult,
    WrongState,
    validate_redirect,
)
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret

_MOST_ADDRESSES = 64
_ENOUGH_PARAMETERS = 6  # of five names: one comes twice, which the validator tells
_COMPLETE = ({"scope", "code", "state"}, {"error", "error_description", "state"})

_NEXT_ADDRESS = re.compile(r"(?=https?://)", re.IGNORECASE)
_PARAMETER = re.compile(r"(?:^|&)(code|state|scope|error|error_description)=([^&]*)")
_VALUE = re.compile(r"(?:[A-Za-z0-9_~+-]|%[0-9A-Fa-f]{2})*")
_STATE = re.compile(r"[A-Za-z0-9_-]*")
# Stripe's codes have 32 letters and digits after ac_. One that is much shorter was cut off, and
# one with anything else in it, such as the hyphen of a broken line, was damaged on its way.
_CODE = re.compile(r"ac_[A-Za-z0-9_]{24,}")
_EQUALS = r"\s*(?:=|%(?:25)*3[dD])\s*"
_SEPARATED = r"(?:\s*&|#)"
# A single full stop: several stand for what was left out.
_PUNCTUATION = r"(?:[,;:!?]|\.(?!\.))"
_CLOSED = (
    rf"{_PUNCTUATION}*[\"'`<>)\]}}«»\u2018-\u201f\u2039\u203a]"  # what no address has in it
    rf"|{_PUNCTUATION}+\s|{_PUNCTUATION}*\s*(?:$|https?://)"
)

_NO_STATE = f"There is no state in it yet: paste the rest, too. {UNPROVEN}"
_STATE_CUT = "The state at its end is cut off: paste the rest, too."
_OPEN_END = "The address may go on: paste the rest, too. If this is all of it, type # after it."
_UNCLEAR_END = (
    "Where this address ends cannot be told, so its code may be damaged, and it was not used. "
    "Copy the address alone and in one piece."
)


class _Address(NamedTuple):
    text: str
    parameters: list[tuple[str, str]]
    """Those of a redirect, still encoded; nothing of what follows the state."""

    def names(self) -> set[str]:
        return {name for name, _ in self.parameters}


def pasted_redirect(
    text: str, expected_state: Secret, *, redirect_uri: str, stripe: str, final: bool
) -> RedirectResult:
    """Return the redirect in a pasted text; ``stripe`` is where Stripe's own pages are.

    ``final`` tells that nothing follows: the text came as one paste event. Nothing shows
    whether a code at the very end is whole, so without ``final`` one is taken only when
    something stands after it. Enter alone is no such sign: where paste is not bracketed,
    every line of a wrapped address ends with one.

    Raises :class:`PasteIncomplete` for what may still become a redirect (also with ``final``:
    its next line may be pasted next), :class:`PasteNotUsed` for what is known to be something
    else, and what :func:`validate_redirect` does.
    """
    if len(text) > LONGEST_PASTE:
        raise PasteNotUsed(f"This is too long for an address. {WHOLE}")
    pasted = read(text)
    answer = _only_answer(pasted, len(expected_state.reveal()))
    if answer is None:
        raise without_answer(pasted, redirect_uri, stripe, final=final)
    foreign = foreign_to(answer.text, redirect_uri, stripe)
    if short := _without_whole_state(answer, len(expected_state.reveal())):
        raise foreign or short
    try:
        return _validated(answer, pasted.shown, expected_state, final=final)
    except (MalformedRedirect, MissingState, WrongState) as problem:
        raise foreign or problem from None


def _validated(
    answer: _Address, shown: str, expected_state: Secret, *, final: bool
) -> RedirectResult:
    ended = _has_ended(answer, shown, final=final)
    unclear = PasteNotUsed(_UNCLEAR_END) if final else PasteIncomplete(_OPEN_END)
    query = "&".join(f"{name}={value}" for name, value in answer.parameters)
    try:
        result = validate_redirect(query, expected_state)
    except MalformedRedirect as problem:
        raise (problem if ended else unclear) from None
    if not ended:
        raise unclear
    if isinstance(result, AuthorizationCode) and not _CODE.fullmatch(result.code.reveal()):
        raise MalformedRedirect(Malformation.DAMAGED_CODE)
    return result


def _only_answer(pasted: Pasted, state_length: int) -> _Address | None:
    """Return the one address that has a code or an error; the same one may come twice."""
    shown, dense = pasted
    texts = list(dict.fromkeys(_NEXT_ADDRESS.split(dense) if "://" in dense else [dense]))
    if len(texts) > _MOST_ADDRESSES:
        raise PasteNotUsed(f"There are too many addresses in it. {WHOLE}")
    addresses = [_Address(text, _parameters(text, shown, state_length)) for text in texts]
    answers = [one for one in addresses if one.names() & {"code", "error"}]
    # Where there is a state, an error= or code= without one is of the text around it.
    answers = [one for one in answers if "state" in one.names()] or answers
    if len({tuple(one.parameters) for one in answers}) > 1:
        raise PasteNotUsed(f"There are two different addresses in it. {WHOLE}")
    return answers[0] if answers else None


def _parameters(address: str, shown: str, state_length: int) -> list[tuple[str, str]]:
    first = FIRST_NAME.search(address)
    if first is None:
        return []
    parameters = []
    query, fragment, _ = address[first.start() :].partition("#")
    for found in islice(_PARAMETER.finditer(query), _ENOUGH_PARAMETERS):
        name, value = found.groups()
        if name == "state":
            kept = _own_state(value, shown, state_length)
        else:
            at_the_end = found.end() == len(query) and not fragment
            kept = _beginning(_VALUE, value) if at_the_end else value
        parameters.append((name, kept))
        if kept != value:
            break  # what comes after it is text, not the address
    return parameters


def _own_state(value: str, shown: str, length: int) -> str:
    """Return the state without the text that followed it, as far as they can be told apart."""
    state = _beginning(_STATE, value)
    glued = re.escape(state[:length]) + "_*[A-Za-z0-9-]"
    return state if re.search(glued, shown) else state[:length]


def _beginning(of: re.Pattern[str], text: str) -> str:
    found = of.match(text)
    return found[0] if found else ""


def _without_whole_state(answer: _Address, state_length: int) -> Problem | None:
    if "state" not in answer.names():
        return MissingState() if "#" in answer.text else PasteIncomplete(_NO_STATE)
    name, value = answer.parameters[-1]
    cut = name == "state" and len(value) < state_length
    if cut and answer.text.endswith(f"state={value}"):
        return PasteIncomplete(_STATE_CUT)
    return None


def _has_ended(answer: _Address, shown: str, *, final: bool) -> bool:
    """Tell whether nothing that belongs to the address can follow, or stands broken in it."""
    name, value = answer.parameters[-1]
    complete = any(names <= answer.names() for names in _COMPLETE)
    if not (final or complete or "#" in answer.text) or not value:
        return False
    if name == "state":
        return True
    # A dash or an underscore at its end may be of the text around it.
    ends = f"{_SEPARATED}|{_CLOSED}" if final and value[-1].isalnum() else _SEPARATED
    # Not found with white space in it: is that a line break, or the text that follows?
    wrapped_name = r"\s*".join(name) + _EQUALS
    return bool(re.search(f"{wrapped_name}{re.escape(value)}(?:{ends})", shown))
