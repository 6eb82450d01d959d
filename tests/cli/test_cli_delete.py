"""``m3cred delete``: asks, says what is lost, and reports what happened."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from m3cred_tui.model.credential import STRIPE, STRIPE_TEST
from tests.cli.conftest import Start
from tests.cli.connected import Connected, connected_to_demo_stripe
from tests.cli.kept import credential, keep, keep_pending, store_of, tokens_of
from tests.e2e.terminal import CTRL_C, CTRL_Z, ENTER

Run = Callable[..., CompletedProcess[str]]

NAMES = ["Acme production", "Acme test"]


@pytest.fixture
def connected(tmp_path: Path) -> Iterator[Connected]:
    with connected_to_demo_stripe(tmp_path) as world:
        yield world


def names(home: Path) -> list[str]:
    store = store_of(home)
    return sorted(getattr(row, "name", "") for row in store.read_many(store.ids()))


@pytest.mark.parametrize("typed", ["y", "yes", "Y"])
async def test_it_names_what_is_lost_and_yes_deletes_it(
    start: Start, tmp_path: Path, typed: str
) -> None:
    one = keep(tmp_path, NAMES)[1]
    async with start("delete", "Acme test") as shown:
        await shown.shows("Continue? [y/N]")
        await shown.shows(f"Delete “Acme test” ({one.id}; Stripe: Acme Ltd, LIVE)?")
        await shown.shows("Its tokens are lost")
        await shown.shows("acct_1Acme1 stays connected at Stripe.")
        shown.press(typed, ENTER)
        assert await shown.ends() == 0
        await shown.shows("“Acme test” was deleted from this computer.")
    assert names(tmp_path) == ["Acme production"]


@pytest.mark.parametrize("typed", ["", "n", "no", "yess", "\x04"], ids=ascii)
@pytest.mark.quick(2)
async def test_anything_else_deletes_nothing(start: Start, tmp_path: Path, typed: str) -> None:
    keep(tmp_path, NAMES)
    async with start("delete", "Acme test") as shown:
        await shown.shows("Continue? [y/N]")
        shown.press(typed, ENTER)
        assert await shown.ends() == 1
        await shown.shows("Nothing was deleted, because you did not agree.")
    assert names(tmp_path) == NAMES


def test_the_log_says_what_was_deleted_and_stderr_why_it_was_not(
    m3cred: Run, tmp_path: Path
) -> None:
    one, other = keep(tmp_path, NAMES)
    assert m3cred("delete", one.name, "--yes").returncode == 0
    log = tmp_path / "state" / "m3cred" / "m3cred.log"
    assert f": deleted {one.id}\n" in log.read_text()
    lock = tmp_path / "data" / "m3cred" / "lock"
    lock.unlink()
    lock.mkdir()
    ended = m3cred("delete", other.name, "--yes")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"m3cred: {lock} cannot be used: it is a directory.\n"
    assert "ERROR" in log.read_text()


async def test_ctrl_c_at_the_question_deletes_nothing(start: Start, tmp_path: Path) -> None:
    keep(tmp_path, NAMES)
    async with start("delete", "Acme test") as shown:
        await shown.shows("Continue? [y/N]")
        shown.press(CTRL_C)
        assert await shown.ends() == 130
        assert "Traceback" not in shown.text
    assert names(tmp_path) == NAMES


async def test_begun_in_the_background_it_deletes_nothing(shell: Start, tmp_path: Path) -> None:
    keep(tmp_path, NAMES)
    async with shell() as shown:
        shown.press("m3cred delete 'Acme test' & wait %1; echo status $?", ENTER)
        await shown.shows("Nothing was deleted, because there is no terminal to ask on")
        await shown.shows("status 1")
    assert names(tmp_path) == NAMES


async def test_sent_to_the_background_it_waits_for_its_answer(
    shell: Start, tmp_path: Path
) -> None:
    keep(tmp_path, NAMES)
    async with shell() as shown:
        shown.press("m3cred delete 'Acme test'", ENTER)
        await shown.shows("Continue? [y/N]")
        shown.press(CTRL_Z)
        await shown.shows("Stopped")
        shown.press("bg", ENTER, "echo the shell $((40 + 2))", ENTER)
        await shown.shows("the shell 42")
        shown.press("fg", ENTER, "y", ENTER)
        await shown.shows("was deleted from this computer.")
    assert names(tmp_path) == ["Acme production"]


def test_without_a_terminal_it_requires_the_option_yes(m3cred: Run, tmp_path: Path) -> None:
    keep(tmp_path, NAMES)
    ended = m3cred("delete", "Acme test", "--json")
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["error"]["code"] == "DeletionNotConfirmed"
    assert names(tmp_path) == NAMES
    ended = m3cred("delete", "Acme test", "--yes", "--json")
    told = json.loads(ended.stdout)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (told["deleted"], told["disconnectedAtStripe"], told["error"]) == (True, False, None)
    assert names(tmp_path) == ["Acme production"]


def test_pending_and_damaged_credentials_are_deleted_too(m3cred: Run, tmp_path: Path) -> None:
    keep_pending(tmp_path, "Waits", since=timedelta(minutes=1))
    one = keep(tmp_path, NAMES)[0]
    (tmp_path / "data" / "m3cred" / "credentials" / f"{one.id}.json").write_text("{")
    assert m3cred("delete", "Waits", "--yes").returncode == 0
    ended = m3cred("delete", one.id, "--yes")
    assert ended.stdout == f"The credential {one.id} was deleted from this computer.\n"
    assert names(tmp_path) == ["Acme test"]


def test_disconnect_ends_it_at_stripe_too_and_says_so(
    connected: Connected, m3cred: Run, tmp_path: Path
) -> None:
    one = connected.connect("Acme")
    ended = m3cred("delete", "Acme", "--disconnect", "--yes", **connected.environ)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        "The account was disconnected at Stripe, and the credential was deleted.\n"
    )
    assert names(tmp_path) == []
    with pytest.raises(AssertionError):  # it is not connected any more
        connected.revoke(one)


async def test_disconnect_names_the_other_credentials_that_lose_access(
    connected: Connected, start: Start, tmp_path: Path
) -> None:
    one = connected.connect("Acme")
    other = connected.connect("Acme")
    assert one.account == other.account
    async with start("delete", other.id, "--disconnect", **connected.environ) as shown:
        await shown.shows("Continue? [y/N]")
        await shown.shows("So do, of the same account: “Acme”.")
        shown.press("no", ENTER)
        assert await shown.ends() == 1
    assert len(names(tmp_path)) == 2


def test_if_stripe_does_not_answer_neither_happens(
    connected: Connected, m3cred: Run, tmp_path: Path
) -> None:
    connected.connect("Acme")
    gone = {
        **connected.environ,
        f"M3CRED_{STRIPE_TEST.code}_CONNECT_BASE": "http://127.0.0.1:9",
    }
    ended = m3cred("delete", "Acme", "--disconnect", "--yes", "--json", **gone)
    told = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert (told["deleted"], told["disconnectedAtStripe"]) == (False, False)
    assert told["error"]["code"] == "StripeUnreachable"
    assert ended.stderr == f"m3cred: {told['told']}\n"
    assert names(tmp_path) == ["Acme"]


def test_a_credential_without_approval_is_not_disconnected(m3cred: Run, tmp_path: Path) -> None:
    keep_pending(tmp_path, "Waits", since=timedelta(minutes=1))
    ended = m3cred("delete", "Waits", "--disconnect", "--yes", "--json")
    assert json.loads(ended.stdout)["error"]["code"] == "StillPending"
    assert names(tmp_path) == ["Waits"]


def test_several_are_deleted_in_one_go_and_each_gets_its_line_or_its_object(
    m3cred: Run, tmp_path: Path
) -> None:
    one, two, three = keep(tmp_path, ["Acme", "Bolt", "Cora"])
    keep_pending(tmp_path, "Waits", since=timedelta(minutes=1))
    ended = m3cred("delete", "Acme", "Waits", "Acme", "--yes")
    assert (ended.returncode, ended.stderr) == (0, "")
    account = one.account.id if one.account else ""
    assert ended.stdout.splitlines() == [
        f"“Acme” was deleted from this computer. {account} stays connected at Stripe.",
        "“Waits” was deleted from this computer.",
    ]
    ended = m3cred("delete", "Cora", "Bolt", "--yes", "--json")
    told = objects(ended.stdout)
    assert [(one["id"], one["deleted"]) for one in told] == [(three.id, True), (two.id, True)]
    assert names(tmp_path) == []


def objects(text: str) -> list[dict[str, object]]:
    """Return the JSON objects that follow each other."""
    found = []
    while text := text.lstrip():
        one, end = json.JSONDecoder().raw_decode(text)
        found.append(one)
        text = text[end:]
    return found


def test_of_several_none_is_deleted_if_one_is_unknown_and_each_unknown_one_is_named(
    m3cred: Run, tmp_path: Path
) -> None:
    keep(tmp_path, NAMES)
    ended = m3cred("delete", "Acme test", "Bulb", "Wrench", "--yes")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines() == [
        f"m3cred: There is no credential “{name}”; see m3cred list."
        for name in ("Bulb", "Wrench")
    ]
    assert names(tmp_path) == NAMES


async def test_one_question_names_all_of_several(start: Start, tmp_path: Path) -> None:
    one, two = keep(tmp_path, NAMES)
    async with start("delete", *NAMES) as shown:
        await shown.shows("Continue? [y/N]")
        await shown.shows("Delete 2 credentials?")
        await shown.shows(f"“Acme production” ({one.id}; ")
        await shown.shows(f"“Acme test” ({two.id}; ")
        await shown.shows("acct_1Acme0 stays connected at Stripe.")
        await shown.shows("acct_1Acme1 stays connected at Stripe.")
        shown.press("n", ENTER)
        assert await shown.ends() == 1
    assert names(tmp_path) == NAMES


def test_one_that_cannot_be_disconnected_keeps_none_of_the_others(
    connected: Connected, m3cred: Run, tmp_path: Path
) -> None:
    connected.connect("Acme")
    elsewhere = credential(9, "Elsewhere", STRIPE)
    store_of(tmp_path).create(elsewhere, tokens_of(elsewhere))
    ended = m3cred("delete", "Elsewhere", "Acme", "--disconnect", "--yes", **connected.environ)
    assert ended.returncode == 1
    assert ended.stdout == (
        "“Acme”: The account was disconnected at Stripe, and the credential was deleted.\n"
    )
    assert ended.stderr.startswith("m3cred: “Elsewhere”: ")
    assert len(ended.stderr.splitlines()) == 1
    assert names(tmp_path) == ["Elsewhere"]
