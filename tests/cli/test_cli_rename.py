"""``m3cred rename``."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from m3cred_tui.store.fields import secret_fields
from m3cred_tui.store.port import CredentialStore
from tests.cli.kept import keep, keep_pending, store_of, tokens_of

Run = Callable[..., CompletedProcess[str]]


def test_a_typing_error_is_corrected_under_the_same_id_and_tokens(
    m3cred: Run, tmp_path: Path
) -> None:
    (acme,) = keep(tmp_path, ["Acme lvie"])
    ended = m3cred("rename", "Acme lvie", "  Acme   live ")
    assert ended.stdout == f"“Acme lvie” is now “Acme live”: {acme.id}\n"
    assert ended.stderr == ""
    after, tokens = store_of(tmp_path).opened(acme.id)
    assert secret_fields(tokens) == secret_fields(tokens_of(acme))
    (event,) = after.history
    assert after == acme._replace(name="Acme live", history=(event,))
    assert (event.what, event.before) == ("renamed", "Acme lvie")
    shown = m3cred("show", "Acme live")
    assert f"renamed by {event.by}, from “Acme lvie”\n" in shown.stdout
    assert "History:" in shown.stdout
    log = (tmp_path / "state" / "m3cred" / "m3cred.log").read_text()
    assert f": changed {acme.id}\n" in log


def test_the_same_name_in_other_letters_is_no_other_credential(
    m3cred: Run, tmp_path: Path
) -> None:
    keep(tmp_path, ["acme"])
    assert m3cred("rename", "acme", "ACME").returncode == 0


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("BOLT", 1, "m3cred: Another credential already has the name “BOLT”.\n"),
        ("", 2, "Enter a name for the credential."),
        ("a\x07b", 2, "The name has a control character (U+0007)."),
        ("x" * 65, 2, "The name is 65 characters long; 64 is the most."),
    ],
    ids=["taken", "empty", "control character", "too long"],
)
def test_a_new_name_is_checked_as_at_create(
    m3cred: Run, tmp_path: Path, name: str, status: int, said: str
) -> None:
    before = keep(tmp_path, ["Acme", "Bolt"])
    ended = m3cred("rename", "Acme", name)
    assert (ended.returncode, ended.stdout) == (status, "")
    assert said in ended.stderr
    assert rows(store_of(tmp_path)) == before[::-1]


def test_the_name_of_a_pending_credential_is_chosen_when_it_is_created(
    m3cred: Run, tmp_path: Path
) -> None:
    waits = keep_pending(tmp_path, "Acme", since=timedelta(minutes=1))
    ended = m3cred("rename", "Acme", "Bolt")
    assert ended.returncode == 1
    assert ended.stderr == (
        "m3cred: “Acme” is pending: its name is chosen when it is created. "
        f"Run: m3cred resume {waits.id} --name NEW-NAME\n"
    )


def rows(store: CredentialStore) -> list[object]:
    return list(store.read_many(store.ids()))
