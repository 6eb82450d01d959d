"""What is imported before there is anything to see: each module costs a start about 0.3 ms."""

import json
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Home
from tests.e2e.terminal import terminal

AT_MOST = 62
NOT_YET = (
    *("authorize", "callback", "stripe", "upkeep", "demo_stripe", "ui.stages"),
    *("cli.parser", "ui.screens.create", "ui.screens.details", "ui.screens.dialogs"),
    "ui.widgets.forms",
)
# Writes the names of all modules to a file when the page is drawn.
PROGRAM = """
import json, sys
from m3cred_tui.cli.main import import_asyncio, main
import_asyncio()  # as main does, before the driver below
from m3cred_tui.ui.terminal import driver

write = driver.TerminalDriver.write

def noting(self, data):
    if "There are no credentials yet" in data:
        with open(sys.argv[1], "x") as file:
            json.dump([*sys.modules], file)
    write(self, data)

driver.TerminalDriver.write = noting
sys.exit(main([]))
"""


@pytest.fixture
async def imported(tmp_path: Path) -> list[str]:
    """Return the modules that the first paint has needed."""
    names = tmp_path / "names"
    command = [sys.executable, "-c", PROGRAM, str(names)]
    async with terminal(command, Home(tmp_path).environ) as app:
        await app.shows("There are no credentials yet")
    imported: list[str] = json.loads(names.read_text())
    return imported


async def test_the_first_paint_imports_few_modules_and_no_room_that_it_does_not_show(
    imported: list[str],
) -> None:
    assert "m3cred_tui.ui.screens.credentials" in imported
    assert len([name for name in imported if name.startswith("m3cred_tui.")]) <= AT_MOST
    assert "ssl" not in imported  # asyncio's, which takes 8 ms
    later = tuple(f"m3cred_tui.{room}" for room in NOT_YET)
    assert [name for name in imported if name.startswith(later)] == []
