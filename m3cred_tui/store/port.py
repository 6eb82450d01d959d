"""The port of the store, and the values that it speaks in.

An engine keeps credentials, pending ones among them, and shares them with other processes and,
as the engine may be, with other machines. Everybody above this room uses an engine by the
protocols below; only the wiring in ``cli`` knows which one it is.

Every method may be called from any thread, and may block, except those that say otherwise.
Each raises ``StoreUnusable`` when the engine does not work. A change raises ``StoreBusy``, too,
when others did not let it through, and ``OutcomeUnknown`` when it was made but may not last.
When it returns, it survives a crash.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from m3cred_tui.model.credential import Credential, TokenResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from m3cred_tui.model.authorization import AuthorizationRequest
    from m3cred_tui.model.check import CheckResult

    Change = Callable[[Credential, TokenResponse], tuple[Credential, TokenResponse]]

Stamp = object
"""Stands for the state of something at one moment, to be compared and handed back."""


class Damaged(NamedTuple):
    """A record that cannot be used, as a row that can be seen; ``reason`` is a phrase."""

    id: str
    reason: str


Row = Credential | Damaged


class Newest(NamedTuple):
    """The first of the credentials' IDs, newest first, and how many there are in all."""

    ids: list[str]
    total: int


class CredentialStore(Protocol):
    """Keeps credentials; cheap to construct, and touches nothing by itself."""

    @property
    def requests(self) -> Requests:
        """The authorization requests that Stripe has not answered, as pending credentials."""

    @property
    def checks(self) -> CheckResults:
        """The result of the last check of each credential."""

    @property
    def refreshes(self) -> Refreshes:
        """The replacing of tokens, by one process at a time for each credential."""

    @property
    def disconnecting(self) -> Disconnections:
        """The credentials whose disconnection from Stripe was begun."""

    def ids(self) -> list[str]:
        """Return the ID of every credential: pending ones, then newest first."""

    def newest(self, most: int) -> Newest:
        """Return the first ``most`` of :meth:`ids`, and how many there are; does not wait."""

    def pending_ids(self) -> list[str]:
        """Return the ID of every pending credential, newest first."""

    def stamp(self) -> Stamp:
        """Return a stamp that differs from every earlier one when anything has changed.

        It may differ where nothing has changed. Does not wait.
        """

    def changed_since(self, stamp: Stamp) -> list[str]:
        """Return the IDs of the credentials that were written since ``stamp`` was taken."""

    def read(self, credential_id: str) -> Row | None:
        """Return a credential without its secrets; ``None`` if it is gone or never was.

        A record that is not whole, or of a newer version, is :class:`Damaged`, and stays.
        """

    def read_many(self, credential_ids: Sequence[str]) -> list[Row | None]:
        """Return for each ID what :meth:`read` does, faster."""

    def verified(self, credential_id: str) -> Row | None:
        """Return what :meth:`read` does, after its secrets were opened and agree with it.

        Raises ``IdentityMissing`` and ``IdentityLocked`` where it cannot be opened at all.
        """

    def tokens(self, credential_id: str) -> TokenResponse:
        """Return the tokens of a credential; raises what :meth:`opened` does."""

    def opened(self, credential_id: str) -> tuple[Credential, TokenResponse]:
        """Return a credential and its tokens.

        Raises ``NotThere`` where it is gone or Stripe has not approved it, ``IdentityMissing``,
        ``IdentityLocked``, and ``CredentialDamaged`` where :meth:`verified` finds it damaged.
        """

    def prepare(self) -> None:
        """Make sure that what Stripe will approve can be kept, by doing all of it but that.

        Call it before Stripe is asked for what cannot be asked for twice. Raises
        ``IdentityMissing`` and ``IdentityLocked``, too.
        """

    def keep_pending(self, credential: Credential, tokens: TokenResponse) -> None:
        """Keep an approval until it is created or deleted, in place of its request.

        It may be kept again with other fields. Raises what :meth:`create` does.
        """

    def create(self, credential: Credential, tokens: TokenResponse) -> None:
        """Keep a new credential, in place of the pending one with its ID.

        Raises ``AlreadyThere``, ``CannotBeKept``, ``IdentityMissing`` or ``IdentityLocked``
        when nothing was changed.
        """

    def update(self, credential_id: str, change: Change) -> Credential:
        """Replace a created credential by what ``change`` makes of it, and return that.

        Nobody else can change it meanwhile; ``change`` may be called more than once. Raises
        what :meth:`opened` and :meth:`create` do, and what ``change`` does; then nothing was
        changed.
        """

    def delete(self, credential_id: str) -> None:
        """Remove a credential, pending or damaged or not; one that is gone already is fine."""


