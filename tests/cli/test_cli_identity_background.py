"""The question for a passphrase in the background of a shell: not asked there, and not lost."""

import signal
from pathlib import Path

import pytest

from m3cred_tui.store import sealing
from tests.cli.conftest import Start
from tests.e2e.terminal import CTRL_Z, ENTER
from tests.store.light_age import wrapped_lightly

PASSPHRASE = "canary horse"
ASK = "m3cred identity protect"
STOPPED_READING = f"status {128 + signal.SIGTTIN}"


@pytest.fixture(autouse=True)
def _locked(tmp_path: Path) -> None:
    path = tmp_path / "config" / "m3cred" / "identity.txt"
    path.parent.mkdir(mode=0o700, parents=True)
    path.touch(mode=0o600)
    path.write_bytes(wrapped_lightly(sealing.new_identity(), PASSPHRASE))


async def test_back_from_the_background_it_is_asked_again_and_stays_hidden(
    shell: Start,
) -> None:
    async with shell() as shown:
        shown.press(ASK, ENTER)
        await shown.shows("Passphrase of the identity:")
        await shown.hides()
        shown.press(CTRL_Z)
        await shown.shows("Stopped")
        shown.press("bg; wait %1; echo status $?", ENTER)
        await shown.shows(STOPPED_READING)
        shown.press("fg", ENTER)
        await shown.shows(lambda text: text.count("Passphrase of the identity:") == 2)
        assert not shown.echoes()
        shown.press(PASSPHRASE, ENTER)
        await shown.shows("New passphrase:")
        assert b"canary" not in shown.raw


async def test_begun_in_the_background_it_asks_once_it_is_out_of_it(shell: Start) -> None:
    async with shell() as shown:
        shown.press(f"{ASK} & wait %1; echo status $?", ENTER)
        await shown.shows(STOPPED_READING)
        assert b"Passphrase" not in shown.raw
        assert shown.echoes()
        shown.press("fg", ENTER)
        await shown.shows("Passphrase of the identity:")
        assert not shown.echoes()
        shown.press(PASSPHRASE, ENTER)
        await shown.shows("New passphrase:")


async def test_ended_in_the_background_it_leaves_the_terminal_alone(shell: Start) -> None:
    async with shell() as shown:
        shown.press(f"{ASK} & wait %1; echo status $?", ENTER)
        await shown.shows(STOPPED_READING)
        # Bash is not always told at once of a job that went on and ended.
        ended = "while kill -0 $!; do :; done 2>/dev/null; wait $!; echo ended $?"
        shown.press(f"kill %1; {ended}", ENTER)
        await shown.shows(f"ended {128 + signal.SIGTERM}")
        assert shown.echoes()
