"""What is set, by the file or the environment, which takes precedence; with origins."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from m3cred_tui.config.entered import tidy
from m3cred_tui.config.file import read_file, tables_in
from m3cred_tui.config.key_source import KeySource, NoSealedKey, Sealed, described, key_from
from m3cred_tui.config.problems import Misplaced, UnknownName, WrongType
from m3cred_tui.config.table import (
    NOT_SET,
    SECRET_KEY,
    Group,
    Kind,
    Setting,
    groups,
    value_text,
)
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.platform_keys import is_kept
from m3cred_tui.store.problems import IdentityLocked
from m3cred_tui.stripe.gateway import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from m3cred_tui.config.locations import Locations
    from m3cred_tui.model.credential import Destination

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class SeveralSources(Problem, code="SeveralSources"):
    """The secret key has more than one source."""

    text = "The secret key can come from one place only, but {_several} are set."
    names: Sequence[str]

    @property
    def _several(self) -> str:
        return " and ".join(self.names)


class Origin(StrEnum):
    """Where a value comes from."""

    FILE = "file"
    ENVIRONMENT = "environment"
    DEFAULT = "default"


class Entry(NamedTuple, Generic[T_co]):
    """The value of a setting; ``None`` where it is not set, or there is a problem."""

    value: T_co | None
    origin: Origin
    place: str
    """Its name there: ``stripe.client_id``, ``M3CRED_STRIPE_CLIENT_ID``."""
    problem: Misplaced | None = None


class Setup:
    """The values of a group; ``setup[PORTS]`` is the entry of a setting."""

    def __init__(self, group: Group, entries: Mapping[Setting[object], Entry[object]]) -> None:
        self.group, self.entries = group, entries

    def __getitem__(self, setting: Setting[T]) -> Entry[T]:
        return cast("Entry[T]", self.entries[setting])

    @property
    def destination(self) -> Destination:
        """The destination that this is the setup of."""
        destination: Destination = self.group.subject
        return destination

    @property
    def problem(self) -> Misplaced | None:
        """The first value that is wrong."""
        return next((one.problem for one in self.entries.values() if one.problem), None)

    @property
    def missing(self) -> tuple[Setting[object], ...]:
        """The required settings that are not set."""
        return tuple(
            setting
            for setting, entry in self.entries.items()
            if setting.is_needed(self.group.subject)
            and entry.value is None
            and not entry.problem
        )

    @property
    def state(self) -> str:
        """Its state, in words."""
        if self.problem:
            return "not usable"
        if self.group.subject is None:  # its first setting says it all
            first, entry = next(iter(self.entries.items()))
            return next(words for words, value in first.choices if value == entry.value)
        return "not set up" if self.missing else "set up"

    @property
    def is_touched(self) -> bool:
        """Whether anything is set for it."""
        return any(one.origin is not Origin.DEFAULT for one in self.entries.values())

    def text_of(self, setting: Setting[object]) -> str:
        """Return a value as a line for people."""
        value, entry = self.entries[setting].value, self.entries[setting]
        if entry.problem:
            return "wrong"
        if value is None:
            return setting.unset_text(self.group.subject)
        if isinstance(value, KeySource):
            kind, shown = described(value)
            return _KEY_WORDS[kind].format(shown)
        return clean(value_text(value))

    def lines(self) -> Iterator[tuple[Setting[object], str, str]]:
        """Yield the settings of interest, each with its value and origin in words."""
        for setting, entry in self.entries.items():
            if setting.is_seldom and entry.origin is Origin.DEFAULT:
                continue
            text = self.text_of(setting)
            where = entry.place if entry.origin is Origin.ENVIRONMENT else str(entry.origin)
            yield setting, text, "" if text == NOT_SET else where


_IN_PEM = "certificates in PEM"
"""The value where a variable does not name a file, but has its content."""
_KEY_WORDS = {
    "environment": "set, {}",
    "command": "printed by: {}",
    "file": "in the file {}",
    "sealed": "sealed by m3cred",
}


def read_setup(group: Group, places: Locations, environ: Mapping[str, str]) -> Setup:
    """Return what the settings file and these variables set of a group.

    Raises ``Problem`` when the file as a whole, or the name of a variable, is not understood;
    what is wrong with one value is in its entry.
    """
    path = places.settings
    table = tables_in(read_file(path), path).get(group.table, {})
    reading = _Reading(group, table, _variables(group, environ), places, environ)
    return Setup(group, {setting: reading.entry(setting) for setting in group.values()})


class _Reading(NamedTuple):
    """What is set of a group, in its table and in its variables."""

    group: Group
    table: Mapping[str, object]
    variables: Mapping[str, str]
    places: Locations
    environ: Mapping[str, str]

    def entry(self, setting: Setting[object]) -> Entry[object]:
        """Return the value of a setting, from its one source; the environment comes first."""
        rows = self.group.sources_of(setting)
        if used := [one for one in rows if one.name in self.variables]:
            return self._only(used, Origin.ENVIRONMENT)
        for name in setting.shared:
            if text := self.environ.get(name, "").strip():
                # What other tools take, too, is not checked more strictly than they do.
                shown = _IN_PEM if name.endswith("_BYTES") else text
                return Entry(shown, Origin.ENVIRONMENT, name)
        if used := [one for one in rows if self._is_in_table(one)]:
            return self._only(used, Origin.FILE)
        return Entry(setting.default, Origin.DEFAULT, self.group.path_of(setting))

    def _is_in_table(self, row: Setting[object]) -> bool:
        # A source that is set to false counts as not set.
        return row.name in self.table and not (row.source_of and self.table[row.name] is False)

    def _only(self, used: list[Setting[object]], origin: Origin) -> Entry[object]:
        is_variable = origin is Origin.ENVIRONMENT
        row = used[0]
        place = self.group.variable_of(row) if is_variable else self.group.path_of(row)
        try:
            if len(used) > 1:
                place = "the environment" if is_variable else self.group.table
                variables = [self.group.variable_of(one) for one in used]
                names = [one.name for one in used]
                raise SeveralSources(variables if is_variable else names)
            text = self.variables[row.name] if is_variable else _text(row, self.table)
            value = row.check(text, self.group.subject)
            if isinstance(value, Sealed) and not is_kept(self.places.keys, self.group.subject):
                raise NoSealedKey(self.group.subject)
        except Problem as problem:
            return Entry(None, origin, place, Misplaced(place, problem))
        return Entry(value, origin, place)


def _text(row: Setting[object], table: Mapping[str, object]) -> str:
    """Return a value of the file as it would be entered; raises ``WrongType``."""
    value = table[row.name]
    match row.kind:
        case Kind.TEXT if isinstance(value, str):
            return value
        case Kind.NUMBERS if isinstance(value, list):
            if all(type(one) is int for one in value):
                return value_text(tuple(value))
        case Kind.FLAG if value is True:
            return "true"
    raise WrongType(row.kind)


def _variables(group: Group, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values that variables set; an empty one sets none.

    Raises :class:`Misplaced` for a variable of a name that is not known.
    """
    found = {}
    known = {group.variable_of(one): one.name for one in group.settings if one.in_environment}
    # A group whose prefix begins with this one's has variables of its own.
    others = tuple(one.prefix for one in groups() if len(one.prefix) > len(group.prefix))
    for variable, text in environ.items():
        is_ours = variable.startswith(group.prefix) and not variable.startswith(others)
        if not is_ours or not tidy(text):
            continue
        if variable not in known:
            raise Misplaced("the environment", UnknownName("variable", variable, known))
        found[known[variable]] = text
    return found


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
    source = setup[SECRET_KEY].value
    assert source is not None  # noqa: S101 - the caller has checked
    opener = identity or IdentityFile(places.identity, places.data)
    try:
        secret_key = key_from(source, setup.destination, places, opener, environ)
    except IdentityLocked:
        raise
    except Problem as problem:
        raise Misplaced(setup[SECRET_KEY].place, problem) from None
    values = {setting.name: entry.value for setting, entry in setup.entries.items()}
    values[SECRET_KEY.name] = secret_key
    set_ones: Any = {
        one: values[one] for one in Platform._fields if values.get(one) is not None
    }
    return Platform(**set_ones)
