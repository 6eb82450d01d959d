"""What is measured, and against what: command lines and where they are at home."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks import bare_app, ten_rows_app
from tests.benchmarks.places import environment, filled, first_row
from tests.benchmarks.terminal import Terminal
from tests.store.port import bao

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Program(NamedTuple):
    """A program to put on a terminal, and the text that shows that it is painted."""

    command: Sequence[str]
    environment: Mapping[str, str]
    painted: str

    def start(self) -> Terminal:
        """Start it on a terminal of its own."""
        return Terminal(self.command, self.environment)

    def start_and_settle(self) -> Terminal:
        """Start it, and wait until it has painted and has nothing more to do."""
        terminal = self.start()
        try:
            terminal.until(self.painted)
            terminal.settle()
        except BaseException:
            terminal.kill()
            raise
        return terminal


class Programs(NamedTuple):
    """An installed m3cred, the Python it runs on, and where its data may be put."""

    m3cred: Path
    root: Path

    @property
    def python(self) -> str:
        """The interpreter of the same environment as ``m3cred``."""
        return str(self.m3cred.with_name("python"))

    def credentials(self, count: int) -> Program:
        """Return the app on its Credentials page with so many of them."""
        home = filled(self.root, count)
        return Program([str(self.m3cred)], environment(home), first_row(count))

    def team(self, address: str, path: str, count: int) -> Program:
        """Return the app on the Credentials page of a team whose list is kept here."""
        home = self.root / "home-team"
        home.mkdir(parents=True, exist_ok=True)
        team = {"ENGINE": "openbao", "ADDRESS": address, "PATH": path}
        settings = {f"M3CRED_STORE_{name}": value for name, value in team.items()}
        surroundings = {**environment(home), **settings, "BAO_TOKEN": bao.ROOT}
        listed = [str(self.m3cred), "list", "--quiet"]
        subprocess.run(listed, env=surroundings, check=True, stdout=subprocess.DEVNULL)
        return Program([str(self.m3cred)], surroundings, first_row(count))

    def demo(self, browser: Path) -> Program:
        """Return the app with the demo Stripe, as it is first started."""
        return self._demo(BROWSER=str(browser))

    def demo_over_ssh(self) -> Program:
        """Return the same where the browser is on another computer."""
        return self._demo(SSH_CONNECTION="198.51.100.7 51234 203.0.113.9 22")

    def _demo(self, **variables: str) -> Program:
        home = self.root / "home-demo"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        surroundings = {**environment(home), **variables}
        return Program([str(self.m3cred), "--demo"], surroundings, first_row(0))

    def bare(self) -> Program:
        """Return a Textual app with one line of text."""
        return self._script(bare_app.__file__, bare_app.PAINTED)

    def ten_rows(self) -> Program:
        """Return a Textual app with a table of ten rows."""
        return self._script(ten_rows_app.__file__, ten_rows_app.name(1))

    def _script(self, path: str, painted: str) -> Program:
        home = filled(self.root, 0)
        return Program([self.python, path], environment(home), painted)
