"""How long a credential lasts, and the timer that keeps it alive: docs/timer.md as written."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from m3cred_tui.listing.columns import (
    expiry_sentence,
    expiry_text,
    status_cell,
    status_text,
    status_word,
)
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import Credential, OAuthModel
from tests.cli.connected import Connected, connected_to_demo_stripe
from tests.cli.kept import credential, keep, keep_used, store_of
from tests.e2e.conftest import program

Run = Callable[..., CompletedProcess[str]]

PAGE = Path(__file__).parents[2] / "docs" / "timer.md"
DAY = timedelta(days=1)
NEAR, PAST = timedelta(days=350), timedelta(days=366)


@pytest.fixture
def connected(tmp_path: Path) -> Iterator[Connected]:
    with connected_to_demo_stripe(tmp_path) as world:
        yield world


def rows(m3cred: Run, *options: str) -> dict[str, str | None]:
    listed = json.loads(m3cred("list", "--json", *options).stdout)["credentials"]
    return {row["name"]: row["expiresAt"] for row in listed}


def test_until_when_a_credential_lasts_is_listed_for_stripe_apps_alone(
    m3cred: Run, tmp_path: Path
) -> None:
    keep(tmp_path, ["Connect"])
    at = keep_used(tmp_path, "Near", NEAR) + timedelta(days=365)
    assert rows(m3cred) == {"Connect": None, "Near": at.isoformat()}
    assert f"authenticated, expires {at:%Y-%m-%d}" in m3cred("list", TZ="UTC").stdout


@pytest.mark.parametrize(
    ("left", "word", "cell", "listed", "told"),
    [
        (31 * DAY, "authenticated", "authenticated", "authenticated", "it is used before"),
        (30 * DAY, "expiring", "until 28 Dec", "authenticated, expires ", "a check renews it"),
        (0 * DAY, "expired", "expired", "authenticated, expired ", "authorize it again"),
    ],
)
def test_the_end_is_warned_of_from_30_days_before(
    left: timedelta, word: str, cell: str, listed: str, told: str
) -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    one = credential(1, "Acme")._replace(expires_at=now + left)
    bad, good = CheckResult(Outcome.REVOKED, now), CheckResult(Outcome.OK, now)
    assert status_word(one, None, now) == status_word(one, good, now) == word
    assert status_word(one, bad, now) == "revoked"
    assert status_cell(one, 15, None, now)[2:] == cell
    assert status_text(one, now, None).startswith(listed)
    assert expiry_text(one, now).endswith(told)
    assert bool(expiry_sentence("It", one, now)) == (word != "authenticated")


def test_doctor_warns_of_an_end_and_says_what_to_run(m3cred: Run, tmp_path: Path) -> None:
    keep_used(tmp_path, "Fresh", DAY)
    keep_used(tmp_path, "Near", NEAR)
    keep_used(tmp_path, "Past", PAST)
    told = m3cred("doctor", "--offline", TZ="UTC").stdout
    assert "Fresh" not in told
    assert re.search(r"note  credentials .*“Near” expires .* Run: m3cred check ", told)
    assert re.search(r"fix   credentials .*“Past” expired .* Run: m3cred reauthorize ", told)


def test_a_check_is_a_use_and_puts_off_the_end(connected: Connected, m3cred: Run) -> None:
    one = connected.connect("App", OAuthModel.APPS, used=NEAR)
    ended = m3cred("check", "App", "--json", **connected.environ)
    checked = json.loads(ended.stdout)["credentials"][0]
    row = store_of(connected.home).read(one.id)
    assert isinstance(row, Credential)
    assert row.expires_at is not None
    assert row.expires_at > datetime.now(UTC) + timedelta(days=364)
    assert checked["expiresAt"] == row.expires_at.isoformat()
    assert "expires" not in m3cred("list", "--columns", "status").stdout


def test_a_check_that_fails_near_the_end_says_so_and_hides_it_in_no_list(
    m3cred: Run, tmp_path: Path
) -> None:
    keep_used(tmp_path, "App", NEAR)  # and nothing is set up
    told = m3cred("check", "App").stdout
    assert re.search(r"^App  not set up  .* It expires 20\S+ unless it is used before\.$", told)
    listed = m3cred("list", "--status", "expiring", "--columns", "name,status").stdout
    assert "App   not set up, expires 20" in listed


def test_a_timer_hears_nothing_while_all_is_well_and_a_line_for_each_that_is_not(
    connected: Connected, m3cred: Run
) -> None:
    connected.connect("Fine")
    lost = connected.connect("Lost")
    quiet = m3cred("check", "--all", "--quiet", **connected.environ)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    connected.revoke(lost)
    quiet = m3cred("check", "--all", "--quiet", **connected.environ)
    assert (quiet.returncode, quiet.stderr) == (1, "")
    assert quiet.stdout.startswith("Lost  revoked  ")
    assert quiet.stdout.count("\n") == 1


def test_a_timer_hears_nothing_where_there_are_no_credentials(m3cred: Run) -> None:
    quiet = m3cred("check", "--all", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def blocks(kind: str) -> list[str]:
    return re.findall(
        rf"^```{kind}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


def as_installed(home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Put m3cred where pipx and uv put it; return the environment of a timer."""
    program = home / ".local/bin/m3cred"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m m3cred_tui "$@"\n')
    program.chmod(0o755)
    checkout = str(Path(__file__).parents[2])
    return {**environ, "HOME": str(home), "PYTHONPATH": checkout, "PATH": "/usr/bin:/bin"}


def commands(home: Path) -> dict[str, str]:
    """Return the command lines of the page, as systemd and cron pass them on."""
    starts = [
        line.partition("=")[2].replace("%h", str(home))
        for unit in blocks("ini")
        for line in unit.splitlines()
        if line.startswith("ExecStart=")
    ]
    (cron,) = (line for line in "".join(blocks("crontab")).splitlines() if "*" in line)
    *when, command = cron.split(maxsplit=5)
    assert len(when) == 5
    return {"service": starts[0], "passphrase": starts[1], "cron": command}


@pytest.mark.quick(1)
@pytest.mark.parametrize("which", ["service", "passphrase", "cron"])
def test_the_command_lines_of_the_page_check_every_credential(
    connected: Connected, environment: dict[str, str], tmp_path: Path, which: str
) -> None:
    environ = as_installed(tmp_path, {**environment, **connected.environ})
    environ["CREDENTIALS_DIRECTORY"] = str(tmp_path)
    (tmp_path / "passphrase").write_text("not asked for\n")
    connected.revoke(connected.connect("Lost"))
    command = commands(tmp_path)[which]
    ended = subprocess.run(
        ["/bin/sh", "-c", command],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.startswith("Lost  revoked  ")


def test_systemd_takes_the_units_of_the_page(tmp_path: Path) -> None:
    verify = program("systemd-analyze")
    service, timer, _ = blocks("ini")
    as_installed(tmp_path, {})
    files = [tmp_path / "m3cred-check.service", tmp_path / "m3cred-check.timer"]
    files[0].write_text(service.replace("%h", str(tmp_path)))
    files[1].write_text(timer)
    ended = subprocess.run(
        [verify, "verify", "--man=no", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in ended.stderr.splitlines() if "m3cred" in line]
    assert (ended.returncode, ours) == (0, [])
