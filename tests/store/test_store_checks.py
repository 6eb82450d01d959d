"""The results of checks are stored completely, and trusted only if they make sense."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from m3cred_tui.model.check import LONGEST_TOLD, CheckResult, Outcome
from m3cred_tui.model.credential import Credential, TokenResponse
from m3cred_tui.store.directory.store import DirectoryStore
from tests.store.swept_operations import OTHERS, credential

AT = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
OK = CheckResult(Outcome.OK, AT)
REVOKED = CheckResult(Outcome.REVOKED, AT, "The account gives no access.")


@pytest.fixture
def file(credentials: Path) -> Path:
    return credentials.parent / "checks.json"


@pytest.fixture
def ids(store: DirectoryStore, tokens: TokenResponse) -> list[str]:
    for number, one in enumerate(OTHERS):
        store.create(credential(one, f"Name {number}"), tokens)
    return list(OTHERS)


def test_only_this_user_can_read_it(store: DirectoryStore, ids: list[str], file: Path) -> None:
    store.checks.keep({ids[0]: REVOKED})
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes().isascii()


def test_a_list_notices_the_results_of_another_process(
    store: DirectoryStore, ids: list[str]
) -> None:
    stamps = [store.checks.stamp()]
    for result in (OK, REVOKED, OK):
        store.checks.keep({ids[0]: result})
        stamps.append(store.checks.stamp())
        assert store.checks.stamp() == stamps[-1]
    assert len(set(stamps)) == 4


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"schema": 1}',
        b'{"schema": 1, "checks": []}',
        b'{"schema": 2, "checks": {}}',
        b"[" * 100_000,
        b'{"schema": 1, "checks": {',
    ],
)
def test_a_damaged_file_counts_as_missing_and_the_next_result_is_stored(
    store: DirectoryStore, ids: list[str], file: Path, content: bytes
) -> None:
    store.checks.keep({ids[0]: OK})
    file.write_bytes(content)
    assert store.checks.read() == {}
    store.checks.keep({ids[1]: OK})
    assert store.checks.read() == {ids[1]: OK}


def test_a_bad_entry_hides_no_other(store: DirectoryStore, ids: list[str], file: Path) -> None:
    good = {"outcome": "ok", "at": AT.isoformat(), "told": ""}
    wrong = [
        {**good, "outcome": "fine"},
        {**good, "at": "yesterday"},
        {**good, "at": "2026-03-04T05:06:07"},
        {**good, "told": 7},
        {},
        [],
        None,
    ]
    for one in wrong:
        checks = {ids[0]: one, ids[1]: good, "../../etc/passwd": good}
        file.write_text(json.dumps({"schema": 1, "checks": checks}))
        file.chmod(0o600)
        assert store.checks.read() == {ids[1]: OK}, one


def test_the_text_of_a_file_cannot_draw_on_the_terminal(
    store: DirectoryStore, ids: list[str], file: Path
) -> None:
    told = "\x1b]0;evil\x07\u202eline\nline" + "x" * 10_000
    checks = {ids[0]: {"outcome": "failed", "at": AT.isoformat(), "told": told}}
    file.write_text(json.dumps({"schema": 1, "checks": checks}))
    file.chmod(0o600)
    shown = store.checks.read()[ids[0]].told
    assert shown.isprintable()
    assert len(shown) == LONGEST_TOLD


def test_a_file_that_others_can_read_is_not_trusted(
    store: DirectoryStore, ids: list[str], file: Path
) -> None:
    store.checks.keep({ids[0]: OK})
    file.chmod(0o644)
    assert store.checks.read() == {}
    file.unlink()
    file.symlink_to("/etc/passwd")
    assert store.checks.read() == {}
    store.checks.keep({ids[0]: REVOKED})
    assert store.checks.read() == {ids[0]: REVOKED}


def test_a_new_store_has_no_results(store: DirectoryStore) -> None:
    assert store.checks.read() == {}
    assert store.checks.stamp() == ()


def test_the_results_are_not_a_credential(
    store: DirectoryStore, ids: list[str], acme: Credential
) -> None:
    store.checks.keep({ids[0]: OK})
    assert acme.id not in store.ids()
    assert sorted(store.ids()) == sorted(ids)
