"""Records that the wizard has not made."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from m3cred_tui.model.credential import (
    BILL,
    STRIPE_TEST,
    Credential,
    Status,
    StripeAccount,
    TokenResponse,
    credential_id,
)
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.problems import CannotBeKept
from tests.e2e.conftest import Home
from tests.e2e.hostile import Hostile

_LONG = 1_000  # in one field only, so that the record is not larger than a record may be
_LATER = 10_000


class Kept(NamedTuple):
    """What a record holds, and the words that its row has to show."""

    hostile: Hostile
    words: str
    is_damaged: bool = False


def keep(home: Home, texts: Sequence[Hostile]) -> Sequence[Kept]:
    """Keep a credential for each text, which is in all its fields; return the newest first.

    What the store refuses is put there as somebody with an editor could.
    """
    store = DirectoryStore(
        home.credentials.parent, IdentityFile(home.identity, home.credentials.parent)
    )
    kept = []
    for number, hostile in enumerate(texts):
        credential, tokens = _credential(number, hostile)
        try:
            store.create(credential, tokens)
            kept.append(Kept(hostile, hostile.canary))
        except CannotBeKept:
            text = json.dumps({"name": hostile.text}, ensure_ascii=False)
            _write(home, credential, text.encode("utf-8", "surrogatepass"))
            kept.append(Kept(hostile, "✗ damaged: it ", is_damaged=True))
    return kept[::-1]


def spoil(home: Home, texts: Sequence[Hostile]) -> Sequence[Kept]:
    """Put records there whose entity type is the text, newer than all that are kept."""
    record = json.loads(next(home.credentials.iterdir()).read_bytes())
    del record["crc32"]
    spoilt = []
    for number, hostile in enumerate(texts):
        credential, _ = _credential(number + _LATER, hostile)
        fields = {"schema": 1, "id": credential.id, "entityType": hostile.text}
        _write(home, credential, json.dumps(record | fields).encode("ascii"))
        spoilt.append(Kept(hostile, hostile.canary, is_damaged=True))
    return spoilt[::-1]


def _credential(number: int, hostile: Hostile) -> tuple[Credential, TokenResponse]:
    text = hostile.text if len(hostile.text) < _LONG else hostile.canary
    made = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=number)
    credential = Credential(
        id=credential_id(made, bytes(10)),
        name=hostile.text,
        entity_type=BILL,
        destination=STRIPE_TEST,
        account=StripeAccount(text, livemode=False, name=text, country=text),
        created_at=made,
        created_by=text,
        status=Status.AUTHENTICATED,
    )
    return credential, TokenResponse(text, livemode=False, scope=text)


def _write(home: Home, credential: Credential, data: bytes) -> None:
    file = home.credentials / f"{credential.id}.json"
    file.write_bytes(data)
    file.chmod(0o600)
