"""The settings in one table, a row each.

The file, the environment, ``m3cred config`` and its help, the Settings screen, doctor,
completion and docs/configuration.md read it, so a new setting is one new row.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from m3cred_tui.config import entered
from m3cred_tui.config.key_source import (
    KeySource,
    from_command,
    from_file,
    given,
    sealed,
    secret_id,
)
from m3cred_tui.config.problems import UnknownName
from m3cred_tui.model.authorization import CALLBACK_PORTS
from m3cred_tui.model.credential import DESTINATIONS, Destination, OAuthModel
from m3cred_tui.stripe.gateway import API_BASE, CONNECT_BASE, MARKETPLACE_BASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T_co = TypeVar("T_co", covariant=True)

NOT_SET = "not set"


class Kind(StrEnum):
    """What the file must hold as the value."""

    TEXT = "text"
    NUMBERS = "a list of whole numbers"
    FLAG = "true or false"
    """Written by m3cred alone, as a mark."""


class Setting(NamedTuple, Generic[T_co]):
    """A row of the table; functions in it take the subject of the group, as a destination."""

    name: str
    """In the file and, in capitals, in the environment."""
    label: str
    """On the Settings screen."""
    check: Callable[[str, Any], T_co]
    """Returns the value that a text stands for; raises ``Problem``."""
    help: str | Callable[[Any], str]
    kind: Kind = Kind.TEXT
    default: T_co | None = None
    otherwise: Callable[[Any], str] | None = None
    """What applies, in words, where nothing is set and there is no default."""
    example: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """The words and the value of each, where there are only a few."""
    is_needed: Callable[[Any], bool] = lambda _: False
    needed_as: str = ""
    """Its name where it is missing, if that says more than the label."""
    is_seldom: bool = False
    """Shown only where it is set."""
    in_file: bool = True
    in_environment: bool = True
    is_secret: bool = False
    """``config set`` asks for it and seals it; the file must not hold it."""
    source_of: str = ""
    """The setting whose value it gives, instead of the other sources."""
    shared: tuple[str, ...] = ()
    """Variables that people have for other tools, too; they take precedence over the file."""

    @property
    def noun(self) -> str:
        """Its name in a sentence."""
        label = self.label
        return label if label[:2].isupper() else label[0].lower() + label[1:]

    @property
    def is_settable(self) -> bool:
        """Whether ``config set`` sets it."""
        return self.kind is not Kind.FLAG and (self.in_file or self.is_secret)

    def unset_text(self, subject: Any) -> str:
        """Return what applies where nothing is set, in words."""
        if self.default is not None:
            return value_text(self.default)
        return self.otherwise(subject) if self.otherwise else NOT_SET

    def help_for(self, subject: Any) -> str:
        """Return what belongs there."""
        return self.help if isinstance(self.help, str) else self.help(subject)


def value_text(value: object) -> str:
    """Return a value as it is entered."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _always(_destination: Destination) -> bool:
    return True


def _in_live_mode(destination: Destination) -> bool:
    return destination.livemode


def _of_bao(*names: str) -> tuple[str, ...]:
    """Return the variables of OpenBao's and Vault's own tools, in their order."""
    return tuple(f"{prefix}{name}" for name in names for prefix in ("BAO_", "VAULT_"))


