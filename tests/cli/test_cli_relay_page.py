"""``m3cred relay-page``: the page it writes, and what it never does to a file."""

import re
import stat
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]

USUAL = [27182, 27183, 27184, 27185]


def ports_in(page: str) -> list[int]:
    found = re.search(r"const ports = \[([\d, ]*)\]", page)
    assert found, page
    return [int(port) for port in found[1].split(",")]


def test_the_page_comes_alone_on_standard_output(m3cred: Run) -> None:
    ended = m3cred("relay-page")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("<!doctype html>")
    assert ended.stdout.endswith("</html>\n")
    assert ports_in(ended.stdout) == USUAL


def test_its_link_leads_to_the_ports_of_both_destinations(m3cred: Run) -> None:
    ended = m3cred(
        "relay-page", M3CRED_STRIPE_PORTS="4001,27183", M3CRED_STRIPE_TEST_PORTS="4002"
    )
    assert ports_in(ended.stdout) == [*USUAL, 4001, 4002]


def test_its_link_leads_only_to_the_ports_that_are_named(m3cred: Run) -> None:
    ended = m3cred("relay-page", "--ports", "4003, 4004", M3CRED_STRIPE_PORTS="4001")
    assert ports_in(ended.stdout) == [4003, 4004]


@pytest.mark.parametrize("ports", ["80", "x", "", "4001,4001", "4001;alert(1)"])
def test_a_bad_port_is_wrong_usage(m3cred: Run, ports: str) -> None:
    ended = m3cred("relay-page", "--ports", ports)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr


def test_wrong_ports_in_the_settings_are_reported_and_nothing_is_written(
    m3cred: Run, tmp_path: Path
) -> None:
    page = tmp_path / "index.html"
    ended = m3cred("relay-page", str(page), M3CRED_STRIPE_PORTS="80")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("m3cred: M3CRED_STRIPE_PORTS: ")
    assert not page.exists()


def test_a_web_server_may_read_the_file(m3cred: Run, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    ended = m3cred("relay-page", str(page))
    assert ended.returncode == 0
    assert ended.stdout.startswith(f"{page} leads to ports 27182, ")
    assert page.read_text() == m3cred("relay-page").stdout
    assert stat.S_IMODE(page.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [page]


def test_a_file_is_replaced_only_by_force(m3cred: Run, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text("mine")
    ended = m3cred("relay-page", str(page))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"m3cred: {page} was not written: something of that name is there already; --force "
        "replaces a file.\n"
    )
    assert page.read_text() == "mine"
    assert m3cred("relay-page", "--force", str(page)).returncode == 0
    assert page.read_text().startswith("<!doctype html>")
    assert list(tmp_path.iterdir()) == [page]


def test_by_force_no_link_and_no_directory_is_replaced(m3cred: Run, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to("directory")
    for name in ("directory", "link"):
        ended = m3cred("relay-page", "--force", str(tmp_path / name))
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "not a plain file" in ended.stderr
    assert (tmp_path / "link").is_symlink()


def test_a_directory_that_only_takes_files_will_do(m3cred: Run, tmp_path: Path) -> None:
    (tmp_path / "box").mkdir(mode=0o300)
    assert m3cred("relay-page", str(tmp_path / "box" / "index.html")).returncode == 0
    (tmp_path / "box").chmod(0o700)
    assert (tmp_path / "box" / "index.html").exists()


def test_a_missing_directory_is_reported(m3cred: Run, tmp_path: Path) -> None:
    ended = m3cred("relay-page", str(tmp_path / "no" / "index.html"))
    assert ended.returncode == 1
    assert ended.stderr.endswith("was not written: it is not there.\n")


@pytest.mark.parametrize("name", ["/", "", ".."])
def test_an_impossible_file_name_is_reported(m3cred: Run, name: str) -> None:
    ended = m3cred("relay-page", name)
    assert ended.returncode == 1
    assert "was not written" in ended.stderr
