"""The port of the store, and the values that pass through it.

An engine stores credentials, including pending ones, and shares them with other processes and,
depending on the engine, with other machines. The rooms above use an engine through the
protocols below; only the wiring in ``cli`` knows which one it is.

Every method may be called from any thread, and may block unless it says otherwise. Each raises
``StoreUnusable`` when the engine does not work. A change also raises ``StoreBusy`` when others
did not let it through, and ``OutcomeUnknown`` when it was made but may not last. Once it has
returned, it survives a crash.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from m3cred_tui.model.credential import Credential, Event, TokenResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from m3cred_tui.model.authorization import AuthorizationRequest
    from m3cred_tui.model.check import CheckResult

    Change = Callable[[Credential, TokenResponse], tuple[Credential, TokenResponse]]
    Look = Callable[[Credential, TokenResponse], None]

Stamp = object
"""The state of something at one moment, to compare and to pass back."""


class Damaged(NamedTuple):
    """The row of a record that cannot be used; ``reason`` is a phrase."""

    id: str
    reason: str


Row = Credential | Damaged


class Newest(NamedTuple):
    """The first of the credentials' IDs, newest first, and the number of all."""

    ids: list[str]
    total: int


class CredentialStore(Protocol):
    """Stores credentials; cheap to construct, and accesses nothing until a method is called.

    A credential that is read expires when the tokens say that it was last stored with.
    """

    @property
    def team(self) -> str:
        """Where a team keeps these credentials; empty if they are on this machine."""

    @property
    def as_of(self) -> datetime | None:
        """When what is known was read, if it may have changed since."""

    @property
    def aside(self) -> Sequence[str]:
        """The IDs of approvals that are sealed on this machine until the team's store works."""

    @property
    def requests(self) -> Requests:
        """The authorization requests that Stripe has not answered, as pending credentials."""

    @property
    def checks(self) -> CheckResults:
        """The result of the last check of each credential."""

    @property
    def refreshes(self) -> Refreshes:
        """Replaces tokens, in one process at a time for each credential."""

    @property
    def disconnecting(self) -> Disconnections:
        """The credentials whose disconnection from Stripe was begun."""

    def ids(self) -> list[str]:
        """Return the ID of every credential: pending ones, then newest first."""

    def newest(self, most: int) -> Newest:
        """Return the first ``most`` of :meth:`ids`, and the number of all; does not block."""

    def pending_ids(self) -> list[str]:
        """Return the ID of every pending credential, newest first."""

    def stamp(self) -> Stamp:
        """Return a stamp that differs from every earlier one if anything has changed.

        It may also differ if nothing has. Does not block.
        """

    def changed_since(self, stamp: Stamp) -> list[str]:
        """Return the IDs of the credentials that were written since ``stamp`` was taken."""

    def read(self, credential_id: str) -> Row | None:
        """Return a credential without its secrets; ``None`` if there is none.

        A record that is incomplete, or of a newer version, is :class:`Damaged` and is kept.
        """

    def glance(self, credential_id: str) -> Row | None:
        """Return what :meth:`read` does, as far as it is known; does not block."""

    def read_many(self, credential_ids: Sequence[str]) -> list[Row | None]:
        """Return what :meth:`read` does for each ID, faster."""

    def verified(self, credential_id: str) -> Row | None:
        """Return what :meth:`read` does, once its secrets are opened and agree with it.

        Raises ``IdentityMissing`` and ``IdentityLocked`` if it cannot be opened at all.
        """

    def tokens(self, credential_id: str) -> TokenResponse:
        """Return the tokens of a credential; raises what :meth:`opened` does."""

    def opened(self, credential_id: str) -> tuple[Credential, TokenResponse]:
        """Return a credential and its tokens.

        Raises ``NotThere`` if it is gone or Stripe has not approved it, ``IdentityMissing``,
        ``IdentityLocked``, and ``CredentialDamaged`` if :meth:`verified` finds it damaged.
        """

    def prepare(self) -> None:
        """Make sure that an approval can be stored, by doing everything short of it.

        Call it before asking Stripe for what can be asked for only once. Also raises
        ``IdentityMissing`` and ``IdentityLocked``.
        """

    def keep_pending(self, credential: Credential, tokens: TokenResponse) -> None:
        """Store an approval until it is created or deleted, replacing its request.

        It may be stored again with other fields. Raises what :meth:`create` does.
        """

    def sealed(self, credential: Credential, tokens: TokenResponse) -> bytes:
        """Return an approval that cannot be stored as ASCII text for :meth:`keep_sealed`.

        Raises ``CannotBeKept``, ``IdentityMissing`` and ``IdentityLocked`` if it cannot even
        be sealed, as no identity was open in this process.
        """

    def keep_sealed(self, text: bytes) -> Credential:
        """Store an approval that :meth:`sealed` has returned.

        Raises ``NotSealed`` for anything else, and what :meth:`keep_pending` and :meth:`opened`
        do.
        """

    def create(
        self, credential: Credential, tokens: TokenResponse, names_seen: Stamp | None = None
    ) -> None:
        """Store a new credential, replacing the pending one with its ID.

        Raises ``AlreadyThere``, ``CannotBeKept``, ``IdentityMissing`` or ``IdentityLocked``
        when nothing was changed.

        With the stamp that the store had before its names were looked through, it raises
        ``NameTaken`` if another one has got this name since.
        """

    def update(
        self, credential_id: str, change: Change, names_seen: Stamp | None = None
    ) -> Credential:
        """Replace a created credential with the result of ``change``, and return that.

        Nobody else can change it meanwhile; ``change`` may be called more than once. Raises
        what :meth:`opened`, :meth:`create` and ``change`` do; then nothing was changed.
        ``names_seen`` is what :meth:`create` takes, for a change of the name.
        """

    def renew(self, credential_id: str, pending_id: str, change: Change) -> Credential:
        """Do what :meth:`update` does, then remove the pending credential of this ID.

        ``change`` puts its account and tokens in place of those of the created one, and its ID
        into ``approval``. A crash may leave the pending one behind: it has no effect, renewing
        again removes it, and so does :meth:`prepare`, by that ``approval``.
        """

    def delete(self, credential_id: str, look: Look | None = None) -> None:
        """Remove a credential, even a pending or damaged one; it may be gone already.

        ``look`` is given what :meth:`opened` returns, before anybody else can change it; what
        it or that raises is raised, and nothing was changed.
        """


