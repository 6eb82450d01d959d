"""Find the address in a pasted text, and read it as a redirect."""

import re
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from m3cred_tui.callback.redirect import (
    AuthorizationCode,
    Malformation,
    MalformedRedirect,
    MissingState,
    RedirectResult,
    WrongState,
    validate_redirect,
)
from m3cred_tui.model.authorization import CALLBACK_PATH
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean

LONGEST_PASTE = 16_384
"""Characters; the longest redirect has fewer, even percent-encoded twice."""

_WHOLE = "Copy the whole address that the browser ends on."
_UNPROVEN = "A code without its state is not used, as anybody may have made it."


class PasteIncomplete(Problem, code="PasteIncomplete"):
    """The pasted address is not complete; the rest of it may follow."""

    text = "{sentences}"
    sentences: str


class PasteNotUsed(Problem, code="PasteNotUsed"):
    """What was pasted is not the address of one redirect."""

    text = "{sentences}"
    sentences: str


_MAX_ENCODINGS = 3
_MAX_ESCAPES = 512  # in an address that is encoded as a whole; more would only take time

# Format characters and variation selectors. Control characters stay, because dropping an ESC
# or a backspace would turn a code into another one.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e01ef]+"
)
_HTML_AMPERSAND = re.compile(r"&(?:(?:amp|#38|#x26);)+", re.IGNORECASE)
# Not html.unescape, which would take the beginning of some parameters for an entity.
_HTML_WRAPPING = (
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", '"'),
    ("&#39;", "'"),
    ("&#x27;", "'"),
)
_JSON_ESCAPE = re.compile(r"\\(?:u00|x)(26|3[dDfF])")
# No shell escapes a letter or a digit: that is damage, or an escape such as \n.
_SHELL_ESCAPE = re.compile(r"\\(?=[^A-Za-z0-9]|$)")
_STATE_OR_ANSWER = re.compile(r"(?<![\w.%-])(?:code|state|error)=")


def _read(text: str) -> tuple[str, str]:
    """Return a pasted text in the two forms that are searched for an address.

    The first is without escapes and invisible characters, but with its white space. The second
    is also without white space, and percent-decoded if it was encoded as a whole.
    """
    shown = _unescaped(text)
    dense = _unescaped("".join(shown.split()))
    for _ in range(_MAX_ENCODINGS):
        if not 0 < dense.count("%") <= _MAX_ESCAPES or _STATE_OR_ANSWER.search(dense):
            break
        decoded = _unescaped(unquote(dense))
        dense = _unescaped("".join(decoded.split()))  # an escape may have been wrapped
    return shown, dense


def _unescaped(text: str) -> str:
    """Undo the escapes of HTML, shells and JSON."""
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    if "&" in text and ";" in text:
        text = _HTML_AMPERSAND.sub("&", text)
        for written, character in _HTML_WRAPPING:
            text = text.replace(written, character)
    if "\\" in text:
        text = _JSON_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
        text = _SHELL_ESCAPE.sub("", text)
    return text


_LONGEST_HOST = 60
_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}

_AUTHORITY = re.compile(r"https?://([^\s/?#\\\"'<>`)]*)([/?#]?[^\s?#]*)", re.IGNORECASE)
_BARE_HOST = re.compile(r"[\s\"'<(\[`]*((?:[\w-]+\.)+[\w-]+|localhost)(:\d+)?[/?]")
_FIRST_NAME = re.compile(r"(?<![\w.%-])(?:code|state|scope|error|error_description)=")
_CODE_ALONE = re.compile(r"(?<!\w)ac_\w+")

_BEGINNING = "This is the beginning of the address: paste the rest, too."
_NO_ADDRESS = f"There is no address in it. {_WHOLE}"
_BARE_CODE = f"This is only a code. {_UNPROVEN} {_WHOLE}"
_STRIPES_PAGE = (
    "This is Stripe's own page. Approve there, select Return to m3ter, and copy the address of "
    "the page after it."
)
_OWN_PAGE = (
    "This is an address of m3cred itself, not the one that Stripe returned to. Open it in the "
    "browser, approve, and copy the address that the browser then ends on."
)


