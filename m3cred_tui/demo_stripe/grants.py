"""Accounts, what they were asked for, what they have granted, and the memory of it."""

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from m3cred_tui.model.credential import OAuthModel
from m3cred_tui.model.text import clean

_FIRST = (
    "Amber", "Bramble", "Cedar", "Clover", "Copper", "Coral", "Fern", "Harbour", "Hazel",
    "Heron", "Indigo", "Juniper", "Lantern", "Linden", "Maple", "Marble", "Meadow", "Orchard",
    "Pebble", "Quill", "Saffron", "Sparrow", "Thistle", "Willow",
)  # fmt: skip
_SECOND = (
    "Analytics", "Atlas", "Books", "Cloud", "Coffee", "Compute", "Energy", "Freight", "Games",
    "Health", "Insights", "Labs", "Learning", "Logistics", "Maps", "Media", "Metering",
    "Mobility", "Networks", "Robotics", "Software", "Storage", "Studio", "Water",
)  # fmt: skip
# Country, currency, and legal form.
_PLACES = (
    ("AU", "aud", "Pty Ltd"),
    ("DE", "eur", "GmbH"),
    ("FR", "eur", "SAS"),
    ("GB", "gbp", "Ltd"),
    ("IE", "eur", "Ltd"),
    ("NL", "eur", "B.V."),
    ("SE", "sek", "AB"),
    ("US", "usd", "Inc."),
)


@dataclass(frozen=True, slots=True)
class Account:
    """The demo's reduced Stripe account, the same in live and test mode."""

    id: str
    email: str
    name: str
    trading_name: str
    country: str
    currency: str

    def facts(self) -> dict[str, object]:
        """Return the Account object of Stripe's API; it has no ``livemode``."""
        return {
            "id": self.id,
            "object": "account",
            "business_profile": {"name": self.name, "support_email": None, "url": None},
            "charges_enabled": True,
            "country": self.country,
            "default_currency": self.currency,
            "details_submitted": True,
            "email": self.email,
            "payouts_enabled": True,
            "settings": {
                "dashboard": {"display_name": self.trading_name, "timezone": "Etc/UTC"}
            },
            "type": "standard",
        }


M3TER = Account("acct_1DemoPlatformM3ter", "demo@m3ter.example", "m3ter", "m3ter", "GB", "gbp")
"""The platform's own account."""


def account_of(email: str) -> Account:
    """Return the account that belongs to ``email``."""
    shown = clean(email)
    digest = sha256(shown.casefold().encode()).digest()
    country, currency, form = _PLACES[digest[2] % len(_PLACES)]
    trading_name = f"{_FIRST[digest[0] % len(_FIRST)]} {_SECOND[digest[1] % len(_SECOND)]}"
    account_id = f"acct_1Demo{digest[3:9].hex()}"
    return Account(account_id, shown, f"{trading_name} {form}", trading_name, country, currency)


CODE_LIFETIME = 300.0
"""Seconds; Stripe's five minutes."""

REFRESH_TOKEN_LIFETIME = 365 * 86_400.0
"""Seconds; a year with Stripe Apps. Connect's tokens last until they are revoked."""

SCOPES = ("read_only", "read_write")
"""Of Connect, from the narrowest to the widest."""

APPS_SCOPE = "stripe_apps"
"""The scope in replies of Stripe Apps, whose rights are in the app's manifest."""


def mode(*, livemode: bool) -> str:
    """Return the mode as in Stripe's prefixes: ``live`` or ``test``."""
    return "live" if livemode else "test"


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The platform's request (RFC 6749, section 4.1.1), checked."""

    livemode: bool
    redirect_uri: str
    scope: str
    state: str | None
    oauth: OAuthModel = OAuthModel.CONNECT
    prefilled_email: str = ""

    @property
    def redirect_origin(self) -> str:
        """The scheme, host and port of the redirect URI."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"

    def redirect(self, **parameters: str) -> str:
        """Return the redirect with these parameters, and the state unchanged."""
        if self.state is not None:
            parameters["state"] = self.state
        separator = "&" if urlsplit(self.redirect_uri).query else "?"
        return f"{self.redirect_uri}{separator}{urlencode(parameters)}"


@dataclass(slots=True)
class Session:
    """A person's progress with an authorization request."""

    id: str
    request: AuthorizationRequest
    begun_at: float
    account: Account | None = None
    redirect: str | None = None
    """The result of the first decision, which is final."""
    approved: bool = False


