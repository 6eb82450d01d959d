"""A change of any byte of a record is noticed."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from m3cred_tui.model.credential import Credential, TokenResponse
from m3cred_tui.store import sealing
from m3cred_tui.store.directory.record import (
    Record,
    parse_record,
    secrets_of,
    with_checksum,
)
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.fields import credential_from
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.port import Damaged

FLIPS = (*(1 << bit for bit in range(8)), 0xFF)
_SCHEMA_1 = Path(__file__).with_name("schema_1")
_ID_OF_SCHEMA_1 = "019cb73d-3593-7000-8000-000000000001"


@pytest.fixture
def file(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, credentials: Path
) -> Path:
    store.create(acme, tokens)
    return credentials / f"{acme.id}.json"


def flipped(data: bytes, places: range) -> Iterator[bytes]:
    for place in places:
        for flip in FLIPS:
            yield data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :]


def taken_for_whole(credential_id: str, data: bytes) -> Credential | None:
    try:
        return credential_from(parse_record(credential_id, data).header)
    except FlawError:
        return None


def test_every_bit_of_every_byte_flipped_is_damage(file: Path, acme: Credential) -> None:
    data = file.read_bytes()
    assert taken_for_whole(acme.id, data) == acme
    wrong = [one for one in flipped(data, range(len(data))) if taken_for_whole(acme.id, one)]
    assert wrong == []


def test_any_truncation_or_extra_byte_is_damage(file: Path, acme: Credential) -> None:
    data = file.read_bytes()
    cut = [data[:length] for length in range(len(data))]
    headless = [data[length:] for length in range(1, len(data))]
    longer = [data + bytes([byte]) for byte in range(256)]
    longer += [data + data, data + bytes(4096), data + data[-2:], b"\xef\xbb\xbf" + data]
    wrong = [one for one in cut + headless + longer if taken_for_whole(acme.id, one)]
    assert wrong == []


def test_lost_or_leftover_blocks_are_damage(file: Path, acme: Credential) -> None:
    """As a disk would: zeros, another file's bytes, a part twice, parts in another order."""
    data = file.read_bytes()
    foreign = random.Random(3)  # the same bytes in each run
    for size in (1, 2, 4, 16, 64, 256, 512):
        for start in range(0, len(data) - size, size):
            before, block, after = (
                data[:start],
                data[start : start + size],
                data[start + size :],
            )
            for other in (bytes(size), foreign.randbytes(size), block * 2, b"", block[::-1]):
                torn = before + other + after
                assert torn == data or not taken_for_whole(acme.id, torn), (size, start, other)


def test_a_damaged_file_is_a_row_and_stays(
    store: DirectoryStore, file: Path, acme: Credential
) -> None:
    data = file.read_bytes()
    for torn in flipped(data, range(0, len(data), 97)):
        file.write_bytes(torn)
        assert isinstance(store.read(acme.id), Damaged)
        assert isinstance(store.verified(acme.id), Damaged)
        assert file.read_bytes() == torn
    file.write_bytes(data)
    assert store.verified(acme.id) == acme


@pytest.mark.long
def test_a_changed_sealed_part_with_a_corrected_checksum_does_not_open(
    store: DirectoryStore, file: Path, acme: Credential
) -> None:
    whole = parse_record(acme.id, file.read_bytes())
    sealed = whole.sealed.encode("ascii")
    for torn in flipped(sealed, range(40, len(sealed) - 40, 7)):
        text = torn.decode("latin-1")
        file.write_bytes(with_checksum({**whole.header, "sealed": text}))
        assert isinstance(store.verified(acme.id), Damaged), text


@pytest.mark.long
def test_a_flipped_record_of_schema_1_never_opens_as_another_credential() -> None:
    """It has no checksum: a list may show wrong fields, but an opened one is right."""
    data = (_SCHEMA_1 / f"{_ID_OF_SCHEMA_1}.json").read_bytes()
    identity = IdentityFile(_SCHEMA_1 / "identity.txt", _SCHEMA_1)
    opener = sealing.identity_in(identity.path.read_bytes())

    def opened(record: Record) -> TokenResponse | None:
        try:
            secrets = secrets_of(record, sealing.unseal(opener, record.sealed))
        except FlawError:
            return None
        assert isinstance(secrets, TokenResponse)
        return secrets

    right = taken_for_whole(_ID_OF_SCHEMA_1, data)
    shown_wrong = 0
    for torn in flipped(data, range(len(data))):
        shown = taken_for_whole(_ID_OF_SCHEMA_1, torn)
        if shown and opened(parse_record(_ID_OF_SCHEMA_1, torn)):
            assert shown == right, torn
        elif shown and shown != right:
            shown_wrong += 1
    assert shown_wrong > 0, "or schema 1 promised as much as schema 2"