CLIENT_ID = Setting[str](
    "client_id",
    "Client id",
    entered.client_id,
    "ca_…, from the Connect or Stripe Apps settings of Stripe's dashboard. Live mode and test "
    "mode each have their own.",
    example="ca_…",
    is_needed=_always,
)
SECRET_KEY = Setting[KeySource](
    "secret_key",
    "Secret key",
    given,
    "The key itself.",
    is_needed=_always,
    in_file=False,
    is_secret=True,
)
SECRET_KEY_COMMAND = Setting[KeySource](
    "secret_key_command",
    "Secret key",
    from_command,
    "Run by /bin/sh, prints the key alone within 30 seconds. It has no terminal to ask on, so "
    "unlock what it needs first.",
    example="pass show stripe",
    source_of="secret_key",
)
SECRET_KEY_FILE = Setting[KeySource](
    "secret_key_file",
    "Secret key",
    from_file,
    "Holds the key alone. It must be yours, with no access for others (0600), like ssh's keys.",
    example="~/.secrets/stripe",
    source_of="secret_key",
)
SECRET_KEY_SEALED = Setting[KeySource](
    "secret_key_sealed",
    "Secret key",
    sealed,
    "true: m3cred has sealed the key. Written by m3cred config set.",
    kind=Kind.FLAG,
    in_environment=False,
    source_of="secret_key",
)
REDIRECT_URI = Setting[str](
    "redirect_uri",
    "Redirect URI",
    entered.redirect_uri,
    lambda destination: (
        "In live mode Stripe takes https:// only: a page on a web server of yours, which "
        "m3cred relay-page writes. Register the same address at Stripe."
        if destination.livemode
        else "Empty: one for each port, http://127.0.0.1:PORT/callback. Register the same at "
        "Stripe, character by character."
    ),
    example="https://…",
    otherwise=lambda destination: (
        NOT_SET if destination.livemode else "http://127.0.0.1:PORT/callback"
    ),
    is_needed=_in_live_mode,
    needed_as="HTTPS redirect URI",
)
PORTS = Setting[tuple[int, ...]](
    "ports",
    "Ports",
    entered.ports,
    "1 to 10 ports from 1024 up; the first that is free is listened on.",
    kind=Kind.NUMBERS,
    default=CALLBACK_PORTS,
)
OAUTH = Setting[OAuthModel](
    "oauth",
    "OAuth model",
    entered.oauth_model,
    "How accounts give access: by Connect, or by an app of Stripe Apps.",
    default=OAuthModel.CONNECT,
    choices=(("Connect", "connect"), ("Stripe Apps", "apps")),
)
CHANNEL = Setting[str](
    "channel",
    "Channel",
    entered.channel,
    "chnlink_…, from the install link of an app that is not published yet; otherwise empty.",
    example="chnlink_…",
    is_seldom=True,
)


def _base(name: str, label: str, default: str) -> Setting[str]:
    """Return the row of an address of Stripe, which only tests set."""
    what = "For tests only: the address of another Stripe, such as that of m3cred demo-stripe."
    return Setting(
        name, label, entered.base, what, default=default, is_seldom=True, in_file=False
    )


CONNECT_AT = _base("connect_base", "Connect at", CONNECT_BASE)
MARKETPLACE_AT = _base("marketplace_base", "Marketplace at", MARKETPLACE_BASE)
API_AT = _base("api_base", "API at", API_BASE)

ENGINE = Setting[str](
    "engine",
    "Store",
    entered.engine,
    "Where credentials are kept: in a directory on this machine, or for a team on OpenBao or "
    "HashiCorp Vault. Used at the next start.",
    default="directory",
    choices=tuple((words, name) for name, words in entered.ENGINES.items()),
)
ADDRESS = Setting[str](
    "address",
    "Address",
    entered.store_address,
    "https://… of OpenBao or Vault; of several nodes, all, with a space between. BAO_ADDR and "
    "VAULT_ADDR take precedence.",
    example="https://bao.example.com:8200",
    is_seldom=True,
    shared=_of_bao("AGENT_ADDR", "ADDR"),
)
MOUNT = Setting[str](
    "mount",
    "Mount",
    entered.store_path,
    "The path of a secrets engine of KV version 2.",
    default="secret",
    is_seldom=True,
)
PATH = Setting[str](
    "path",
    "Path",
    entered.store_path,
    "Where below the mount the credentials are.",
    default="m3cred",
    is_seldom=True,
)
NAMESPACE = Setting[str](
    "namespace",
    "Namespace",
    entered.store_path,
    "Usually none. BAO_NAMESPACE and VAULT_NAMESPACE take precedence.",
    is_seldom=True,
    shared=_of_bao("NAMESPACE"),
)
CA_FILE = Setting[str](
    "ca_file",
    "CA file",
    entered.store_file,
    "Certificates of the authority that has signed the store's, if this machine does not know "
    "it. BAO_CACERT and VAULT_CACERT take precedence, and so do BAO_CACERT_BYTES and "
    "VAULT_CACERT_BYTES, which have the certificates themselves.",
    example="~/bao-ca.pem",
    is_seldom=True,
    shared=_of_bao("CACERT", "CACERT_BYTES"),
)

