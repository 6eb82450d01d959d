"""What can be wrong with a value: a sentence that is shown under its field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from m3cred_tui.model.credential import Destination
    from m3cred_tui.model.secret import Secret


PREFIX = re.compile(r"(?:sk|rk)_(?:live|test)_")
_LIKE_A_KEY = re.compile(r"((?:sk|rk|whsec|rt|ac)_|AGE-SECRET-KEY-)\w+", re.IGNORECASE)


def prefixes_of(destination: Destination) -> tuple[str, str]:
    """Return what the secret keys of a destination begin with."""
    mode = "live" if destination.livemode else "test"
    return f"sk_{mode}_", f"rk_{mode}_"


def prefix_of(key: Secret) -> str:
    """Return the part of a key that is not secret, to tell keys apart: ``sk_test_…``."""
    found = PREFIX.match(key.reveal())
    return f"{found[0]}…" if found else "…"


def masked(text: str) -> str:
    """Return ``text`` without what looks like a key."""
    return _LIKE_A_KEY.sub(r"\1***", text)


class NothingEntered(Problem, code="NothingEntered"):
    """A value is empty."""

    text = "The {what} is empty."
    what: str


class NotAClientId(Problem, code="NotAClientId"):
    """It does not look like a client id."""

    text = "A client id is ca_ followed by letters and digits{oddity}."
    oddity: str = ""


class NotAChannel(Problem, code="NotAChannel"):
    """It does not look like a channel of a Stripe App."""

    text = """A channel is chnlink_ followed by letters and digits, as in the app's install
        link{oddity}."""
    oddity: str = ""


class _NotTheKey(Problem):
    destination: Destination

    @property
    def _prefixes(self) -> str:
        return " or ".join(prefixes_of(self.destination))


class NotASecretKey(_NotTheKey, code="NotASecretKey"):
    """It does not look like a secret key of this destination."""

    text = """A secret key of {destination.label} is {_prefixes} followed by letters and
        digits{oddity}."""
    oddity: str = ""


class PublishableKey(_NotTheKey, code="PublishableKey"):
    text = "This is the publishable key (pk_); the secret key begins with {_prefixes}."


class WrongModeKey(_NotTheKey, code="WrongModeKey"):
    """A test key was entered for live mode, or a live key for test mode."""

    text = """This is a {destination.other_mode} key ({prefix}…), and {destination.label} takes
        a {destination.mode} key: {_prefixes}."""
    prefix: str


class MaskedKey(Problem, code="MaskedKey"):
    text = "This is the key as Stripe's dashboard masks it; reveal it there and copy it whole."


class KeyNotRead(Problem, code="KeyNotRead"):
    """The secret key could not be read from the terminal or standard input."""

    text = "The secret key cannot be read: {reason}."
    reason: str


class Swapped(Problem, code="Swapped"):
    """A client id was entered as the secret key, or the other way round."""

    text = "This is a {found}, not a {wanted}: are the two swapped?"
    found: str
    wanted: str


class KeyInClear(Problem, code="KeyInClear"):
    text = """There is a secret key in clear text in {where}; keep it in a password store, in a
        file that only you can read, or seal it with m3cred config set."""
    where: str


class NotARedirectUri(Problem, code="NotARedirectUri"):
    """Stripe would not redirect to this address, or should not."""

    text = "The redirect URI {reason}."
    reason: str


class RedirectNeedsHttps(Problem, code="RedirectNeedsHttps"):
    text = (
        """The redirect URI begins with http://, and in live mode Stripe takes https:// only."""
    )


class NotABase(Problem, code="NotABase"):
    """No Stripe can have this address."""

    text = "The address {reason}."
    reason: str


class NotPorts(Problem, code="NotPorts"):
    """These ports cannot be listened on."""

    text = "The ports {reason}."
    reason: str


class NotAKeyFile(Problem, code="NotAKeyFile"):
    """The path of a key file is not absolute."""

    text = "The path of a key file must begin with / or ~/, and this is {quoted}."
    quoted: str


class WrongType(Problem, code="WrongType"):
    """A value in the file has the wrong type: a number instead of text, say."""

    text = "This must be {wanted}."
    wanted: str


class SeveralSources(Problem, code="SeveralSources"):
    """The secret key has more than one source."""

    text = "The secret key can come from one place only, but {_several} are set."
    names: Sequence[str]

    @property
    def _several(self) -> str:
        return " and ".join(self.names)


class UnknownName(Problem, code="UnknownName"):
    """There is no setting, table, variable or OAuth model of this name."""

    text = "There is no {what} {_quoted}{_meant}"
    what: str
    given: str
    known: Iterable[str]

    @property
    def _quoted(self) -> str:
        return shown(self.given)

    @property
    def nearest(self) -> str | None:
        """The name that was probably meant, if any."""
        from difflib import get_close_matches  # noqa: PLC0415 - only here, and it takes a while

        names = {name.lower(): name for name in self.known}
        near = get_close_matches(self.given.lower(), names, 1)
        return names[near[0]] if near else None

    @property
    def _meant(self) -> str:
        if nearest := self.nearest:
            return f"; did you mean {nearest}?"
        return f"; there are {', '.join(self.known)}."


class Misplaced(Problem):
    """What is wrong with the value in one place: a setting's name, or a variable's."""

    text = "{place}: {problem}"
    place: str
    problem: Problem


def shown(text: str) -> str:
    """Return what was entered, quoted for a sentence."""
    return f"“{masked(clean(text, most=60))}”"
