"""The terminals of docs/terminals.md: what each is, and m3cred started in it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from tests.e2e.conftest import Home, program
from tests.e2e.terminal import Terminal, terminal
from tests.e2e.terminal_looks import Stream
from tests.e2e.tmux import in_tmux

ROOT = Path(__file__).parents[2]
OVER_SSH = {"SSH_CONNECTION": "198.51.100.7 51234 203.0.113.9 2222"}
BEFORE, AFTER = "before-m3cred", "after-m3cred"
"""What stands in the terminal around m3cred."""


class Setup(NamedTuple):
    """A terminal, and what m3cred is told of it."""

    name: str
    environ: Mapping[str, str]
    arguments: tuple[str, ...] = ()
    within: str = ""
    columns: int = 80
    lines: int = 24

    @property
    def is_old(self) -> bool:
        return self.environ["TERM"] in {"linux", "vt100"}


class Found(NamedTuple):
    """What was seen, in the words of the table."""

    colours: str
    signs: str
    stage_4: str
    focus: str
    arrow_keys: str
    paste: str
    resize: str
    clipboard: str
    hyperlink: str
    mouse: str
    garbled: str
    end: str


HEADINGS = Found(
    colours="Colours",
    signs="Signs and boxes",
    stage_4="Stage 4 without scrolling",
    focus="Focus seen without colour",
    arrow_keys="Arrow keys, normal and application",
    paste="Paste",
    resize="Resize",
    clipboard="Clipboard",
    hyperlink="Hyperlink",
    mouse="Mouse",
    garbled="Garbled",
    end="At the end",
)

_XTERM = {"TERM": "xterm-256color"}
SETUPS = (
    Setup("xterm-256color", _XTERM),
    Setup("xterm-256color, `--no-mouse`", _XTERM, ("--no-mouse",)),
    Setup("xterm-256color, `NO_COLOR`", {**_XTERM, "NO_COLOR": "1"}),
    Setup("xterm-256color, `LANG=C`", {**_XTERM, "LANG": "C"}),
    Setup("xterm-256color, 60 by 20", _XTERM, columns=60, lines=20),
    Setup("xterm", {"TERM": "xterm"}),
    Setup("linux", {"TERM": "linux"}),
    Setup("vt100", {"TERM": "vt100"}),
    Setup("vt100, `LANG=C`", {"TERM": "vt100", "LANG": "C"}),
    Setup("screen (the name alone)", {"TERM": "screen"}),
    Setup("in GNU screen", _XTERM, within="screen"),
    Setup("in tmux", _XTERM, within="tmux"),
)


@asynccontextmanager
async def opened(setup: Setup, directory: Path) -> AsyncIterator[Terminal]:
    """Start ``m3cred --demo`` in this terminal, between two lines of a shell."""
    home = directory / "home"
    home.mkdir()
    environ = {**Home(home).environ, **OVER_SSH, "PYTHONPATH": str(ROOT), **setup.environ}
    m3cred = [sys.executable, "-m", "m3cred_tui", "--demo", *setup.arguments]
    inside = ["/bin/sh", "-c", f'echo {BEFORE}; "$0" "$@"; echo {AFTER}; cat', *m3cred]
    size = {"columns": setup.columns, "lines": setup.lines}
    if setup.within == "tmux":
        (directory / "conf").write_text(
            "set -g status off\nset -g default-terminal tmux-256color\n"
        )
        async with in_tmux(directory, environ, *inside) as app:
            yield _with_stream(app)
    elif setup.within == "screen":
        async with in_screen(directory, environ, *inside) as app:
            yield _with_stream(app)
    else:
        async with terminal(inside, environ, **size) as app:
            yield _with_stream(app)


@asynccontextmanager
async def in_screen(
    directory: Path, environ: Mapping[str, str], *command: str
) -> AsyncIterator[Terminal]:
    """Run ``command`` in GNU screen in a terminal."""
    settings = directory / "screenrc"
    settings.write_text("startup_message off\nterm screen\ndefutf8 on\n")
    (directory / "screens").mkdir(mode=0o700)
    environ = {**environ, "SCREENDIR": str(directory / "screens")}
    screen = [program("screen"), "-U", "-c", str(settings), "-S", "m3cred"]
    async with terminal([*screen, *command], environ) as app:
        try:
            yield app
        finally:
            quits = [screen[0], "-S", "m3cred", "-X", "quit"]
            await (await asyncio.create_subprocess_exec(*quits, env=environ)).wait()


def _with_stream(app: Terminal) -> Terminal:
    app._stream = Stream(app._screen)
    return app