class Requests(Protocol):
    """Stores authorization requests until they are approved or removed.

    If a record is damaged, each method raises ``CredentialDamaged``.
    """

    def keep(self, credential: Credential, request: AuthorizationRequest) -> None:
        """Store a request and its pending credential.

        Raises what ``CredentialStore.create`` does.
        """

    def read(self, credential_id: str) -> AuthorizationRequest:
        """Return a request; raises ``NotThere`` when it was answered or dropped meanwhile."""

    def waits(self, credential_id: str) -> bool:
        """Return whether a request is still unanswered."""

    def answer(self, credential: Credential, request: AuthorizationRequest) -> None:
        """Mark a request whose code is about to be sent (``Status.UNKNOWN``).

        Nobody else sends it then, and space for the approval is reserved. Raises
        ``AnsweredElsewhere`` if it is no longer unanswered, and what :meth:`keep` does.
        """

    def settle(self, credential_id: str) -> None:
        """Remove a request whose code was sent: Stripe has certainly connected no account."""

    def drop(self, credential_id: str) -> None:
        """Remove a request if it still exists; an approval stays."""

    def expire(self, now: datetime) -> list[Credential]:
        """Remove expired requests, and return their pending credentials."""


class CheckResults(Protocol):
    """Stores the results of checks; damaged ones are treated as missing."""

    def read(self) -> Mapping[str, CheckResult]:
        """Return the last result of each credential that was checked.

        Never raises; if the store does not work, results are missing.
        """

    def whole(self) -> Mapping[str, CheckResult]:
        """Return what :meth:`read` does, and no less: raises ``StoreUnusable``."""

    def keep(self, results: Mapping[str, CheckResult]) -> None:
        """Add these: of two for one credential the later, and none of a deleted one."""

    def stamp(self) -> Stamp:
        """Return a stamp that differs from every earlier one if a result was added."""


