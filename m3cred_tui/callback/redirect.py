"""The only validator of Stripe's redirect."""

import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl

from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean

LONGEST_QUERY = 4096
_MOST_PARAMETERS = 32
_CODE = re.compile(r"[\x21-\x7e]{1,512}")
"""VSCHAR of RFC 6749, appendix A.11, without the space, which only a damaged copy contains."""


class Malformation(StrEnum):
    """Why something is not a redirect; the text completes "it …"."""

    TOO_LONG = "is too long"
    UNREADABLE = "is not readable text"
    TOO_MANY_PARAMETERS = "has too many parameters"
    REPEATED_PARAMETER = "has the same parameter twice"
    NO_ANSWER = "has neither a code nor an error"
    TWO_ANSWERS = "has both a code and an error"
    DAMAGED_CODE = "has a code that is empty, too long or damaged"
    EMPTY_ERROR = "has an empty error"


class MalformedRedirect(Problem, code="MalformedRedirect"):
    """The address does not have the form of a redirect from Stripe."""

    text = """This is not a redirect from Stripe: it {reason}. Use the whole address that the
        browser ended on."""
    reason: Malformation


class MissingState(Problem, code="MissingState"):
    """The redirect does not say which authorization request it answers."""

    text = """This redirect has no state, so anybody could have made it, and it was not used.
        Use the whole address that the browser ended on."""


class WrongState(Problem, code="WrongState"):
    """The redirect answers another authorization request, or is forged."""

    text = """This redirect does not answer this authorization request, and it was not used.
        Open the URL of this request and use the address that the browser then ends on."""


@dataclass(frozen=True, slots=True, eq=False)
class AuthorizationCode:
    """Stripe's approval (RFC 6749, section 4.1.2); the code can be used once."""

    code: Secret
    scope: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Stripe's error redirect (RFC 6749, section 4.1.2.1), cleaned for display."""

    error: str
    description: str


RedirectResult = AuthorizationCode | Refusal


def validate_redirect(query: str, expected_state: Secret) -> RedirectResult:
    """Return the result in a redirect's query (without its ``?``), if it has our state.

    Raises :class:`MalformedRedirect`, :class:`MissingState` or :class:`WrongState`. The
    state is compared before the code or the error is read; otherwise any web page could
    end the authorization (RFC 6749, section 10.12).
    """
    parameters = _parameters(query)
    if "code" in parameters and "error" in parameters:
        raise MalformedRedirect(Malformation.TWO_ANSWERS)
    if "code" not in parameters and "error" not in parameters:
        raise MalformedRedirect(Malformation.NO_ANSWER)
    _require_state(parameters.get("state", ""), expected_state)
    if "code" in parameters:
        code = parameters["code"]
        if not _CODE.fullmatch(code):
            raise MalformedRedirect(Malformation.DAMAGED_CODE)
        return AuthorizationCode(Secret(code), clean(parameters.get("scope", "")))
    error = clean(parameters["error"])
    if not error:
        raise MalformedRedirect(Malformation.EMPTY_ERROR)
    return Refusal(error, clean(parameters.get("error_description", "")))


def _parameters(query: str) -> dict[str, str]:
    """Return the parameters, none of which may be repeated (RFC 6749, section 3.1)."""
    if len(query) > LONGEST_QUERY:
        raise MalformedRedirect(Malformation.TOO_LONG)
    if query.count("&") >= _MOST_PARAMETERS:
        raise MalformedRedirect(Malformation.TOO_MANY_PARAMETERS)
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        # Not chained, because the error contains the query.
        raise MalformedRedirect(Malformation.UNREADABLE) from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise MalformedRedirect(Malformation.REPEATED_PARAMETER)
    return parameters


def _require_state(given: str, expected: Secret) -> None:
    if not given:
        raise MissingState
    # As bytes, because compare_digest accepts ASCII text only; a lone surrogate can be typed.
    ours = expected.reveal().encode()
    if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), ours):
        raise WrongState
