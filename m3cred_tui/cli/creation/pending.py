"""Which pending credential a word means, and how far it is."""

from collections.abc import Sequence

from m3cred_tui.cli.selecting import intact
from m3cred_tui.cli.wiring import now
from m3cred_tui.listing.columns import clock_time
from m3cred_tui.model.authorization import TIME_LIMIT
from m3cred_tui.model.credential import Credential, Status, is_credential_id
from m3cred_tui.model.name import name_key
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import CUT, clean
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.store.problems import NotThere


class NothingPending(Problem, code="NothingPending"):
    """No credential is pending."""

    text = "No credential is pending. Begin one with m3cred create --name NAME."


class NotPending(Problem, code="NotPending"):
    """No pending credential has this ID or name."""

    text = "No pending credential has the ID or name “{word}”. {_others}"
    word: str
    pending: Sequence[Credential]

    @property
    def _others(self) -> str:
        return f"Pending: {_listed(self.pending)}." if self.pending else "None is pending."


class RequestExpired(Problem, code="RequestExpired"):
    """The authorization request was removed, as nobody approved it in time."""

    text = "“{expired.name}” was not approved in ten minutes. Start again with m3cred {_again}."
    expired: Credential
    _again = property(lambda self: "reauthorize" if self.expired.renews else "create")


class SeveralPending(Problem, code="SeveralPending"):
    """Several credentials are pending, and none was named."""

    text = "Say which one, by its name or ID: {_listed}."
    pending: Sequence[Credential]

    @property
    def _listed(self) -> str:
        return _listed(self.pending)


def find_pending(
    store: CredentialStore, word: str | None, expired: Sequence[Credential] = ()
) -> Credential:
    """Return the pending credential that :func:`selected` would; or the only one.

    By its whole ID, one that is created already is found, too. ``expired`` are those that have
    just been removed. Raises ``Problem``: :class:`NothingPending`, :class:`NotPending`,
    :class:`RequestExpired`, :class:`SeveralPending`, and what the store does.
    """
    if word is not None and is_credential_id(word):
        for one in expired:
            if one.id == word:
                raise RequestExpired(one)
        row = store.read(word) or _renewed_by(store, word)
        if row is None:
            raise NotThere(word)
        return intact(row)
    rows = map(store.read, store.pending_ids())
    pending = [row for row in rows if isinstance(row, Credential)]
    found = _called(word, pending)
    if len(found) > 1:
        raise SeveralPending(found)
    if found:
        return found[0]
    if gone := _called(word, expired):
        raise RequestExpired(gone[0])
    raise NothingPending if word is None else NotPending(clean(word, most=64), pending)


def _renewed_by(store: CredentialStore, approval: str) -> Credential | None:
    rows = store.read_many(store.ids())
    return next(
        (row for row in rows if isinstance(row, Credential) and row.approval == approval), None
    )


def _called(word: str | None, among: Sequence[Credential]) -> Sequence[Credential]:
    if word is None:
        return among
    named = [one for one in among if name_key(one.name) == name_key(word)]
    if named or not word:
        return named
    part = word.strip().removeprefix(CUT).lower()
    return [
        one
        for one in among
        if one.id.startswith(part)
        or one.id.endswith(part)
        or (one.account is not None and one.account.id == word.strip())
    ]


def state_of(pending: Credential) -> str:
    """Say how far a pending credential is, as a sentence without its full stop."""
    if pending.account is not None:
        approved = f"Stripe has approved {pending.account.id} for “{pending.name}”"
        then = "keeps its old tokens until that is confirmed" if pending.renews else ""
        return f"{approved}, which {then or 'is not created yet'}"
    if pending.status is Status.UNKNOWN:
        return f"the code for “{pending.name}” was sent to Stripe, and no answer is known"
    until = clock_time(pending.created_at + TIME_LIMIT, now())
    again = ", to be authorized again" if pending.renews else ""
    return f"“{pending.name}” waits for Stripe until {until}{again}"


def _listed(pending: Sequence[Credential]) -> str:
    return "; ".join(f"{one.id}, {state_of(one)}" for one in pending)
