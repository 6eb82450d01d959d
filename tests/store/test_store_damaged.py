"""A record that cannot be used is a row that says why, and stays unchanged."""

import json
import os
import resource
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from m3cred_tui.model.credential import Credential, TokenResponse, credential_id
from m3cred_tui.model.text import is_visible
from m3cred_tui.store.directory.record import with_checksum
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.port import Damaged
from m3cred_tui.store.problems import CredentialDamaged, StoreUnusable

Fields = dict[str, Any]


@pytest.fixture
def file(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, credentials: Path
) -> Path:
    store.create(acme, tokens)
    return credentials / f"{acme.id}.json"


@pytest.mark.parametrize("spare", range(4))
def test_what_cannot_be_read_for_want_of_descriptors_is_not_called_damaged(
    store: DirectoryStore, file: Path, spare: int
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        for _ in range(32):  # so that all numbers up to the last are in use
            last = stack.enter_context(Path(os.devnull).open("rb")).fileno()
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (last + 1 + spare, limits[1]))
        with suppress(StoreUnusable):
            assert not isinstance(store.read(file.stem), Damaged)


def change(file: Path, alter: Callable[[Fields], object]) -> None:
    """Alter the fields and correct the checksum."""
    fields = json.loads(file.read_bytes())
    del fields["crc32"]
    alter(fields)
    file.write_bytes(with_checksum(fields))


def assert_damaged(store: DirectoryStore, file: Path, reason: str) -> None:
    before = file.read_bytes()
    row = store.read(file.stem)
    assert isinstance(row, Damaged)
    assert (row.id, reason in row.reason) == (file.stem, True), row.reason
    assert all(map(is_visible, row.reason))
    with pytest.raises(CredentialDamaged):
        store.tokens(file.stem)
    assert store.ids() == [file.stem]
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not whole JSON"),
        (b"\xff\xfe\x00", "not whole JSON"),
        (b"[" * 60_000, "not whole JSON"),
        (b'{"schema": ' + b"9" * 5000 + b"}", "not whole JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "not an m3cred credential"),
        (b'{"schema": 1}', "not an m3cred credential"),
        (b'{"schema": true}', "not an m3cred credential"),
        (b'{"schema": "1"}', "not an m3cred credential"),
        (b'{"schema": 2}', "its checksum is wrong"),
        (b'{"schema": 3}', "its checksum is wrong"),
        (b'{"schema": 4}', "a newer m3cred wrote it (schema 4)"),
        (b'{"schema": ' + b"9" * 400 + b"}", "a newer m3cred wrote it (schema 999999999…)"),
        (b" " * 70_000, "70,000 bytes; 65,536 is the most"),
    ],
)
def test_a_foreign_file_is_shown_as_damaged(
    content: bytes, reason: str, store: DirectoryStore, file: Path
) -> None:
    file.write_bytes(content)
    assert_damaged(store, file, reason)


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (lambda it: it.update(id="0196d5c8-0000-7000-8000-000000000000"), "its ID is not"),
        (lambda it: it.update(name=["x"]), "its name is not text"),
        (lambda it: it.pop("name"), "not an m3cred credential"),
        (lambda it: it.update(more=1), "not an m3cred credential"),
        (lambda it: it.update(entityType="Meter"), "its entityType “Meter” is not known"),
        (lambda it: it.update(entityType=[]), "its entityType is not text"),
        (lambda it: it.update(destination="\x1b[2J"), "its destination “�[2J” is not known"),
        (lambda it: it.update(status="maybe"), "its status “maybe” is not known"),
        (lambda it: it.update(createdAt="yesterday"), "its createdAt is not a time"),
        (lambda it: it.update(createdAt="2026-01-01"), "its createdAt has no time zone"),
        (lambda it: it.update(createdAt=0), "its createdAt is not text"),
        (lambda it: it.update(createdBy=None), "its createdBy is not text"),
        (lambda it: it.update(stripe=None), "its stripe is not an account"),
        (lambda it: it["stripe"].pop("account"), "its stripe is not an account"),
        (lambda it: it["stripe"].update(account=7), "its account is not text"),
        (lambda it: it["stripe"].update(livemode=1), "its livemode is neither true nor"),
        (lambda it: it["stripe"].update(name=7), "its name is not text"),
        (lambda it: it.update(sealed="sk_live_clear"), "its sealed part is not an age text"),
        (lambda it: it.update(sealed=None), "its sealed is not text"),
    ],
)
def test_a_bad_field_is_named(
    alter: Callable[[Fields], object], reason: str, store: DirectoryStore, file: Path
) -> None:
    change(file, alter)
    assert_damaged(store, file, reason)