def _without_answer(
    pasted: tuple[str, str], redirect_uri: str, stripe: str, *, final: bool
) -> Problem:
    """Return the problem with a text that has neither a code nor an error."""
    shown, dense = pasted
    if bare := _BARE_HOST.match(shown[:300]):
        start = bare.start(1)
        shown = f"http://{shown[start:]}"
        dense = f"http://{''.join(shown[7:].split())}"
    texts = [one for one in (shown, dense) if "://" in one]
    found = [address for address in map(_AUTHORITY.search, texts) if address]
    if any(_is_stripe(_authority(address), stripe) for address in found):
        return PasteNotUsed(_STRIPES_PAGE)
    for address in reversed(found):
        host = _authority(address)
        if host == urlsplit(redirect_uri).netloc or _is_loopback(host):
            return _at_ours(address, redirect_uri, dense)
    if found and (final or found[-1][2]):
        return _elsewhere(_authority(found[0]))
    if not dense:
        return PasteIncomplete(f"Nothing is pasted yet. {_WHOLE}")
    if redirect_uri.startswith((dense, f"http://{dense}")):
        return PasteIncomplete(_BEGINNING)
    return _without_host(*pasted, final=final)


def _at_ours(address: re.Match[str], redirect_uri: str, dense: str) -> Problem:
    if "client_id=" in dense:
        return PasteNotUsed(_STRIPES_PAGE)
    host, path = _authority(address), address[2]
    may_be_callback = path.startswith(CALLBACK_PATH) or CALLBACK_PATH.startswith(path)
    if may_be_callback or not _is_loopback(host):
        return PasteIncomplete(_BEGINNING)
    if host.rpartition(":")[2] == str(urlsplit(redirect_uri).port):
        return PasteNotUsed(_OWN_PAGE)
    return _elsewhere(host)


def _without_host(shown: str, dense: str, *, final: bool) -> Problem:
    if "client_id=" in dense:
        return PasteNotUsed(_STRIPES_PAGE)
    if _FIRST_NAME.search(dense):
        return PasteIncomplete(_BEGINNING)
    if _CODE_ALONE.search(shown):
        return PasteNotUsed(_BARE_CODE)
    return PasteNotUsed(_NO_ADDRESS) if final else PasteIncomplete(_NO_ADDRESS)


def _foreign_to(address: str, redirect_uri: str, stripe: str) -> Problem | None:
    """Return the problem with an address whose host or path is not the redirect URI's."""
    found = _AUTHORITY.match(address)
    if found is None:
        return None
    host, path = _authority(found), found[2]
    if _is_stripe(host, stripe):
        return PasteNotUsed(_STRIPES_PAGE)
    own = urlsplit(redirect_uri)
    ours = (own.netloc, own.path) == (host, path)
    # The user's relay page may have linked to our listener.
    ours = ours or (_is_loopback(host) and path == CALLBACK_PATH)
    return None if ours else _elsewhere(host)


def _elsewhere(host: str) -> Problem:
    whose = clean(host, most=_LONGEST_HOST) or "another program"
    return PasteNotUsed(
        f"This is an address of {whose}, not the one that Stripe returned to. {_WHOLE}"
    )


def _authority(address: re.Match[str]) -> str:
    """Return the host and port; text before an @ only looks like a host."""
    return address[1].rpartition("@")[2].lower()


def _is_stripe(host: str, stripe: str) -> bool:
    name = host.partition(":")[0]
    at_loopback = host.replace("localhost", "127.0.0.1")
    is_stripes = f".{name}".endswith(".stripe.com")
    return is_stripes or urlsplit(stripe).netloc in (host, at_loopback)


def _is_loopback(host: str) -> bool:
    return re.sub(r":\d*$", "", host) in _LOOPBACK


_MAX_ADDRESSES = 64
_ENOUGH_PARAMETERS = 6  # of five names: one is repeated, which the validator reports
_COMPLETE = ({"scope", "code", "state"}, {"error", "error_description", "state"})

_NEXT_ADDRESS = re.compile(r"(?=https?://)", re.IGNORECASE)
_PARAMETER = re.compile(r"(?:^|&)(code|state|scope|error|error_description)=([^&]*)")
_VALUE = re.compile(r"(?:[A-Za-z0-9_~+-]|%[0-9A-Fa-f]{2})*")
_STATE = re.compile(r"[A-Za-z0-9_-]*")
# Stripe's codes have 32 letters and digits after ac_. A much shorter one was cut off; one with
# other characters, such as the hyphen of a broken line, was damaged.
_CODE = re.compile(r"ac_[A-Za-z0-9_]{24,}")
_EQUALS = r"\s*(?:=|%(?:25)*3[dD])\s*"
_SEPARATED = r"(?:\s*&|#)"
# A single full stop: several are an ellipsis.
_PUNCTUATION = r"(?:[,;:!?]|\.(?!\.))"
_CLOSED = (
    rf"{_PUNCTUATION}*[\"'`<>)\]}}«»\u2018-\u201f\u2039\u203a]"  # in no address
    rf"|{_PUNCTUATION}+\s|{_PUNCTUATION}*\s*(?:$|https?://)"
)

