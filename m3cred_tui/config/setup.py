"""What is set for one destination, by the file and by the environment over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from m3cred_tui.config.entered import (
    base,
    channel,
    client_id,
    oauth_model,
    ports,
    redirect_uri,
    tidy,
)
from m3cred_tui.config.file import KEY_SOURCES, SEALED, read_file, table_of, tables_in
from m3cred_tui.config.key_source import (
    FromCommand,
    FromFile,
    Given,
    KeySource,
    NoSealedKey,
    Sealed,
    from_command,
    from_file,
    given,
    key_from,
)
from m3cred_tui.config.problems import (
    Misplaced,
    SeveralSources,
    UnknownName,
    WrongType,
    masked,
    prefix_of,
)
from m3cred_tui.model.authorization import CALLBACK_PORTS
from m3cred_tui.model.credential import DESTINATIONS, Destination, OAuthModel
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.platform_keys import is_kept
from m3cred_tui.store.problems import IdentityLocked
from m3cred_tui.stripe.gateway import API_BASE, CONNECT_BASE, MARKETPLACE_BASE, Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from m3cred_tui.config.locations import Locations


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Check = Callable[[str, Destination], T]


class Origin(StrEnum):
    """Where a value is from."""

    FILE = "file"
    ENVIRONMENT = "environment"
    DEFAULT = "default"


class Entry(NamedTuple, Generic[T_co]):
    """One value of a destination; ``None`` where it is not set, or there is a problem."""

    value: T_co | None
    origin: Origin
    place: str
    """What the user calls it there: ``stripe.client_id``, ``M3CRED_STRIPE_CLIENT_ID``."""
    problem: Misplaced | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """What is set for a destination, each value with where it is from."""

    destination: Destination
    client_id: Entry[str]
    secret_key: Entry[KeySource]
    redirect_uri: Entry[str]
    ports: Entry[tuple[int, ...]]
    oauth: Entry[OAuthModel]
    channel: Entry[str]
    connect_base: Entry[str]
    marketplace_base: Entry[str]
    api_base: Entry[str]

    def entries(self) -> Iterator[tuple[str, Entry[object]]]:
        """Yield each value's name and entry."""
        for field in fields(self)[1:]:
            yield field.name, getattr(self, field.name)

    @property
    def problem(self) -> Misplaced | None:
        """The first value that is wrong."""
        return next((entry.problem for _, entry in self.entries() if entry.problem), None)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of what must be set and is not; Stripe takes no loopback in live mode."""
        needed: dict[str, Entry[object]] = {
            "client_id": self.client_id,
            "secret_key": self.secret_key,
        }
        if self.destination.livemode:
            needed["redirect_uri"] = self.redirect_uri
        return tuple(
            name for name, one in needed.items() if one.value is None and not one.problem
        )

    @property
    def is_touched(self) -> bool:
        """Whether anything at all is set for it."""
        return any(entry.origin is not Origin.DEFAULT for _, entry in self.entries())


CHECKS: dict[str, Check[object]] = {
    "client_id": client_id,
    "secret_key_command": from_command,
    "secret_key_file": from_file,
    "redirect_uri": redirect_uri,
    "ports": ports,
    "oauth": oauth_model,
    "channel": channel,
}
"""What can be set by its text, in the file and, in capital letters, in the environment."""

_KEY_CHECKS: dict[str, Check[KeySource]] = {
    "secret_key": given,
    "secret_key_command": from_command,
    "secret_key_file": from_file,
}
_OF_THE_ENVIRONMENT = (*CHECKS, "secret_key", "connect_base", "marketplace_base", "api_base")


def read_setup(
    destination: Destination, places: Locations, environ: Mapping[str, str]
) -> Setup:
    """Return what the settings file and these variables set for a destination.

    Raises ``Problem`` when the file as a whole, or the name of a variable, is not understood;
    what is wrong with one value is in its entry.
    """
    path = places.settings
    table = tables_in(read_file(path), path).get(destination, {})
    look = _Look(destination, table, environ)
    return Setup(
        destination,
        client_id=look.up("client_id", client_id),
        secret_key=look.up_secret_key(is_sealed=is_kept(places.keys, destination)),
        redirect_uri=look.up("redirect_uri", redirect_uri),
        ports=look.up("ports", ports, CALLBACK_PORTS),
        oauth=look.up("oauth", oauth_model, OAuthModel.CONNECT),
        channel=look.up("channel", channel),
        connect_base=look.up("connect_base", base, CONNECT_BASE),
        marketplace_base=look.up("marketplace_base", base, MARKETPLACE_BASE),
        api_base=look.up("api_base", base, API_BASE),
    )


class _Look:
    """Looks a destination's values up, in the environment first."""

    def __init__(
        self, destination: Destination, table: dict[str, object], environ: Mapping[str, str]
    ) -> None:
        self._destination = destination
        self._table = table
        self._variables = _variables(destination, environ)

    def up(self, name: str, check: Check[T], default: T | None = None) -> Entry[T]:
        """Return one value, checked."""
        if name in self._variables:
            place, text = variable_of(self._destination, name), self._variables[name]
            return self._checked(lambda: text, check, Origin.ENVIRONMENT, place)
        place = f"{table_of(self._destination)}.{name}"
        if name in self._table:
            value, is_list = self._table[name], name == "ports"
            text_of = partial(_text_of, value, is_list=is_list)
            return self._checked(text_of, check, Origin.FILE, place)
        return Entry(default, Origin.DEFAULT, place)

    def up_secret_key(self, *, is_sealed: bool) -> Entry[KeySource]:
        """Return where the secret key is from; the environment's takes the file's place."""
        named = [name for name in _KEY_CHECKS if name in self._variables]
        if not named:
            # Set to false, it says no more than nothing would.
            named = [name for name in KEY_SOURCES if self._table.get(name, False) is not False]
        if len(named) > 1:
            return self._several(named)
        if named == [SEALED]:
            return self._sealed(is_sealed=is_sealed)
        if named:
            return self.up(named[0], _KEY_CHECKS[named[0]])
        return Entry(None, Origin.DEFAULT, f"{table_of(self._destination)}.secret_key")

    def _sealed(self, *, is_sealed: bool) -> Entry[KeySource]:
        place = f"{table_of(self._destination)}.{SEALED}"
        is_flag = self._table[SEALED] is True
        if is_flag and is_sealed:
            return Entry(Sealed(), Origin.FILE, place)
        flaw = NoSealedKey(self._destination) if is_flag else WrongType("true or false")
        return Entry(None, Origin.FILE, place, Misplaced(place, flaw))

    def _several(self, named: list[str]) -> Entry[KeySource]:
        in_environment = named[0] in self._variables
        origin = Origin.ENVIRONMENT if in_environment else Origin.FILE
        place = table_of(self._destination)
        if in_environment:
            place = "the environment"
            named = [variable_of(self._destination, name) for name in named]
        return Entry(None, origin, place, Misplaced(place, SeveralSources(named)))

    def _checked(
        self, text: Callable[[], str], check: Check[T], origin: Origin, place: str
    ) -> Entry[T]:
        try:
            return Entry(check(text(), self._destination), origin, place)
        except Problem as problem:
            return Entry(None, origin, place, Misplaced(place, problem))


