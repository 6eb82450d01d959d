"""The user's store, and the credential in it that a word on the command line selects."""

import os
import shlex
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from m3cred_tui.cli.ending import failed
from m3cred_tui.cli.output.streams import complain
from m3cred_tui.config.locations import Locations, locations
from m3cred_tui.listing.columns import Row, sealed_here
from m3cred_tui.model.credential import Credential
from m3cred_tui.model.name import name_key, tidy_name
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import CUT, clean
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.store.problems import CredentialDamaged


class Opened(NamedTuple):
    """The file locations, the identity and the store that a command works on."""

    places: Locations
    identity: IdentityFile
    store: CredentialStore

    def unlock(self, passphrase_fd: int | None) -> None:
        """Unlock the identity; raises what ``prompts.unlock`` does."""
        from m3cred_tui.cli.output.prompts import unlock  # noqa: PLC0415 - `list` asks nothing

        unlock(self.identity, passphrase_fd)

    def for_team(self) -> Sequence[Row | None]:
        """Return the approvals that are sealed on this machine until a team's store works."""
        store = DirectoryStore(self.places.team, self.identity)
        return store.read_many(store.pending_ids())


def opened(*, demo: bool) -> Opened:
    """Return the store and its surroundings; raises what :func:`opened_at` does."""
    return opened_at(locations(demo=demo), demo=demo)


def opened_at(
    places: Locations, identity: IdentityFile | None = None, *, demo: bool = False
) -> Opened:
    """Return the store at these locations, with the identity that was unlocked, if one was.

    The only place that knows which engine of the store is in use. Nothing is read yet but the
    settings of a team's store, if there may be one: raises ``Problem`` if they are wrong.
    """
    identity = identity or IdentityFile(places.identity, places.data)
    if not demo and _may_be_a_teams(places):
        from m3cred_tui.cli.team import team_store  # noqa: PLC0415 - and httpx, for teams only

        if store := team_store(places, identity, os.environ):
            return Opened(places, identity, store)
    return Opened(places, identity, DirectoryStore(places.data, identity))


def _may_be_a_teams(places: Locations) -> bool:
    """Return whether the settings must be read to know; the first paint does without."""
    if "M3CRED_STORE_ENGINE" in os.environ:
        return True
    try:
        return b"engine" in places.settings.read_bytes()
    except OSError:
        return False


def tell_aside(store: CredentialStore) -> None:
    """Say which approvals are only on this machine, as a team's store could not take them."""
    for one, text in sealed_here(store):
        complain(f"{text} To continue: m3cred resume {one}")


LEAST_PART = 4
"""Characters of an ID; with fewer, a typing error could select a credential."""

_MOST_TOLD = 5
_ID_LETTERS = frozenset("0123456789abcdef-")
_ID_LENGTH = 36


class UnknownCredential(Problem, code="UnknownCredential"):
    """No credential has this name or ID; the message has the nearest name."""

    text = "There is no credential {word}{_near}"
    word: str
    nearest: str | None

    @property
    def _near(self) -> str:
        return f"; did you mean “{self.nearest}”?" if self.nearest else "; see m3cred list."


class AmbiguousCredential(Problem, code="AmbiguousCredential"):
    """Several credentials have this name or account, or an ID that begins or ends so."""

    text = "{word} may be any of {_count:,} credentials; say which one by its ID: {_several}."
    word: str
    found: Sequence[Row]

    @property
    def _count(self) -> int:
        return len(self.found)

    @property
    def _several(self) -> str:
        told = ", ".join(map(_described, self.found[:_MOST_TOLD]))
        more = self._count - _MOST_TOLD
        return told if more <= 0 else f"{told} and {more:,} more"


def selected(store: CredentialStore, word: str) -> Row:
    """Return the credential with this ID, name or account's ID, or this end of its ID.

    The beginning of an ID is taken, too; but those of one time begin alike. Damaged and pending
    ones are found, too. A word that matches several selects none: raises
    :class:`AmbiguousCredential`, :class:`UnknownCredential`, ``StoreUnusable``.
    """
    typed = word.strip().removeprefix(CUT).lower()
    is_part = len(typed) >= LEAST_PART and _ID_LETTERS.issuperset(typed)
    if is_part and len(typed) == _ID_LENGTH and (row := store.read(typed)):
        return row
    rows = [row for row in store.read_many(store.ids()) if row is not None]
    parts = (typed,) if is_part else ()
    name, account_id = tidy_name(word), word.strip()
    found = [
        row
        for row in rows
        if row.id.startswith(parts) or row.id.endswith(parts) or _is(row, name, account_id)
    ]
    ids = {row.id for row in found}
    # A renewal has the name of what it renews, and is found only by its own ID.
    found = [row for row in found if getattr(row, "renews", None) not in ids]
    shown = f"“{clean(word, most=64)}”"
    if not found:
        names = [row.name for row in rows if isinstance(row, Credential)]
        raise UnknownCredential(shown, _nearest(word, names))
    if len(found) > 1:
        raise AmbiguousCredential(shown, found)
    return found[0]


def _is(row: Row, name: str, account_id: str) -> bool:
    if not isinstance(row, Credential):
        return False
    return row.name == name or (row.account is not None and row.account.id == account_id)


def all_selected(
    store: CredentialStore, words: Iterable[str], *, as_json: bool = False
) -> list[Row]:
    """Return the credentials that these words select, each once; see :func:`selected`.

    Reports each word that selects none, and raises the problem of the last of them.
    """
    found: dict[str, Row] = {}
    problem: Problem | None = None
    for word in words:
        try:
            row = selected(store, word)
        except (UnknownCredential, AmbiguousCredential) as unselected:
            if problem is not None:
                failed(problem, as_json=as_json)
            problem = unselected
        else:
            found[row.id] = row
    if problem is not None:
        raise problem
    return [*found.values()]


def intact(row: Row) -> Credential:
    """Return the credential; raises ``CredentialDamaged``."""
    if isinstance(row, Credential):
        return row
    raise CredentialDamaged(row.id, row.reason)


def title_of(row: Row) -> str:
    """Return how a sentence refers to a credential."""
    if not isinstance(row, Credential):
        return f"The credential {row.id}"
    return f"The request to authorize “{row.name}” again" if row.renews else f"“{row.name}”"


def _nearest(word: str, names: Sequence[str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - brings re, for a slip only

    by_key = {name_key(name): name for name in names}
    key = name_key(word[: _ID_LENGTH * 4])
    near = [key] if key in by_key else get_close_matches(key, by_key, 1)
    return by_key[near[0]] if near else None


def _described(row: Row) -> str:
    return f"{row.id} (“{row.name}”)" if isinstance(row, Credential) else f"{row.id} (damaged)"


def how_to_renew(row: Row, *, demo: bool) -> str:
    """Return the command that authorizes a credential again, as an instruction."""
    word = shlex.quote(row.name) if isinstance(row, Credential) else row.id
    return f"Run: m3cred {'--demo ' if demo else ''}reauthorize {word}"