class Requests(Protocol):
    """Keeps authorization requests, which become approvals or go.

    Where a record is damaged, each raises ``CredentialDamaged``.
    """

    def keep(self, credential: Credential, request: AuthorizationRequest) -> None:
        """Keep a request, and the pending credential that it is for.

        Raises what ``CredentialStore.create`` does.
        """

    def read(self, credential_id: str) -> AuthorizationRequest:
        """Return a request; raises ``NotThere`` when it was answered or dropped meanwhile."""

    def waits(self, credential_id: str) -> bool:
        """Return whether a request is still to be answered."""

    def answer(self, credential_id: str) -> None:
        """Remove a request whose code is about to be sent, so that nobody else sends it.

        Raises ``AnsweredElsewhere`` when it is not there any more.
        """

    def drop(self, credential_id: str) -> None:
        """Remove a request if it is still there; an approval stays."""

    def expire(self, now: datetime) -> list[Credential]:
        """Remove the requests whose time is over, and return their pending credentials."""


class CheckResults(Protocol):
    """Keeps what checks said; results that cannot be read were never kept."""

    def read(self) -> Mapping[str, CheckResult]:
        """Return the last result of each credential that was checked; never raises."""

    def keep(self, results: Mapping[str, CheckResult]) -> None:
        """Keep these, too, the later of two for one credential; those that are gone go."""

    def stamp(self) -> Stamp:
        """Return a stamp that differs from every earlier one when a result was kept."""


class Disconnections(Protocol):
    """Remembers which disconnections were begun, until the credential is deleted."""

    def ids(self) -> list[str]:
        """Return the IDs of the credentials that are still there."""

    def begin(self, credential_id: str) -> bool:
        """Remember that it is begun, and return whether it was before."""

    def end(self, credential_id: str) -> None:
        """Forget it, if that can be done; never raises."""


class Refreshes(Protocol):
    """Lets one process at a time refresh a credential."""

    def begun(self, credential_id: str) -> AbstractContextManager[Refresh]:
        """Keep every other process from refreshing a created credential, for a block.

        An answer that another process could not put in place is in place by then. Blocks while
        another one waits for Stripe. Raises what ``CredentialStore.update`` does.
        """


class Refresh(Protocol):
    """A refresh of one credential, which nobody else can begin meanwhile."""

    @property
    def tokens(self) -> TokenResponse:
        """The tokens that count now."""

    @property
    def unanswered(self) -> AskedRefresh | None:
        """What Stripe was asked for these tokens, without an answer that is known."""

    def ask(self, now: datetime) -> AskedRefresh:
        """Return what to ask Stripe with: it is kept, and so will the answer be."""

    def failed(self, asked: AskedRefresh) -> None:
        """Remember that Stripe has failed to answer, if that can be done."""

    def keep(self, tokens: TokenResponse) -> None:
        """Put Stripe's answer in place of the tokens; should it raise, ask Stripe again.

        If others have replaced the tokens meanwhile, by another approval, theirs stay.
        """

    def forget(self) -> None:
        """Forget what was asked, as nothing more can come of it; never raises."""


_STUBBORN = timedelta(minutes=10)
"""How long the same key is used after Stripe has failed. Stripe may give the same failure to it
for a day; but the failure may also be of a proxy, and the answer be there, so that the key is
not given up for good."""


class AskedRefresh(NamedTuple):
    """A refresh that Stripe is asked for: to ask again within a day gets the same answer."""

    key: str
    """The idempotency key."""
    at: datetime
    """When it was asked first: the answer is not younger than that."""
    has_failed: bool = False
    """Whether Stripe has failed to answer it, by a 5xx status."""
    since: datetime | None = None
    """When another key was used first for the same tokens, if one was."""

    @property
    def begun_at(self) -> datetime:
        """When these tokens were to be replaced first, under whichever key."""
        return self.since or self.at

    @property
    def earlier(self) -> AskedRefresh | None:
        """What was asked under the key before this one; it is put down as old as it can be."""
        stem, _, number = self.key.rpartition("-")
        if number == "0":
            return None
        return AskedRefresh(f"{stem}-{int(number) - 1}", self.begun_at)

    def is_for(self, tokens: TokenResponse) -> bool:
        """Return whether it asks for the successors of these tokens."""
        return self.key.startswith(f"{_key_of(tokens)}-")


def asked_for(
    tokens: TokenResponse, before: AskedRefresh | None, now: datetime
) -> AskedRefresh:
    """Return what to ask for these tokens, where ``before`` was asked for them before."""
    if before is None:
        return AskedRefresh(f"{_key_of(tokens)}-0", now)
    if before.has_failed and not before.at <= now < before.at + _STUBBORN:
        stem, _, number = before.key.rpartition("-")
        return AskedRefresh(f"{stem}-{int(number) + 1}", now, since=before.begun_at)
    return before


def _key_of(tokens: TokenResponse) -> str:
    """Return the same key for the same tokens, so that it cannot be lost while they are there.

    Both are in it: should Stripe leave a refresh token as it is, another refresh is yet another
    question. Nobody can find the tokens by it.
    """
    from hashlib import sha256  # noqa: PLC0415 - loads OpenSSL, and a list refreshes nothing

    secrets = tokens.refresh_token, tokens.access_token
    both = "\n".join(secret.reveal() if secret else "" for secret in secrets)
    return f"m3cred-{sha256(both.encode()).hexdigest()}"
