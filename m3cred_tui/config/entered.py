"""Tidies and checks values as they are entered; a problem is a sentence below the field."""

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qsl, urlsplit

from m3cred_tui.config.problems import PREFIX, UnknownName, prefixes_of
from m3cred_tui.model.credential import Destination, OAuthModel
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import is_visible


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


# What Stripe adds; a duplicate would invalidate the redirect.
_OF_THE_ANSWER = frozenset({"code", "state", "scope", "error", "error_description"})

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_EXAMPLE = "http://127.0.0.1:27182"


def redirect_uri(text: str, destination: Destination) -> str:
    """Return an address that Stripe redirects to in the destination's mode.

    By OAuth (RFC 6749, section 3.1.2) and by Stripe: HTTPS in live mode, loopback or
    HTTPS in test mode. Raises ``NothingEntered``, ``RedirectNeedsHttps``, ``NotARedirectUri``.
    """
    entered = _something(tidy(text), "redirect URI")
    if destination.livemode and entered.lower().startswith("http:"):
        raise RedirectNeedsHttps
    parts = _taken_apart(entered, NotARedirectUri)
    taken = _OF_THE_ANSWER.intersection(name for name, _ in parse_qsl(parts.query))
    if taken:
        raise NotARedirectUri(f"has a parameter that Stripe adds itself ({min(taken)})")
    return entered


def base(text: str, _destination: Destination) -> str:
    """Return the address of a Stripe: ``https://``, or ``http://`` on this computer.

    Raises ``NothingEntered`` and ``NotABase``.
    """
    entered = _something(tidy(text).rstrip("/"), "address")
    parts = _taken_apart(entered, NotABase)
    if parts.path or parts.query:
        raise NotABase("ends with the host and port; this one has a path or a query")
    return entered


class NotAStore(Problem, code="NotAStore"):
    """No team's store can be there."""

    text = "The store's {what} {reason}."
    what: str
    reason: str


ENGINES = {"directory": "This machine", "openbao": "OpenBao or Vault"}
"""The engines of the store, with the words for each."""


def engine(text: str, _subject: object) -> str:
    """Return the name of an engine of the store; raises ``UnknownName``."""
    entered = tidy(text).lower()
    if entered not in ENGINES:
        raise UnknownName("store engine", entered, ENGINES)
    return entered


def store_address(text: str, _subject: object) -> str:
    """Return the addresses of a store's nodes, or of an agent on this computer.

    Raises ``NothingEntered`` and ``NotAStore``: a token is not sent in clear over a network.
    """
    entered = _something(tidy(text), "address").replace(",", " ").split()
    for one in entered:
        if one.startswith("unix:///"):
            continue
        try:
            parts = _taken_apart(one.rstrip("/"), NotABase)
        except NotABase as wrong:
            raise NotAStore("address", wrong.reason) from None
        if parts.path or parts.query:
            raise NotAStore("address", "ends with the host and port; this one has a path")
    return " ".join(one.rstrip("/") for one in entered)


def store_path(text: str, _subject: object) -> str:
    """Return a mount, a path or a namespace; raises ``NothingEntered`` and ``NotAStore``."""
    entered = _something(tidy(text).strip("/"), "path")
    if not _is_store_path(entered):
        raise NotAStore(
            "path", "is made of letters, digits, “.”, “_” and “-”, with “/” between"
        )
    return entered


_is_store_path = re.compile(r"(?!.*(^|/)\.)[\w.-]+(/[\w.-]+)*", re.ASCII).fullmatch


def store_role(text: str, _subject: object) -> str:
    """Return the role id of an AppRole; raises ``NothingEntered`` and ``NotAStore``."""
    entered = _something(tidy(text), "role id")
    if not _is_store_path(entered) or "/" in entered:
        raise NotAStore("role id", "is made of letters, digits, “.”, “_” and “-”")
    return entered


def store_file(text: str, _subject: object) -> str:
    """Return the path of a file; raises ``NothingEntered``."""
    return _something(tidy(text), "file")


def _taken_apart(entered: str, problem: type[NotABase | NotARedirectUri]) -> SplitResult:
    """Return the parts of a plain web address; raise this problem for any other."""
    if len(entered) > LONGEST:
        raise problem(f"has {len(entered):,} characters; {LONGEST:,} is the most")
    # Before it is split, which silently drops line ends and tabs.
    if not (entered.isascii() and entered.isprintable()) or " " in entered:
        raise problem("has a character that must be percent-encoded, or be written as punycode")
    try:
        parts = urlsplit(entered)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise problem("has a host or a port that cannot be read") from None
    flaws = {
        "begins with neither https:// nor http://": parts.scheme not in {"http", "https"},
        "names no host": not host,
        "has port 0": port == 0,
        "has a user name in it": "@" in parts.netloc,
        "has a fragment (#)": "#" in entered,
        f"with http:// must be on this computer, like {_EXAMPLE}": (
            parts.scheme == "http" and host not in _LOOPBACK
        ),
    }
    for flaw, applies in flaws.items():
        if applies:
            raise problem(flaw)
    return parts


LONGEST = 2000
"""Characters of a value; Stripe's keys have about 110."""