_NO_STATE = f"There is no state in it yet: paste the rest, too. {_UNPROVEN}"
_STATE_CUT = "The state at its end is cut off: paste the rest, too."
_OPEN_END = (
    "The address may be incomplete: paste the rest, too. If this is all of it, type # after it."
)
_UNCLEAR_END = (
    "The end of this address is unclear, so its code may be damaged, and it was not used. Copy "
    "only the address, in one piece."
)


class _Address(NamedTuple):
    text: str
    parameters: list[tuple[str, str]]
    """Those of a redirect, still encoded, up to the state."""

    def names(self) -> set[str]:
        return {name for name, _ in self.parameters}


def pasted_redirect(
    text: str, expected_state: Secret, *, redirect_uri: str, stripe: str, final: bool
) -> RedirectResult:
    """Return the redirect in a pasted text; ``stripe`` is the address of Stripe's own pages.

    ``final`` means that nothing follows: the text came as one paste event. Nothing shows
    whether a code at the very end is complete, so without ``final`` it is accepted only if
    something follows it. Enter alone is not enough: without bracketed paste, every line of a
    wrapped address ends with it.

    Raises :class:`PasteIncomplete` for text that may still become a redirect (even with
    ``final``, as its next line may be pasted next), :class:`PasteNotUsed` for text that is
    something else, and whatever :func:`validate_redirect` raises.
    """
    if len(text) > LONGEST_PASTE:
        raise PasteNotUsed(f"This is too long for an address. {_WHOLE}")
    shown, dense = _read(text)
    answer = _only_answer(shown, dense, len(expected_state.reveal()))
    if answer is None:
        raise _without_answer((shown, dense), redirect_uri, stripe, final=final)
    foreign = _foreign_to(answer.text, redirect_uri, stripe)
    if short := _without_whole_state(answer, len(expected_state.reveal())):
        raise foreign or short
    try:
        return _validated(answer, shown, expected_state, final=final)
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


def _only_answer(shown: str, dense: str, state_length: int) -> _Address | None:
    """Return the only address with a code or an error, which may be repeated."""
    texts = list(dict.fromkeys(_NEXT_ADDRESS.split(dense) if "://" in dense else [dense]))
    if len(texts) > _MAX_ADDRESSES:
        raise PasteNotUsed(f"There are too many addresses in it. {_WHOLE}")
    addresses = [_Address(text, _parameters(text, shown, state_length)) for text in texts]
    answers = [one for one in addresses if one.names() & {"code", "error"}]
    # If one has a state, an error= or code= without state is surrounding text.
    answers = [one for one in answers if "state" in one.names()] or answers
    if len({tuple(one.parameters) for one in answers}) > 1:
        raise PasteNotUsed(f"There are two different addresses in it. {_WHOLE}")
    return answers[0] if answers else None


def _parameters(address: str, shown: str, state_length: int) -> list[tuple[str, str]]:
    first = _FIRST_NAME.search(address)
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
            break  # the rest is text, not the address
    return parameters


def _own_state(value: str, shown: str, length: int) -> str:
    """Return the state without the text after it, as far as they can be distinguished."""
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
    """Return whether the address is complete: no part of it can follow or is broken."""
    name, value = answer.parameters[-1]
    complete = any(names <= answer.names() for names in _COMPLETE)
    if not (final or complete or "#" in answer.text) or not value:
        return False
    if name == "state":
        return True
    # A dash or an underscore at its end may belong to the surrounding text.
    ends = f"{_SEPARATED}|{_CLOSED}" if final and value[-1].isalnum() else _SEPARATED
    # A value with white space in it does not match: line break or following text?
    wrapped_name = r"\s*".join(name) + _EQUALS
    return bool(re.search(f"{wrapped_name}{re.escape(value)}(?:{ends})", shown))