@dataclass(slots=True)
class Grant:
    """One approval by an account's owner, from the code to the revocation."""

    account: Account
    livemode: bool
    scope: str
    oauth: OAuthModel
    approved_at: float
    refresh_token: str | None = None
    """The valid one; ``None`` until the code has been exchanged."""
    refreshed_at: float = 0.0
    access_token: str | None = None
    """The latest; with Stripe Apps, the only valid one."""
    revoked: bool = False

    def connects(self, account_id: str, *, livemode: bool, oauth: OAuthModel) -> bool:
        """Return whether this grant gives access to this account in this mode."""
        wanted = (account_id, livemode, oauth)
        return self.is_connected and (self.account.id, self.livemode, self.oauth) == wanted

    @property
    def is_connected(self) -> bool:
        """Whether the code was exchanged and its tokens are not revoked."""
        return self.refresh_token is not None and not self.revoked


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token that was issued."""

    grant: Grant
    expires_at: float

    def is_valid(self, token: str, now: float) -> bool:
        """Return whether it gives access; with Stripe Apps, a refresh invalidates it."""
        if self.grant.revoked or now >= self.expires_at:
            return False
        return self.grant.oauth is OAuthModel.CONNECT or self.grant.access_token == token


@dataclass(frozen=True, slots=True)
class TokenReply:
    """The tokens that an exchange or a refresh grants."""

    grant: Grant
    scope: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def facts(self) -> dict[str, object]:
        """Return the token response; as at Stripe, without ``expires_in``."""
        livemode, account_id = self.grant.livemode, self.grant.account.id
        key = f"pk_{mode(livemode=livemode)}_{account_id.removeprefix('acct_')}"
        return {
            "access_token": self.access_token,
            "livemode": livemode,
            "refresh_token": self.refresh_token,
            "scope": self.scope,
            "stripe_publishable_key": key,
            "stripe_user_id": account_id,
            "token_type": "bearer",
        }


_ACCOUNT_ID = re.compile(r"acct_1Demo[0-9a-f]{12}")
_MAX_FILE = 1000


class Memory:
    """Remembers unused codes, and connections of Connect, whose tokens never expire.

    Demos may share it.
    """

    def __init__(
        self, directory: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """Use this directory; without one, nothing is remembered."""
        self._directory = directory
        self._clock = clock

    def remember(self, account: Account, *, livemode: bool) -> None:
        """Remember a connection."""
        with suppress(OSError):
            path = self._path(account.id, livemode=livemode)
            # Not what is above it, which may be another user's.
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.write_text(account.email, "utf-8")

    def forget(self, account_id: str, *, livemode: bool) -> None:
        """Forget a connection, if there is one."""
        with suppress(OSError):
            self._path(account_id, livemode=livemode).unlink()

    def recall(self, account_id: str, *, livemode: bool) -> Account | None:
        """Return the account, if it is connected in this mode."""
        with suppress(OSError, ValueError):
            with self._path(account_id, livemode=livemode).open(encoding="utf-8") as file:
                account = account_of(file.read(_MAX_FILE))
            return account if account.id == account_id else None
        return None

    def keep_code(self, code: str, grant: Grant) -> None:
        """Remember a grant that was approved now, for the five minutes of its code."""
        kept = {
            "email": grant.account.email,
            "livemode": grant.livemode,
            "scope": grant.scope,
            "oauth": grant.oauth,
            "approved_at": self._clock(),
        }
        with suppress(OSError):
            path = self._path_of_code(code)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            for other in path.parent.glob("code-*"):
                if self._clock() - other.stat().st_mtime >= CODE_LIFETIME:
                    other.unlink(missing_ok=True)
            path.touch(mode=0o600)
            path.write_text(json.dumps(kept), "utf-8")

    def recall_code(self, code: str, now: float) -> Grant | None:
        """Return the grant of an unused code, with its times on the clock that says ``now``."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            with self._path_of_code(code).open(encoding="utf-8") as file:
                kept = json.loads(file.read(_MAX_FILE))
            approved_at = now - max(self._clock() - kept["approved_at"], 0)
            account, oauth = account_of(kept["email"]), OAuthModel(kept["oauth"])
            return Grant(account, kept["livemode"], kept["scope"], oauth, approved_at)
        return None

    def forget_code(self, code: str) -> None:
        """Forget a code that was used."""
        with suppress(OSError):
            self._path_of_code(code).unlink()

    def _path_of_code(self, code: str) -> Path:
        """Return the file of a code; raises :class:`OSError` where nothing is remembered."""
        if self._directory is None:
            raise FileNotFoundError
        digest = sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
        return self._directory / f"code-{digest[:32]}"

    def _path(self, account_id: str, *, livemode: bool) -> Path:
        """Return the file of a connection; raises :class:`OSError` if there cannot be one."""
        if self._directory is None or not _ACCOUNT_ID.fullmatch(account_id):
            raise FileNotFoundError(account_id)
        return self._directory / f"{mode(livemode=livemode)}-{account_id}"
