"""``m3cred list`` in pipes and on terminals of several widths."""

import json
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from docs.commands import page
from m3cred_tui.cli.commands.list import run
from m3cred_tui.cli.output.cells import cells, cut, padded
from m3cred_tui.cli.output.tables import BY_NAME
from m3cred_tui.cli.parser import parser
from m3cred_tui.listing.columns import STATUSES
from m3cred_tui.model.check import CheckResult, Outcome
from tests.cli.creation import shortly_before_midnight
from tests.cli.kept import CANARY, keep, keep_pending, store_of
from tests.e2e.terminal import Terminal, terminal

Run = Callable[..., CompletedProcess[str]]
Start = Callable[..., AbstractAsyncContextManager[Terminal]]

NAMES = ["Acme production", "日本語の請求", "Zoë’s shop"]
HEAVY = ("textual", "rich", "httpx", "pyrage", "asyncio", "argparse", "tomllib", "difflib")


@pytest.fixture
def start(environment: dict[str, str]) -> Start:
    @asynccontextmanager
    async def start_list(
        *arguments: str, columns: int = 80, **more: str
    ) -> AsyncIterator[Terminal]:
        command = [sys.executable, "-m", "m3cred_tui", *arguments]
        environ = {**environment, "LANG": "C.UTF-8", **more}
        async with terminal(command, environ, columns=columns) as shown:
            assert await shown.ends() == 0
            yield shown

    return start_list


def test_without_credentials_it_says_so_and_touches_nothing(
    m3cred: Run, tmp_path: Path
) -> None:
    ended = m3cred("list")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == "There are no credentials yet.\n"
    assert list(tmp_path.iterdir()) == []


def test_in_a_pipe_every_column_is_whole_and_in_line_and_no_colour(
    m3cred: Run, tmp_path: Path
) -> None:
    kept = keep(tmp_path, NAMES)
    ended = m3cred("list")
    assert (ended.returncode, ended.stderr) == (0, "")
    heading, *lines = ended.stdout.splitlines()
    assert heading.split("  ")[0] == "NAME"
    assert [line.split("  ")[0] for line in lines] == NAMES[::-1]
    assert [line.split()[-1] for line in lines] == [one.id for one in reversed(kept)]
    starts = {cells(line[: line.index("01a1f")]) for line in lines}
    assert starts == {heading.index("CREDENTIAL ID")}
    assert "\x1b" not in ended.stdout
    assert CANARY not in ended.stdout


@pytest.mark.parametrize("columns", [200, 120, 80, 60, 40, 20])
async def test_on_a_terminal_each_row_is_one_line(
    start: Start, tmp_path: Path, columns: int
) -> None:
    keep(tmp_path, ["a name that goes on and on until it is as long as a name can be.", *NAMES])
    async with start("list", columns=columns) as shown:
        lines = shown.text.rstrip().splitlines()
        assert len(lines) == 5
        assert lines[0].startswith("NAME")
        assert all(len(line) <= columns for line in lines)
        assert "Zoë’s shop" in lines[1]
        assert ("CREDENTIAL ID" in shown.text) == (columns == 200)


async def test_colours_are_for_terminals_and_not_with_no_color(
    start: Start, tmp_path: Path
) -> None:
    keep(tmp_path, NAMES)
    async with start("list") as shown:
        assert b"\x1b[1m" in shown.raw
    async with start("list", NO_COLOR="1") as shown:
        assert b"\x1b" not in shown.raw
    async with start("list", TERM="dumb") as shown:
        assert b"\x1b" not in shown.raw


def test_words_find_what_the_app_would_find(m3cred: Run, tmp_path: Path) -> None:
    kept = keep(tmp_path, NAMES)
    assert m3cred("list", "zoe").stdout.count("\n") == 2
    assert m3cred("list", "test", "ZOE").stdout.count("\n") == 2
    assert m3cred("list", kept[0].id[:13]).stdout.count("\n") == 2
    ended = m3cred("list", "nobody")
    assert (ended.returncode, ended.stderr) == (0, "There are no such credentials.\n")