MOST_PORTS = 10
_LEAST_PORT, _LARGEST_PORT = 1024, 65535

_QUOTES = frozenset("\"'`<>\u00b4\u201a\u201e")
_QUOTE_CATEGORIES = frozenset({"Pi", "Pf"})
_MASKS = re.compile(r"\.{2,}|[…*•●·]")
_is_client_id = re.compile(r"ca_[A-Za-z0-9]{1,250}", re.ASCII).fullmatch
_is_secret_key = re.compile(r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9_]{1,250}", re.ASCII).fullmatch
_is_channel = re.compile(r"chnlink_[A-Za-z0-9_]{1,250}", re.ASCII).fullmatch
_is_number = re.compile(r"[0-9]{1,5}", re.ASCII).fullmatch


def tidy(text: str) -> str:
    """Return ``text`` without the white space, quotes and invisible characters around it."""
    return _stripped(text, lambda one: _is_blank(one) or _is_quote(one))


def client_id(text: str, _destination: Destination) -> str:
    """Return a client id; both modes have the same prefix.

    Raises ``NothingEntered``, ``Swapped``, ``NotAClientId``.
    """
    entered = _something(tidy(text), "client id")
    if PREFIX.match(entered):
        raise Swapped("secret key", "client id")
    if not _is_client_id(entered):
        raise NotAClientId(_oddity(entered))
    return entered


def secret_key(text: str, destination: Destination) -> Secret:
    """Return a secret key of the destination's mode; none of it is in what is raised.

    Raises ``NothingEntered``, ``Swapped``, ``PublishableKey``, ``MaskedKey``,
    ``WrongModeKey``, ``NotASecretKey``.
    """
    entered = _something(tidy(text), "secret key")
    if entered.startswith("ca_"):
        raise Swapped("client id", "secret key")
    if entered.startswith("pk_"):
        raise PublishableKey(destination)
    prefix = PREFIX.match(entered)
    if not prefix:
        raise NotASecretKey(destination, _oddity(entered))
    if _MASKS.search(entered):
        raise MaskedKey
    if prefix[0] not in prefixes_of(destination):
        raise WrongModeKey(destination, prefix[0])
    if PREFIX.search(entered, prefix.end()):
        raise NotASecretKey(destination, "; this one is two keys in one")
    if not _is_secret_key(entered):
        raise NotASecretKey(destination, _oddity(entered))
    return Secret(entered)


def ports(text: str, _destination: Destination) -> tuple[int, ...]:
    """Return the ports, separated by commas or white space, in their order.

    Raises ``NothingEntered`` and ``NotPorts``.
    """
    words = _something(tidy(text).strip("[]"), "list of ports").replace(",", " ").split()
    numbers = tuple(int(word) for word in words if _is_number(word))
    in_range = [one for one in numbers if _LEAST_PORT <= one <= _LARGEST_PORT]
    if len(in_range) < len(words):
        raise NotPorts(f"are whole numbers from {_LEAST_PORT} to {_LARGEST_PORT}")
    if not 1 <= len(numbers) <= MOST_PORTS:
        raise NotPorts(f"are {len(numbers)}; 1 to {MOST_PORTS} are allowed")
    if len(set(numbers)) < len(numbers):
        raise NotPorts("include one twice")
    return numbers


def oauth_model(text: str, _destination: Destination) -> OAuthModel:
    """Return Stripe's OAuth model; raises ``NothingEntered`` and ``UnknownName``."""
    entered = _something(tidy(text), "OAuth model").lower()
    try:
        return OAuthModel(entered)
    except ValueError:
        raise UnknownName("OAuth model", entered, list(OAuthModel)) from None


def channel(text: str, _destination: Destination) -> str:
    """Return the channel of an app of Stripe Apps that is not published yet.

    Raises ``NothingEntered`` and ``NotAChannel``.
    """
    entered = _something(tidy(text), "channel")
    if not _is_channel(entered):
        raise NotAChannel(_oddity(entered))
    return entered


def without_key(text: str, where: str) -> str:
    """Return a command or a path, in which quotes mean something; raises ``KeyInClear``."""
    entered = _something(_stripped(text, _is_blank), where)
    if PREFIX.search(entered):
        raise KeyInClear(f"the {where}")
    return entered


def _stripped(text: str, is_off: Callable[[str], bool]) -> str:
    return text.strip("".join(filter(is_off, {*text})))


def _something(entered: str, what: str) -> str:
    if not entered:
        raise NothingEntered(what)
    return entered


def _is_blank(character: str) -> bool:
    return character.isspace() or not is_visible(character)


def _is_quote(character: str) -> bool:
    return character in _QUOTES or unicodedata.category(character) in _QUOTE_CATEGORIES


def _oddity(entered: str) -> str:
    """Return what is odd about a value, if anything, without showing any of it."""
    if len(entered) > LONGEST:
        return f"; this one has {len(entered):,} characters"
    if any(one.isspace() for one in entered):
        return "; this one has white space in it"
    hidden = next((one for one in entered if not is_visible(one)), "")
    if hidden:
        return f"; this one has a character in it that cannot be seen (U+{ord(hidden):04X})"
    return ""
