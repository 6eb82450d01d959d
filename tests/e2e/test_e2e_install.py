"""Installed like any other tool: built, put into an empty environment, and removed."""

import asyncio
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import own_network
from tests.e2e.conftest import Home, program
from tests.e2e.terminal import terminal
from tests.surroundings import AS_STARTED

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.long,
    pytest.mark.xdist_group("install"),
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]

CHECKOUT = Path(__file__).parents[2]
_NOT_SOURCES = shutil.ignore_patterns(
    ".*", "build", "dist", "*.egg-info", "__pycache__", "site-packages"
)
# What pip and build do.
_BACKEND = "import sys, setuptools.build_meta as b; getattr(b, sys.argv[1])(sys.argv[2])"


class Installed(NamedTuple):
    """An environment with nothing but the wheel and what it asks for."""

    prefix: Path

    @property
    def m3cred(self) -> str:
        return str(self.prefix / "bin" / "m3cred")

    def environ(self, home: Home) -> dict[str, str]:
        # Without the checkout's, or another Python's, and with this one's programs first.
        linux = {name: one for name, one in home.environ.items() if not name.startswith("XDG")}
        return {**linux, "PATH": f"{self.prefix / 'bin'}:{home.environ['PATH']}"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = tmp_path_factory.mktemp("install")
    prefix = place / "empty"
    pip(sys.executable, "--target", place / "backend", "setuptools>=77")
    run(sys.executable, "-m", "venv", prefix)
    wheel = wheel_from(sdist_from(place), place)
    pip(prefix / "bin" / "python", "-c", CHECKOUT / "constraints.txt", wheel)
    return Installed(prefix)


def sdist_from(place: Path) -> Path:
    shutil.copytree(CHECKOUT, place / "sources", ignore=_NOT_SOURCES)
    backend(place, place / "sources", "build_sdist")
    (sdist,) = (place / "dist").glob("m3cred-*.tar.gz")
    return sdist


def wheel_from(sdist: Path, place: Path) -> Path:
    """Build the wheel from the sdist alone, which shows that it is whole."""
    with tarfile.open(sdist) as archive:
        archive.extractall(place, filter="data")
    backend(place, place / sdist.name.removesuffix(".tar.gz"), "build_wheel")
    (wheel,) = (place / "dist").glob("m3cred-*.whl")
    return wheel


def backend(place: Path, sources: Path, does: str) -> None:
    (place / "dist").mkdir(exist_ok=True)
    environ = {**os.environ, "PYTHONPATH": str(place / "backend")}
    run(sys.executable, "-c", _BACKEND, does, place / "dist", cwd=sources, env=environ)


def pip(python: str | Path, *arguments: str | Path) -> None:
    """Install something; skip the test where that cannot be had, but never in CI."""
    quiet = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    command = (*own_network.outside(), python, *quiet, *arguments)
    ended = run(*command, check=False, env=AS_STARTED)
    if ended.returncode:
        if os.environ.get("CI") == "true":
            pytest.fail(ended.stderr)
        pytest.skip(f"pip cannot install what this needs: {ended.stderr[-200:]}")


def run(
    *command: str | Path,
    check: bool = True,
    given: str = "",
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        command,
        input=given,
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert not (check and ended.returncode), ended.stderr
    return ended


async def test_the_wheel_alone_opens_the_demo_and_leaves_what_the_readme_removes(
    installed: Installed, home: Home
) -> None:
    environ = installed.environ(home)
    async with terminal([installed.m3cred, "--demo"], environ) as app:
        await app.shows("There are no credentials yet")
        app.press("q")
        assert await app.ends() == 0
    for name, value in (("client_id", "ca_mine"), ("secret_key", "sk_test_mine")):
        await asyncio.to_thread(
            run,
            installed.m3cred,
            "config",
            "set",
            f"stripe_test.{name}",
            *([value] if name == "client_id" else []),
            given=f"{value}\n",
            env=environ,
        )
    assert {path.parents[0].name for path in files_in(home)} >= {"keys", "m3cred", "demo"}
    text = (CHECKOUT / "README.md").read_text()
    (removal,) = [one for one in text.splitlines() if one.startswith("rm -rf ~/.local/share")]
    await asyncio.to_thread(run, "/bin/sh", "-c", removal, env=environ)
    assert files_in(home) == []


def files_in(home: Home) -> list[Path]:
    return [path for path in home.path.rglob("*") if path.is_file()]


async def test_man_finds_the_page_and_has_nothing_to_say_against_it(
    installed: Installed, home: Home
) -> None:
    # Minimal images of Ubuntu put a note that there are no manual pages in its place.
    man = shutil.which("man.REAL") or program("man")
    environ = {**installed.environ(home), "MANWIDTH": "80"}
    where = await asyncio.to_thread(run, man, "-w", "m3cred", env=environ)
    assert Path(where.stdout.strip()) == installed.prefix / "share/man/man1/m3cred.1"
    shown = await asyncio.to_thread(run, man, "--warnings", "m3cred", env=environ)
    assert shown.stdout.startswith("M3CRED(1)")
    assert "m3cred - create m3ter Integration Credentials" in shown.stdout
    assert shown.stderr == ""


async def test_what_is_not_for_its_users_is_not_installed(installed: Installed) -> None:
    (packages,) = (installed.prefix / "lib").glob("python3*/site-packages")
    (record,) = packages.glob("m3cred-*.dist-info/RECORD")
    tops = {line.partition("/")[0] for line in record.read_text().splitlines()}
    assert {one for one in tops if not one.startswith("m3cred-")} == {"m3cred_tui", ".."}


async def test_the_sources_come_with_what_the_readme_links_to_and_no_tests(
    installed: Installed,
) -> None:
    (sdist,) = (installed.prefix.parent / "dist").glob("m3cred-*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    pages = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").glob("*.md")]
    linked = {str(one.relative_to(CHECKOUT)) for one in pages}
    assert linked | {"LICENSE", "docs/m3cred.svg"} <= names
    assert not [one for one in names if one.startswith("tests")]