class Disconnections(Protocol):
    """Remembers which disconnections were begun, until the credential is deleted."""

    def ids(self) -> list[str]:
        """Return the IDs of those credentials that still exist."""

    def begin(self, credential_id: str) -> bool:
        """Remember that it was begun, and return whether it already had been."""

    def end(self, credential_id: str) -> None:
        """Forget it if possible; never raises."""


class Refreshes(Protocol):
    """Lets one process at a time refresh a credential."""

    def begun(self, credential_id: str) -> AbstractContextManager[Refresh]:
        """Keep every other process from refreshing a created credential, for a block.

        Begins by storing an answer that another process received but could not store. Blocks
        while another one waits for Stripe. Raises what ``CredentialStore.update`` does.
        """


class Refresh(Protocol):
    """A refresh of one credential; nobody else can begin one meanwhile."""

    @property
    def tokens(self) -> TokenResponse:
        """The current tokens."""

    @property
    def unanswered(self) -> AskedRefresh | None:
        """The request to replace these tokens whose answer is not known, if there is one."""

    def ask(self, now: datetime) -> AskedRefresh:
        """Return the request for Stripe; it is stored, and so is room for the answer."""

    def failed(self, asked: AskedRefresh) -> None:
        """Remember that Stripe has failed to answer, if possible."""

    def keep(self, tokens: TokenResponse, event: Event | None = None) -> None:
        """Replace the tokens with Stripe's answer; if this raises, ask Stripe again.

        Tokens that another approval has put in their place meanwhile stay. The credential
        remembers ``event``.
        """

    def forget(self) -> None:
        """Forget the request, as nothing more can come of it; never raises."""


_STUBBORN = timedelta(minutes=10)
"""How long a key is reused after Stripe has failed. Stripe may repeat that failure for a day;
but it may also have been a proxy's, and Stripe have an answer, so the key is not given up for
good."""


class AskedRefresh(NamedTuple):
    """A request to refresh tokens: if repeated within a day, it gets the same answer."""

    key: str
    """The idempotency key."""
    at: datetime
    """When it was first sent: the answer is no younger than that."""
    has_failed: bool = False
    """Whether Stripe has failed to answer it, by a 5xx status."""
    since: datetime | None = None
    """When another key was first used for the same tokens, if one was."""

    @property
    def begun_at(self) -> datetime:
        """When a replacement of these tokens was first requested, with whichever key."""
        return self.since or self.at

    @property
    def earlier(self) -> AskedRefresh | None:
        """The request with the previous key, dated as early as it can have been."""
        stem, _, number = self.key.rpartition("-")
        if number == "0":
            return None
        return AskedRefresh(f"{stem}-{int(number) - 1}", self.begun_at)

    def is_for(self, tokens: TokenResponse) -> bool:
        """Return whether it asks to replace these tokens."""
        return self.key.startswith(f"{_key_of(tokens)}-")


def asked_for(
    tokens: TokenResponse, before: AskedRefresh | None, now: datetime
) -> AskedRefresh:
    """Return the request to replace these tokens; ``before`` is the one before it, if any."""
    if before is None:
        return AskedRefresh(f"{_key_of(tokens)}-0", now)
    if before.has_failed and not before.at <= now < before.at + _STUBBORN:
        stem, _, number = before.key.rpartition("-")
        return AskedRefresh(f"{stem}-{int(number) + 1}", now, since=before.begun_at)
    return before


def _key_of(tokens: TokenResponse) -> str:
    """Return the same key for the same tokens, so that it cannot be lost while they exist.

    Both are in it: if Stripe leaves a refresh token as it is, another refresh is still another
    request. The tokens cannot be derived from it.
    """
    from hashlib import sha256  # noqa: PLC0415 - loads OpenSSL, and a list refreshes nothing

    secrets = tokens.refresh_token, tokens.access_token
    both = "\n".join(secret.reveal() if secret else "" for secret in secrets)
    return f"m3cred-{sha256(both.encode()).hexdigest()}"
