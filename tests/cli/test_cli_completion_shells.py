"""Completion in real shells: m3cred receives what Tab has completed."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from string import punctuation

import pytest

from tests.cli.kept import keep
from tests.e2e.conftest import program
from tests.e2e.terminal import ENTER, TAB, Terminal, terminal

NAMES = ["Acme production", "Acme test", 'Bob\'s "best" $HOME', "a:b=c@d", "日本語の請求"]
EVERY = f"every {punctuation} is itself"
FIRST = {one: f"{one}b{number} at its beginning" for number, one in enumerate(punctuation)}
NAMES += ["-dashed name", *FIRST.values()]
NAMES += ["Wow!!a", "Wow!!b", "!! once more", EVERY]
BEGUN = {
    "Acme\\ p": NAMES[0],
    '"Acme p': NAMES[0],
    "'Acme t": NAMES[1],
    "Bo": NAMES[2],
    '"Bo': NAMES[2],
    "a": NAMES[3],
    "日": NAMES[4],
    "-- -d": NAMES[5],
    "ev": EVERY,
    "'ev": EVERY,
    '"ev': EVERY,
    f'"W{TAB}b': "Wow!!b",
    '"!!': "!! once more",
}
LINES = {
    "m3cred dele": "m3cred delete",
    "m3cred identity prot": "m3cred identity protect",
    "m3cred show --integ": "m3cred show --integration",
    "m3cred config set stripe_test.redir": "m3cred config set stripe_test.redirect_uri",
    "m3cred completion zs": "m3cred completion zsh",
    "m3cred list --status rev": "m3cred list --status revoked",
    "m3cred list --columns name,created_b": "m3cred list --columns name,created_by",
    "m3cred list --destination stripe_": "m3cred list --destination stripe_test",
    "m3cred check --all --dem": "m3cred check --all --demo",
    "m3cred relay-page on": "m3cred relay-page only-file",
    "m3cred relay-page ~/on": "m3cred relay-page ~/only-file",
    "m3cred exec 'Acme test' -- printe": "m3cred exec 'Acme test' -- printenv",
    "m3cred exec 'Acme test' -- cat a\\ di": "m3cred exec 'Acme test' -- cat a\\ directory/",
    "m3cred exec 'Acme test' -- cat on": "m3cred exec 'Acme test' -- cat only-file",
    "m3cred delete 01a1f82f": "m3cred delete 01a1f82f-1e80-7000-8000-000000000000",
}
ESCAPED = {"bash": '"$\\`', "zsh": '"$\\`', "fish": '"$\\'}
"""What has to be escaped within double quotes."""
PROMPT = "READY>"
CTRL_A, CTRL_L, CTRL_U = "\x01", "\x0c", "\x15"

STARTS: Mapping[str, tuple[list[str], str]] = {
    "bash": (
        ["--norc", "--noprofile", "-i"],
        'eval "$(m3cred completion bash)"; PS1="READY> "',
    ),
    "zsh": (
        ["-f", "-i"],
        'autoload -U compinit; compinit -u -D; eval "$(m3cred completion zsh)"; PS1="READY> "',
    ),
    "fish": (
        ["--no-config", "-i"],
        'function fish_prompt; echo -n "READY> "; end; m3cred completion fish | source',
    ),
}

Shell = Callable[[str], Awaitable[Terminal]]


@pytest.fixture
async def shell(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[Shell]:
    """Start a shell with the completion, in a directory with one file."""
    keep(tmp_path, NAMES)
    (tmp_path / "only-file").touch()
    (tmp_path / "a directory").mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environ = {**environment, "PATH": path, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    environ |= {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    async with AsyncExitStack() as stack:

        async def start(name: str) -> Terminal:
            options, prepared = STARTS[name]
            script = f'cd "{tmp_path}"; exec "$0" "$@"'
            command = ["/bin/sh", "-c", script, program(name), *options]
            shown = await stack.enter_async_context(
                terminal(command, environ, columns=160, lines=40)
            )
            await shown.shows(lambda text: text.strip() != "")
            shown.press(prepared, ENTER)
            await shown.shows(lambda text: text.rstrip().endswith(f"\n{PROMPT}"))
            return shown

        yield start


class Journey:
    """One shell at its prompt, line after line."""

    def __init__(self, shown: Terminal) -> None:
        self._shown = shown

    async def line(self, *keys: str, shows: str) -> str:
        """Type all of a line at once, and wait for what it leads to; return the screen."""
        self._shown.press(*keys)
        return await self._shown.shows(shows)

    async def run(self, *keys: str, shows: str) -> str:
        """Do the same with a line that is run."""
        text = await self.line(*keys, ENTER, shows=shows)
        await self._shown.shows(lambda text: text.rstrip().endswith(f"\n{PROMPT}"))
        return text

    async def passes(self, word: str, *keys: str) -> None:
        """Type a line whose word Tab completes, and see what m3cred would be called with."""
        await self.clear()
        await self.run(*keys, TAB, CTRL_A, "printf '<%s>\\n' ", shows=f"<{word}>")

    async def clear(self) -> None:
        self._shown.press(CTRL_U, CTRL_L)
        await self._shown.shows(lambda text: text.strip() == PROMPT)


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.long
async def test_a_name_is_completed_as_it_is_whatever_its_characters_do_in_a_shell(
    shell: Shell, name: str
) -> None:
    journey = Journey(await shell(name))
    for begun, meant in BEGUN.items():
        await journey.passes(meant, "m3cred show ", begun)
    await journey.clear()
    text = await journey.run("m3cred show 'ev", TAB, shows=f"Name: {EVERY}")
    assert "There is no credential" not in text


@pytest.mark.parametrize("quote", ["", "'", '"'], ids=["plain", "single", "double"])
@pytest.mark.parametrize("name", STARTS)
@pytest.mark.long
async def test_no_character_does_anything_at_the_beginning_of_a_word(
    shell: Shell, name: str, quote: str
) -> None:
    journey = Journey(await shell(name))
    for first, meant in FIRST.items():
        if first == quote == "'":
            continue  # it cannot be typed within itself
        is_escaped = not quote or (quote == '"' and first in ESCAPED[name])
        begun = "\\" * is_escaped + meant.partition(" ")[0]
        await journey.passes(meant, f"m3cred show -- {quote}{begun}")


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.long
async def test_commands_options_settings_and_files_are_completed(
    shell: Shell, name: str
) -> None:
    journey = Journey(await shell(name))
    for begun, meant in LINES.items():
        await journey.clear()
        await journey.line(begun, TAB, shows=f"{PROMPT} {meant}")