ROLE_ID = Setting[str](
    "role_id",
    "Role id",
    entered.store_role,
    "Of an AppRole, for pipelines: m3cred logs in with it where no variable has a token, and "
    "revokes the token at its end.",
    is_seldom=True,
)
SECRET_ID = Setting[KeySource](
    "secret_id",
    "Secret id",
    secret_id,
    "The secret id of the AppRole itself.",
    in_file=False,
    is_seldom=True,
)
SECRET_ID_COMMAND = Setting[KeySource](
    "secret_id_command",
    "Secret id",
    from_command,
    "Run by /bin/sh, prints the secret id alone within 30 seconds.",
    source_of="secret_id",
)
SECRET_ID_FILE = Setting[KeySource](
    "secret_id_file",
    "Secret id",
    from_file,
    "Holds the secret id alone. It must be yours, with no access for others (0600).",
    source_of="secret_id",
)

OF_THE_STORE: tuple[Setting[object], ...] = (
    ENGINE,
    ADDRESS,
    MOUNT,
    PATH,
    NAMESPACE,
    CA_FILE,
    ROLE_ID,
    SECRET_ID,
    SECRET_ID_COMMAND,
    SECRET_ID_FILE,
)

OF_A_DESTINATION: tuple[Setting[object], ...] = (
    CLIENT_ID,
    SECRET_KEY,
    SECRET_KEY_COMMAND,
    SECRET_KEY_FILE,
    SECRET_KEY_SEALED,
    REDIRECT_URI,
    PORTS,
    OAUTH,
    CHANNEL,
    CONNECT_AT,
    MARKETPLACE_AT,
    API_AT,
)


class Group(NamedTuple):
    """Settings that share a table of the file and a prefix of the environment's variables."""

    table: str
    label: str
    settings: tuple[Setting[object], ...]
    subject: Any = None
    """What the rows' functions take: a destination, or whatever the group is about."""

    @property
    def prefix(self) -> str:
        """What its variables begin with."""
        return f"M3CRED_{self.table.upper()}_"

    def path_of(self, setting: Setting[object]) -> str:
        """Return what a setting is called in commands: ``stripe.ports``."""
        return f"{self.table}.{setting.name}"

    def variable_of(self, setting: Setting[object]) -> str:
        """Return the variable that sets it: ``M3CRED_STRIPE_PORTS``."""
        return f"{self.prefix}{setting.name.upper()}"

    def values(self) -> Iterator[Setting[object]]:
        """Yield the settings that are not sources of another one."""
        return (one for one in self.settings if not one.source_of)

    def value_of(self, setting: Setting[object]) -> Setting[object]:
        """Return the setting whose value this one gives: itself, unless it is a source."""
        name = setting.source_of or setting.name
        return next(one for one in self.settings if one.name == name)

    def sources_of(self, setting: Setting[object]) -> list[Setting[object]]:
        """Return the rows that give the same value as this one, which is among them."""
        value = self.value_of(setting)
        return [one for one in self.settings if one is value or one.source_of == value.name]


def group_of(destination: Destination) -> Group:
    """Return the settings of a destination."""
    table = destination.code.lower()
    return Group(table, destination.label, OF_A_DESTINATION, destination)


STORE = Group("store", "Store", OF_THE_STORE)


def groups() -> tuple[Group, ...]:
    """Return every group; add one that belongs to no destination here."""
    return (*map(group_of, DESTINATIONS), STORE)


def settable() -> dict[str, tuple[Group, Setting[object]]]:
    """Return what ``config set`` takes, by its name: ``stripe.ports``."""
    return {
        group.path_of(setting): (group, setting)
        for group in groups()
        for setting in group.settings
        if setting.is_settable
    }


def setting_named(name: str) -> tuple[Group, Setting[object]]:
    """Return the setting of this name that ``config set`` takes; raises ``UnknownName``."""
    known = settable()
    if name not in known:
        raise UnknownName("setting", name, known)
    return known[name]