def variable_of(destination: Destination, name: str) -> str:
    """Return the variable that sets a value of a destination."""
    return f"M3CRED_{destination.code}_{name.upper()}"


def _variables(destination: Destination, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values that variables set; an empty one sets none.

    Raises :class:`Misplaced` for a variable of a name that is not known.
    """
    found = {}
    known = {variable_of(destination, name): name for name in _OF_THE_ENVIRONMENT}
    for variable, text in environ.items():
        if _destination_of(variable) != destination or not tidy(text):
            continue
        if variable not in known:
            raise Misplaced("the environment", UnknownName("variable", variable, known))
        found[known[variable]] = text
    return found


def _destination_of(variable: str) -> Destination | None:
    """Return the destination that a variable is for, the one with the longest code of those."""
    fitting = [one for one in DESTINATIONS if variable.startswith(variable_of(one, ""))]
    return max(fitting, key=lambda one: len(one.code), default=None)


def _text_of(value: object, *, is_list: bool) -> str:
    if not is_list and isinstance(value, str):
        return value
    if is_list and isinstance(value, list) and all(type(one) is int for one in value):
        return ",".join(map(str, value))
    raise WrongType("a list of whole numbers" if is_list else "text")


KINDS: dict[type, str] = {
    Given: "environment",
    FromCommand: "command",
    FromFile: "file",
    Sealed: "sealed",
}
"""What a source of a secret key is called in JSON."""

NOT_SET = "not set"

_LOOPBACK = "http://127.0.0.1:PORT/callback"
_WORDS = {
    "environment": "set, {}",
    "command": "printed by: {}",
    "file": "in the file {}",
    "sealed": "sealed by m3cred",
}


def value_text(setup: Setup, name: str) -> str:
    """Return a value of a setup as a line for people."""
    entry: Entry[object] = getattr(setup, name)
    value = entry.value
    if value is None:
        is_loopback = name == "redirect_uri" and not setup.destination.livemode
        unset = _LOOPBACK if is_loopback else NOT_SET
        return "wrong" if entry.problem else unset
    if kind := KINDS.get(type(value)):
        return _WORDS[kind].format(source_text(value))
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return clean(str(value))


def source_text(source: object) -> str:
    """Return what may be seen of a source of a secret key."""
    match source:
        case Given(key):
            return prefix_of(key)
        case FromCommand(command):
            return masked(clean(command))
        case FromFile(path):
            return masked(clean(str(path), most=4096))
    return ""


def platform_of(
    setup: Setup,
    places: Locations,
    environ: Mapping[str, str],
    identity: IdentityFile | None = None,
) -> Platform:
    """Return the platform of a setup without problems in which nothing is missing.

    Blocks while a command gives the secret key. Raises ``Problem``: :class:`Misplaced` for
    what is wrong with the source of the key, and ``IdentityLocked``.
    """
    client_id, source = setup.client_id.value, setup.secret_key.value
    assert client_id is not None  # noqa: S101 - the caller has looked
    assert source is not None  # noqa: S101
    opener = identity or IdentityFile(places.identity, places.data)
    try:
        secret_key = key_from(source, setup.destination, places, opener, environ)
    except IdentityLocked:
        raise
    except Problem as problem:
        raise Misplaced(setup.secret_key.place, problem) from None
    others = {
        name: value
        for name in ("oauth", "connect_base", "marketplace_base", "api_base", "channel")
        if (value := getattr(setup, name).value) is not None
    }
    return Platform(client_id, secret_key, **others)