@pytest.mark.parametrize(
    "alter",
    [
        lambda data: data.replace(b"Acme production", b"Acme projection"),
        lambda data: data.replace(b"STRIPE", b"STRIPE_TEST"),
        lambda data: data + b"\n",
        lambda data: json.dumps(json.loads(data)).encode(),
        lambda data: data.replace(b"crc32", b"CRC32"),
        lambda data: data.replace(b',\n  "crc32"', b', "crc32"'),
    ],
)
def test_an_edited_record_is_damaged(
    alter: Callable[[bytes], bytes], store: DirectoryStore, file: Path
) -> None:
    file.write_bytes(alter(file.read_bytes()))
    assert_damaged(store, file, "it was changed after it was written (its checksum is wrong)")


def test_one_damaged_record_leaves_the_others_alone(
    store: DirectoryStore, file: Path, acme: Credential, tokens: TokenResponse
) -> None:
    other = acme._replace(id=credential_id(acme.created_at, b"\xff" * 10))
    store.create(other, tokens)
    file.write_bytes(b"")
    assert isinstance(store.read(file.stem), Damaged)
    assert store.read(other.id) == other


def test_a_damaged_record_can_be_deleted(store: DirectoryStore, file: Path) -> None:
    file.write_bytes(b"")
    store.delete(file.stem)
    assert store.ids() == []


def test_hostile_text_in_a_record_is_shown_harmlessly(
    store: DirectoryStore, file: Path
) -> None:
    hostile = "Acme\x1b]0;x\x07\u202e\u200b\x9b2J\n\ud800" + "e\u0301" * 999
    change(file, lambda it: it.update(name=hostile, createdBy=hostile))
    change(file, lambda it: it["stripe"].update(account=hostile, name=hostile))
    row = store.read(file.stem)
    assert isinstance(row, Credential)
    assert row.account is not None
    for text in (row.name, row.created_by, row.account.id, row.account.name):
        assert text is not None
        assert text.startswith("Acme�]0;x��")
        assert len(text) <= 200
        assert all(map(is_visible, text))


@pytest.mark.parametrize(
    "alter",
    [
        lambda it: it.update(name="Acme prоduction"),  # noqa: RUF001 - a Cyrillic o, on purpose
        lambda it: it.update(destination="STRIPE_TEST"),
        lambda it: it.update(createdBy="bob"),
        lambda it: it["stripe"].update(account="acct_1Evil"),
        lambda it: it["stripe"].update(livemode=False),
    ],
)
def test_secrets_are_not_returned_for_a_changed_header(
    alter: Callable[[Fields], object], store: DirectoryStore, file: Path
) -> None:
    change(file, alter)
    assert isinstance(store.read(file.stem), Credential)
    with pytest.raises(CredentialDamaged, match="changed after it was sealed"):
        store.tokens(file.stem)


def test_secrets_of_one_credential_are_not_returned_for_another(
    store: DirectoryStore,
    file: Path,
    acme: Credential,
    tokens: TokenResponse,
    credentials: Path,
) -> None:
    other = acme._replace(id=credential_id(acme.created_at, b"\xff" * 10))
    store.create(other, tokens)
    sealed = json.loads((credentials / f"{other.id}.json").read_bytes())["sealed"]
    change(file, lambda it: it.update(sealed=sealed))
    with pytest.raises(CredentialDamaged, match="changed after it was sealed"):
        store.tokens(acme.id)
    assert isinstance(store.verified(acme.id), Damaged)


def test_a_changed_sealed_part_does_not_open(store: DirectoryStore, file: Path) -> None:
    def swap_case(fields: Fields) -> None:
        lines = fields["sealed"].splitlines(keepends=True)
        lines[-3] = lines[-3].swapcase()
        fields["sealed"] = "".join(lines)

    change(file, swap_case)
    with pytest.raises(CredentialDamaged, match="cannot be opened with this identity"):
        store.tokens(file.stem)


def test_something_other_than_a_file_does_not_stop_the_list(
    store: DirectoryStore, file: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    file.rename(elsewhere)
    makes: list[tuple[Callable[[], None], str]] = [
        (lambda: os.mkfifo(file, 0o600), "not a regular file"),
        (file.mkdir, "not a regular file"),
        (lambda: file.symlink_to(elsewhere), "it is a symbolic link"),
        (lambda: file.symlink_to(tmp_path / "nowhere"), "it is a symbolic link"),
    ]
    for make, reason in makes:
        make()
        row = store.read(file.stem)
        assert isinstance(row, Damaged)
        assert reason in row.reason
        file.rmdir() if file.is_dir() else file.unlink()
