"""What can be wrong with a value: a sentence to stand under the field it was entered in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from m3cred_tui.model.credential import Destination
    from m3cred_tui.model.secret import Secret


PREFIX = re.compile(r"(?:sk|rk)_(?:live|test)_")
_LIKE_A_KEY = re.compile(r"((?:sk|rk|whsec|rt|ac)_|AGE-SECRET-KEY-)\w+", re.IGNORECASE)


def prefixes_of(destination: Destination) -> tuple[str, str]:
    """Return what the secret keys of a destination begin with."""
    mode = "live" if destination.livemode else "test"
    return f"sk_{mode}_", f"rk_{mode}_"


def prefix_of(key: Secret) -> str:
    """Return the part of a key that is no secret, to tell keys apart by: ``sk_test_…``."""
    found = PREFIX.match(key.reveal())
    return f"{found[0]}…" if found else "…"


def masked(text: str) -> str:
    """Return ``text`` without what looks like a key."""
    return _LIKE_A_KEY.sub(r"\1***", text)


class NothingEntered(Problem):
    """The value is empty, or nothing but what pasting brings with it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The {what} is empty.")
        self.what = what


class NotAClientId(Problem):
    """It has not the shape of a client id."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(
            "A client id is ca_ followed by letters and digits"
            f"{f'; this one {reason}' if reason else ''}."
        )
        self.reason = reason


class NotASecretKey(Problem):
    """It has not the shape of a secret key of this destination."""

    def __init__(self, destination: Destination, reason: str = "") -> None:
        prefixes = " or ".join(prefixes_of(destination))
        super().__init__(
            f"A secret key of {destination.label} is {prefixes} followed by letters and digits"
            f"{f'; this one {reason}' if reason else ''}."
        )
        self.destination = destination
        self.reason = reason


class KeyNotRead(Problem):
    """What should be a secret key could not be read from the terminal or standard input."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The secret key cannot be read: {reason}.")
        self.reason = reason


class Swapped(Problem):
    """A client id stands where the secret key belongs, or the other way round."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(f"This is a {found}, not a {wanted}: are the two swapped?")
        self.found = found
        self.wanted = wanted


class PublishableKey(Problem):
    """It is the other key, the one that is no secret."""

    def __init__(self, destination: Destination) -> None:
        secret = " or ".join(prefixes_of(destination))
        super().__init__(
            f"This is the publishable key (pk_); the secret key begins with {secret}."
        )
        self.destination = destination


class MaskedKey(Problem):
    """It was copied as the dashboard shows it, with its middle left out."""

    def __init__(self) -> None:
        super().__init__(
            "This is the key as Stripe's dashboard masks it; reveal it there and copy it whole."
        )


class WrongMode(Problem):
    """A test key for live, or a live key for test: the most frequent mistake."""

    def __init__(self, destination: Destination, prefix: str) -> None:
        mode, other = ("live", "test") if destination.livemode else ("test", "live")
        wanted = " or ".join(prefixes_of(destination))
        super().__init__(
            f"This is a {other} key ({prefix}…), and {destination.label} takes a {mode} key: "
            f"{wanted}."
        )
        self.destination = destination
        self.prefix = prefix


class KeyInClear(Problem):
    """A secret key stands where others may read it."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"A secret key stands in clear in {where}; keep it in a password store, in a file "
            "of yours alone, or sealed by m3cred config set."
        )
        self.where = where


class NotARedirectUri(Problem):
    """Stripe would not redirect to it, or nobody should."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The redirect URI {reason}.")
        self.reason = reason


class RedirectNeedsHttps(NotARedirectUri):
    """In live mode Stripe redirects to HTTPS only."""

    def __init__(self) -> None:
        super().__init__("begins with http://, and in live mode Stripe takes https:// only")


class NotABase(Problem):
    """No Stripe can be at this address."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The address {reason}.")
        self.reason = reason


class NotAChannel(Problem):
    """It has not the shape of a channel."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(
            "A channel is chnlink_ followed by letters and digits, as in the app's install link"
            f"{f'; this one {reason}' if reason else ''}."
        )
        self.reason = reason


class NotPorts(Problem):
    """They are no ports to listen on."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The ports {reason}.")
        self.reason = reason


class NotAKeyFile(Problem):
    """It names no file."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"The path of a key file begins with / or ~/, and this is {shown(text)}."
        )


class WrongType(Problem):
    """A value of the file is, say, a number where a text belongs."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"This must be {wanted}.")
        self.wanted = wanted


class SeveralSources(Problem):
    """The secret key is to come from more than one place."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        several = " and ".join(self.names)
        super().__init__(f"The secret key can come from one place only; here are {several}.")


class UnknownName(Problem):
    """There is no such name; ``nearest`` is what was probably meant, if anything was."""

    def __init__(self, what: str, given: str, known: Iterable[str]) -> None:
        from difflib import get_close_matches  # noqa: PLC0415 - only here, and it takes a while

        names = {name.lower(): name for name in known}
        near = get_close_matches(given.lower(), names, 1)
        self.given = given
        self.nearest = names[near[0]] if near else None
        all_names = ", ".join(names.values())
        meant = f"; did you mean {self.nearest}?" if near else f"; there are {all_names}."
        super().__init__(f"There is no {what} {shown(given)}{meant}")


class Misplaced(Problem):
    """What is wrong with the value in one place: a setting's name, or a variable's."""

    def __init__(self, place: str, problem: Problem) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


def shown(text: str) -> str:
    """Return what somebody entered as a word of a sentence."""
    return f"“{masked(clean(text, most=60))}”"