@pytest.fixture
def listed_here(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Run the command in this process; return its output."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run_here(*options: str) -> str:
        assert run(parser().parse_args(["list", *options])) == 0
        return capsys.readouterr().out

    return run_here


def test_only_the_chosen_status_and_destination_are_listed(
    listed_here: Callable[..., str], tmp_path: Path
) -> None:
    kept = keep(tmp_path, ["Fine", "Lost", "Wrong", "Unchecked"])  # every other one is live
    keep_pending(tmp_path, "Waits", since=timedelta(minutes=3))
    at = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
    outcomes = (Outcome.OK, Outcome.REVOKED, Outcome.WRONG_KEY)
    store_of(tmp_path).checks.keep(
        {one.id: CheckResult(outcome, at) for one, outcome in zip(kept, outcomes, strict=False)}
    )

    def listed(*options: str) -> list[str]:
        rows = json.loads(listed_here("--json", *options))["credentials"]
        return [row["name"] for row in rows]

    assert listed("--status", "revoked") == ["Lost"]
    assert listed("--status", "Revoked, wrong key") == ["Wrong", "Lost"]
    assert listed("--status", "authenticated") == ["Unchecked", "Fine"]
    assert listed("--status", "pending") == ["Waits"]
    assert listed("--status", "failed") == []
    assert listed("--destination", "stripe") == ["Unchecked", "Lost"]
    assert listed("--destination", "stripe", "--status=revoked", "lost") == ["Lost"]


def test_no_such_credentials_is_not_no_credentials_yet(m3cred: Run, tmp_path: Path) -> None:
    keep(tmp_path, NAMES)
    none = m3cred("list", "--status", "failed")
    assert (none.returncode, none.stderr) == (0, "There are no such credentials.\n")


def test_chosen_columns_are_shown_in_their_order_and_without_the_heading(
    listed_here: Callable[..., str], tmp_path: Path
) -> None:
    keep(tmp_path, ["Acme production", "Beta"])
    assert listed_here("--columns", "account_id,name,mode") == (
        "ACCOUNT ID   NAME             MODE\n"
        "acct_1Acme1  Beta             LIVE\n"
        "acct_1Acme0  Acme production  TEST\n"
    )
    bare = listed_here("--no-header", "--columns", "name")
    assert bare == "Beta\nAcme production\n"
    assert listed_here("--no-header").startswith("Beta  ")
    waits = keep_pending(tmp_path, "Waits", since=timedelta(minutes=3))
    texts = listed_here("waits", "--columns", ",".join(BY_NAME))
    assert texts.splitlines()[1].split()[:4] == ["Waits", "Bill", "Stripe", "(Test"]
    assert texts.split()[-2:] == ["ann@bastion", waits.id]


async def test_chosen_columns_are_whole_on_a_narrow_terminal(
    start: Start, tmp_path: Path
) -> None:
    (one,) = keep(tmp_path, ["Acme production"])
    async with start("list", "--columns", "name,id", "--no-header", columns=30) as shown:
        assert "".join(shown.text.split("\n")).strip() == f"Acme production  {one.id}"


def test_quiet_writes_bare_ids_that_a_script_can_use(
    listed_here: Callable[..., str], tmp_path: Path
) -> None:
    kept = keep(tmp_path, NAMES)
    assert listed_here("--quiet").split() == [one.id for one in reversed(kept)]
    assert listed_here("--quiet", "zoe") == f"{kept[2].id}\n"


def test_quiet_says_nothing_where_there_are_none(m3cred: Run) -> None:
    ended = m3cred("list", "--quiet")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--columns", "name,acount"],
            "there is no column “acount”; there are name, entity_type, destination, mode,",
        ),
        (["--status", "revokt"], "there is no status “revokt”; there are pending, unknown,"),
        (["--status", ""], "there is no status “”; there are pending, unknown,"),
        (["--destination", "strip"], "did you mean stripe?"),
        (["--json", "--columns", "name"], "--columns: not allowed with argument --json"),
        (["--quiet", "--json"], "--json: not allowed with argument --quiet"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_what_cannot_be_listed_is_wrong_usage_in_one_sentence(
    options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["list", *options])
    written = capsys.readouterr().err
    assert written.startswith("usage: m3cred list ")
    assert sentence in written.splitlines()[-1]


def test_the_help_names_every_column_and_status() -> None:
    told = " ".join(page().partition("## m3cred list")[2].partition("## ")[0].split())
    for name in (*BY_NAME, *STATUSES):
        assert re.search(rf"\b{name}\b", told), name


def ends_at(until: datetime, listed: str) -> bool:
    """Say whether a list in UTC has the end of a wait, with its date if that is tomorrow."""
    end = rf"pending until ({until:%Y-%m-%d} )?{until:%H:%M} UTC"
    return bool(re.search(end, listed))


def test_a_wait_that_ends_tomorrow_is_shown_with_the_date(m3cred: Run, tmp_path: Path) -> None:
    waits = keep_pending(tmp_path, "Waits", since=timedelta())
    name, zone = shortly_before_midnight()
    until = (waits.created_at + timedelta(minutes=10)).astimezone(zone)
    assert f"pending until {until:%Y-%m-%d %H:%M} XXX" in m3cred("list", TZ=name).stdout
    assert (
        f"until {until:%Y-%m-%d %H:%M} XXX; m3cred resume" in m3cred("doctor", TZ=name).stdout
    )


@pytest.mark.parametrize("zone", ["XXX-24", "XXX-167:59:59", "XXX+24:59:59"])
def test_a_zone_a_day_and_more_away_is_taken_as_utc(
    m3cred: Run, tmp_path: Path, zone: str
) -> None:
    waits = keep_pending(tmp_path, "Waits", since=timedelta())
    until = waits.created_at + timedelta(minutes=10)
    listed, shown = m3cred("list", TZ=zone), m3cred("show", "Waits", TZ=zone)
    assert ends_at(until, listed.stdout)
    assert f"{waits.created_at:%Y-%m-%d %H:%M} UTC" in shown.stdout
    assert (listed.stderr, shown.stderr) == ("", "")


def test_who_waits_for_stripe_is_listed_with_the_end_of_the_wait(
    m3cred: Run, tmp_path: Path
) -> None:
    waits = keep_pending(tmp_path, "Waits", since=timedelta(minutes=3))
    keep_pending(tmp_path, "Late", since=timedelta(minutes=11))
    text = m3cred("list", TZ="UTC").stdout
    until = waits.created_at + timedelta(minutes=10)
    assert ends_at(until, text)
    assert "pending, time is over" in text
    rows = json.loads(m3cred("list", "--json").stdout)["credentials"]
    assert {row["name"]: row["waitsUntil"] for row in rows}["Waits"] == until.isoformat()
    assert all(row["account"] is None for row in rows)


def test_what_the_last_check_said_is_a_column(m3cred: Run, tmp_path: Path) -> None:
    kept = keep(tmp_path, NAMES)
    assert "LAST CHECK" not in m3cred("list").stdout
    at = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
    store_of(tmp_path).checks.keep({kept[0].id: CheckResult(Outcome.REVOKED, at, "No access.")})
    assert "revoked, 2026-11-21 08:30 UTC" in m3cred("list", TZ="UTC").stdout
    rows = json.loads(m3cred("list", "--json").stdout)["credentials"]
    assert rows[-1]["lastCheck"] == {
        "outcome": "revoked",
        "at": at.isoformat(),
        "told": "No access.",
    }


async def test_a_failed_check_is_not_hidden_in_the_narrowest_list(
    m3cred: Run, start: Start, tmp_path: Path
) -> None:
    (one,) = keep(tmp_path, ["A credential with a name of some length"])
    at = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
    store_of(tmp_path).checks.keep({one.id: CheckResult(Outcome.WRONG_KEY, at, "No access.")})
    async with start("list", columns=40) as shown:
        assert "wrong key" in shown.text
        assert "authenticated" not in shown.text
    assert "wrong key" in m3cred("list", "--columns", "name,status").stdout
    assert "Status:          wrong key" in m3cred("show", one.id).stdout
    assert m3cred("list", "wrong", "key").stdout.count("\n") == 2
    assert "no such" in m3cred("list", "authenticated").stderr
    (row,) = json.loads(m3cred("list", "--json").stdout)["credentials"]
    assert (row["status"], row["effectiveStatus"]) == ("authenticated", "wrong_key")


def test_a_damaged_record_is_a_row_with_the_reason(m3cred: Run, tmp_path: Path) -> None:
    kept = keep(tmp_path, NAMES)
    file = tmp_path / "data" / "m3cred" / "credentials" / f"{kept[1].id}.json"
    file.write_text("{")
    assert f"{kept[1].id}  " in m3cred("list").stdout
    assert "damaged: it is not whole JSON" in m3cred("list").stdout
    rows = json.loads(m3cred("list", "--json").stdout)["credentials"]
    assert rows[1] == {
        "id": kept[1].id,
        "status": "damaged",
        "effectiveStatus": "damaged",
        "reason": "it is not whole JSON",
    }


def test_the_demo_has_its_own(m3cred: Run, tmp_path: Path) -> None:
    keep(tmp_path, NAMES)
    assert m3cred("--demo", "list").stderr == "There are no credentials yet.\n"
    keep(tmp_path, ["Rehearsal"], demo=True)
    assert "Rehearsal" in m3cred("--demo", "list").stdout


def test_a_list_imports_nothing_that_it_does_not_show(python: Run, tmp_path: Path) -> None:
    keep(tmp_path, NAMES)
    ended = python(
        "-c",
        "import json, sys\n"
        "from m3cred_tui.cli.main import main\n"
        "main(['list'])\n"
        "sys.stderr.write(json.dumps(sorted(sys.modules)))",
    )
    assert "Acme production" in ended.stdout
    imported = json.loads(ended.stderr)
    assert [name for name in HEAVY if name in imported] == []


def test_a_directory_that_others_can_read_is_reported_with_its_code(
    m3cred: Run, tmp_path: Path
) -> None:
    keep(tmp_path, NAMES)
    folder = tmp_path / "data" / "m3cred" / "credentials"
    folder.chmod(0o755)
    ended = m3cred("list", "--json")
    assert ended.returncode == 1
    told = json.loads(ended.stdout)
    assert told["error"]["code"] == "StoreUnusable"
    assert ended.stderr == f"m3cred: {told['error']['message']}\n"
    assert f"chmod 700 {folder}" in ended.stderr


@pytest.mark.parametrize(
    ("text", "width", "fits"),
    [
        ("Acme", 4, "Acme"),
        ("Acme", 3, "Ac…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("e\u0301e\u0301", 2, "e\u0301e\u0301"),
        ("", 1, ""),
    ],
)
def test_text_is_cut_at_the_cells_that_it_takes(text: str, width: int, fits: str) -> None:
    assert cut(text, width) == fits
    assert cells(padded(fits, width)) == width


def test_an_id_in_the_list_is_one_that_show_takes(m3cred: Run, tmp_path: Path) -> None:
    keep(tmp_path, NAMES)
    credential_id = m3cred("list").stdout.split()[-1]
    assert m3cred("show", credential_id).returncode == 0


def test_a_list_needs_no_identity(m3cred: Run, tmp_path: Path) -> None:
    keep(tmp_path, NAMES)
    (tmp_path / "config" / "m3cred" / "identity.txt").unlink()
    assert m3cred("list").returncode == 0
